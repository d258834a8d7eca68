/* SPDX-License-Identifier: MIT */
/*
 * sse.c - from bytes to lines, from lines to events.
 *
 * A line is gathered only if a read cuts it.  A CR ends its line at once; an LF
 * behind it, whenever it comes, is passed over.  A blank line ends the event.
 */
#include "proxy/http/sse.h"

#include "base/buf.h"
#include "base/mem.h"

#define BOM		"\xef\xbb\xbf"
#define LINE_SPARE	((size_t)16)	/* for a BOM and the name of a field */

struct sse {
	struct buf	 line;		/* of a line whose end is still to come */
	struct buf	 name;
	struct buf	 data;
	bool		 has_begun;	/* past the first line, where a BOM may be */
	bool		 is_after_cr;
	bool		 is_pending;	/* a field came since the last blank line */
	bool		 has_data;
	bool		 is_error;
	bool		 is_whole;	/* the event was reported, or is about to be */
	bool		 is_too_large;
};

struct sse *
sse_new(size_t event_max)
{
	struct sse *sse = xcalloc(1, sizeof(*sse));

	buf_init(&sse->line, event_max + LINE_SPARE);
	buf_init(&sse->name, event_max);
	buf_init(&sse->data, event_max);
	return sse;
}

struct sse *
sse_free(struct sse *sse)
{
	if (sse == NULL)
		return NULL;
	buf_done(&sse->data);
	buf_done(&sse->name);
	buf_done(&sse->line);
	return xfree(sse);
}

static void
add(struct sse *sse, struct buf *to, struct bytes text)
{
	if (buf_add(to, text) < 0)
		sse->is_too_large = true;
}

static void
empty(struct buf *buf)
{
	buf_consume(buf, buf_len(buf));
}

static void
begin_event(struct sse *sse)
{
	empty(&sse->name);
	empty(&sse->data);
	sse->is_pending = sse->has_data = sse->is_error = sse->is_whole = false;
}

static void
add_data(struct sse *sse, struct bytes value)
{
	if (sse->has_data || sse->is_error)
		add(sse, &sse->data, BYTES_LIT("\n"));
	add(sse, &sse->data, value);
}

static void
take_field(struct sse *sse, struct bytes name, struct bytes value)
{
	sse->is_pending = true;
	if (bytes_eq_str(name, "data")) {
		add_data(sse, value);
		sse->has_data = true;
	} else if (bytes_eq_str(name, "error")) {
		add_data(sse, value);
		sse->is_error = true;
	} else if (bytes_eq_str(name, "event")) {
		empty(&sse->name);
		add(sse, &sse->name, value);
	}
}

static void
take_line(struct sse *sse, struct bytes line)
{
	struct bytes name;

	if (!sse->has_begun && bytes_has_prefix(line, BOM))
		line = bytes_skip(line, sizeof(BOM) - 1);
	sse->has_begun = true;
	if (line.len == 0) {
		sse->is_whole = sse->has_data || sse->is_error || buf_len(&sse->name) > 0;
		if (!sse->is_whole)
			begin_event(sse);
		return;
	}
	if (line.ptr[0] == ':')
		return;
	name = bytes_cut(&line, ':');
	take_field(sse, name, bytes_has_prefix(line, " ") ? bytes_skip(line, 1) : line);
}

static size_t
find_line_end(struct bytes in)
{
	size_t n = 0;

	while (n < in.len && in.ptr[n] != '\n' && in.ptr[n] != '\r')
		n++;
	return n;
}

/* Read a line of IN or what there is of it; returns how much that is. */
static size_t
read_line(struct sse *sse, struct bytes in)
{
	size_t n = find_line_end(in);
	struct bytes line = bytes_first(in, n);

	if (buf_len(&sse->line) + n > sse->line.max)
		sse->is_too_large = true;
	else if (n == in.len || buf_len(&sse->line) > 0) {
		add(sse, &sse->line, line);
		line = buf_bytes(&sse->line);
	}
	if (n == in.len || sse->is_too_large)
		return n;
	sse->is_after_cr = in.ptr[n] == '\r';
	take_line(sse, line);
	empty(&sse->line);
	return n + 1;
}

enum sse_state
sse_feed(struct sse *sse, struct bytes in, size_t *ret_used, struct sse_event *ret_event)
{
	size_t used = 0;

	if (sse->is_whole)
		begin_event(sse);
	while (used < in.len && !sse->is_whole && !sse->is_too_large) {
		if (sse->is_after_cr && in.ptr[used] == '\n')
			used++;
		sse->is_after_cr = false;
		if (used < in.len)
			used += read_line(sse, bytes_skip(in, used));
	}
	*ret_used = used;
	if (sse->is_too_large)
		return SSE_TOO_LARGE;
	if (!sse->is_whole)
		return SSE_MORE;
	*ret_event = (struct sse_event){
		.name = buf_bytes(&sse->name),
		.data = buf_bytes(&sse->data),
		.has_data = sse->has_data,
		.is_error_field = sse->is_error,
	};
	return SSE_EVENT;
}

bool
sse_is_at_rest(const struct sse *sse)
{
	return !sse->is_too_large && buf_len(&sse->line) == 0 &&
	    (!sse->is_pending || sse->is_whole);
}
