/* SPDX-License-Identifier: MIT */
/*
 * ndjson.h - lines of JSON, read as they arrive.  What is in a line is for others
 * to say.  Pure; owned by whoever reads the stream.
 */
#ifndef PROXY_HTTP_NDJSON_H
#define PROXY_HTTP_NDJSON_H

#include "base/bytes.h"
#include "base/err.h"

struct ndjson;

enum ndjson_state {
	NDJSON_MORE,		/* all was used, no line is whole yet */
	NDJSON_LINE,
	NDJSON_TOO_LARGE,	/* a line passed the ceiling; it stays so */
};

/* A reader of lines of at most LINE_MAX bytes. */
struct ndjson	*ndjson_new(size_t line_max);
struct ndjson	*ndjson_free(struct ndjson *ndjson);

/*
 * Read IN up to the end of a line; blank ones are passed over.  *RET_USED is how
 * much of IN was read.  *RET_LINE, without its end, is written for NDJSON_LINE
 * only, and borrowed from IN or until the next call.
 */
enum ndjson_state	ndjson_feed(struct ndjson *ndjson, struct bytes in, size_t *ret_used,
			    struct bytes *ret_line) MUST_USE;

/* Would the end of the body here cut no line? */
bool	ndjson_is_at_rest(const struct ndjson *ndjson);

#endif
