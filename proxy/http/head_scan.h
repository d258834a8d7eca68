/* SPDX-License-Identifier: MIT */
/*
 * head_scan.h - one look at every byte of a raw head before llhttp sees it,
 * for what llhttp lets through (H-2): control bytes, CR or LF alone, folded
 * lines, white space in front.  Resumable: bytes are looked at once.
 */
#ifndef PROXY_HTTP_HEAD_SCAN_H
#define PROXY_HTTP_HEAD_SCAN_H

#include "base/bytes.h"

enum head_scan_state {
	HEAD_SCAN_MORE,		/* all bytes are good, the end has not come */
	HEAD_SCAN_END,		/* the empty line that ends the head */
	HEAD_SCAN_BAD,		/* no head can go on like this */
	HEAD_SCAN_LONG,		/* more lines than LINES_MAX */
};

struct head_scan {
	size_t	lines_max;	/* set by the caller; the rest starts as zero */
	size_t	n_lines;	/* whole ones, without the empty ones in front */
	size_t	n_empty;	/* empty lines in front */
	bool	is_in_line;	/* a byte of the current line has come */
	bool	has_cr;		/* the last byte was CR */
};

/* Look at IN, the next bytes; *RET_USED says how many belong to the head. */
enum head_scan_state	head_scan(struct head_scan *scan, struct bytes in, size_t *ret_used);

#endif
