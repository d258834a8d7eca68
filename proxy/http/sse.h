/* SPDX-License-Identifier: MIT */
/*
 * sse.h - server-sent events, read as they arrive (PROTOCOLS.md 12.1): lines end
 * in LF, CR or CRLF, and a read may end anywhere, in the middle of a CRLF or of a
 * character too.  Pure; owned by whoever reads the stream.
 */
#ifndef PROXY_HTTP_SSE_H
#define PROXY_HTTP_SSE_H

#include "base/bytes.h"
#include "base/err.h"

struct sse;

enum sse_state {
	SSE_MORE,		/* all was used, no event is whole yet */
	SSE_EVENT,
	SSE_TOO_LARGE,		/* an event or a line passed the ceiling; it stays so */
};

/* What stood between two blank lines; comments, ids and retry times left out. */
struct sse_event {
	struct bytes	 name;			/* of the last "event" line; empty: none */
	struct bytes	 data;			/* of all "data" lines, joined by LF */
	bool		 has_data;
	bool		 is_error_field;	/* there was an "error" line; DATA has its value */
};

/* A reader of events whose data is at most EVENT_MAX bytes. */
struct sse	*sse_new(size_t event_max);
struct sse	*sse_free(struct sse *sse);

/*
 * Read IN up to the end of an event.  *RET_USED is how much of IN was read; the
 * caller goes on with the rest.  *RET_EVENT is written for SSE_EVENT only, and
 * borrowed until the next call.
 */
enum sse_state	sse_feed(struct sse *sse, struct bytes in, size_t *ret_used,
		    struct sse_event *ret_event) MUST_USE;

/* Would the end of the body here cut no event? */
bool	sse_is_at_rest(const struct sse *sse);

#endif
