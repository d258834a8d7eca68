/* SPDX-License-Identifier: MIT */
/*
 * respond.h - writing the head of an answer into a buffer.  A field whose name
 * or value could split the answer (H-15) is left out, silently: upstreams are
 * free to send them, we are not.
 */
#ifndef PROXY_HTTP_RESPOND_H
#define PROXY_HTTP_RESPOND_H

#include "base/buf.h"
#include "proxy/http/field.h"

/* The status line; the phrase comes from the table of RFC 9110. */
int	respond_begin(struct buf *out, int status) MUST_USE;

int	respond_field(struct buf *out, const char *name, struct bytes value) MUST_USE;
/* Formatted, for short values of our own: -E2BIG past 511 bytes. */
int	respond_fieldf(struct buf *out, const char *name, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4))) MUST_USE;

/* A field as it came from elsewhere. */
int	respond_copy(struct buf *out, struct bytes name, struct bytes value) MUST_USE;

/* Date, and the empty line. */
int	respond_end(struct buf *out, int64_t wall_usec) MUST_USE;

const char	*respond_phrase(int status);

#endif
