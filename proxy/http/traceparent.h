/* SPDX-License-Identifier: MIT */
/*
 * traceparent.h - the field that says which trace a request belongs to, and which span of
 * it asks (W3C Trace Context, 3.2; PROTOCOLS.md 19.2).  Pure.
 */
#ifndef PROXY_HTTP_TRACEPARENT_H
#define PROXY_HTTP_TRACEPARENT_H

#include "base/bytes.h"
#include "base/err.h"

#define TRACE_ID_LEN		32
#define SPAN_ID_LEN		16
#define TRACEPARENT_LEN		55

enum trace_flag {
	TRACE_SAMPLED = 1 << 0,
	TRACE_RANDOM = 1 << 1,	/* the id is one that was drawn */
};

struct traceparent {
	char		trace[TRACE_ID_LEN];	/* hexadecimal, lower case, no NUL */
	char		span[SPAN_ID_LEN];	/* likewise */
	unsigned	flags;			/* of enum trace_flag */
};

enum {
	TRACEPARENT_E_BAD = 1,	/* to be treated as if it were not there */
};

/* Read TEXT, of this version or a later one. */
int	traceparent_parse(struct bytes text, struct traceparent *ret_traceparent) MUST_USE;

/* As TRACEPARENT is written, in the version we know. */
void	traceparent_format(const struct traceparent *traceparent,
	    char ret_text[TRACEPARENT_LEN]);

/* NUMBER as the id of a span. */
void	traceparent_put_id(uint64_t number, char ret_id[SPAN_ID_LEN]);

#endif
