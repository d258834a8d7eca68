/* SPDX-License-Identifier: MIT */
/*
 * head_scan.c - a line at a time, a byte at a time.
 */
#include "proxy/http/head_scan.h"

#define EMPTY_LINES_MAX		8	/* in front of a request (H-5) */

/* The line is over: CR LF has come. */
static enum head_scan_state
end_line(struct head_scan *scan)
{
	scan->has_cr = false;
	if (scan->is_in_line) {
		scan->is_in_line = false;
		return ++scan->n_lines > scan->lines_max ? HEAD_SCAN_LONG : HEAD_SCAN_MORE;
	}
	if (scan->n_lines > 0)
		return HEAD_SCAN_END;
	return ++scan->n_empty > EMPTY_LINES_MAX ? HEAD_SCAN_BAD : HEAD_SCAN_MORE;
}

static bool
is_control(unsigned char c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

static enum head_scan_state
see(struct head_scan *scan, unsigned char c)
{
	if (scan->has_cr)
		return c == '\n' ? end_line(scan) : HEAD_SCAN_BAD;
	if (c == '\r') {
		scan->has_cr = true;
		return HEAD_SCAN_MORE;
	}
	if (is_control(c))
		return HEAD_SCAN_BAD;
	if (!scan->is_in_line && (c == ' ' || c == '\t'))
		return HEAD_SCAN_BAD;
	scan->is_in_line = true;
	return HEAD_SCAN_MORE;
}

enum head_scan_state
head_scan(struct head_scan *scan, struct bytes in, size_t *ret_used)
{
	enum head_scan_state state = HEAD_SCAN_MORE;
	size_t i;

	for (i = 0; i < in.len && state == HEAD_SCAN_MORE; i++) {
		/* Within a line a good byte changes nothing: most bytes go this way. */
		if (scan->is_in_line && !scan->has_cr && !is_control((unsigned char)in.ptr[i]))
			continue;
		state = see(scan, (unsigned char)in.ptr[i]);
	}
	*ret_used = i;
	return state;
}
