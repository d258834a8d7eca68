/* SPDX-License-Identifier: MIT */
/*
 * tracing.h - the trace that a request belongs to, as its client says (W3C Trace Context);
 * where traces are recorded and it says nothing, one begins here.  Never part of a key.
 * For the files of a request alone.
 */
#ifndef PROXY_TRACING_H
#define PROXY_TRACING_H

#include "base/err.h"
#include "proxy/request_priv.h"

/* The trace of REQ and the span that asks; NULL: there is none. */
const struct traceparent	*tracing_of(struct request *req);

/* Is it to be told to a collector?  Then REQ has a span of its own in it. */
bool	tracing_is_recorded(struct request *req);

/*
 * Add to FIELDS, which go upstream, that the call belongs to the trace, as a span of its
 * own: nothing if there is none.  0 or a negative error.
 */
int	tracing_add_fields(struct request *req, struct fields *fields) MUST_USE;

#endif
