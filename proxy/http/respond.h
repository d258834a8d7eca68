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

/* A field of ours: its name is right, of its value nothing came from elsewhere. */
int	respond_own(struct buf *out, struct bytes name, struct bytes value) MUST_USE;
int	respond_number(struct buf *out, struct bytes name, uint64_t value) MUST_USE;

int	respond_field(struct buf *out, const char *name, struct bytes value) MUST_USE;

/* A field as it came from elsewhere. */
int	respond_copy(struct buf *out, struct bytes name, struct bytes value) MUST_USE;

/* The date as of a second, kept because a second has many answers. */
struct respond_date {
	int64_t	second;
	char	text[32];
	size_t	len;		/* 0: none yet */
};

/* Date as of WALL_USEC, and the empty line. */
int	respond_end(struct buf *out, struct respond_date *date, int64_t wall_usec) MUST_USE;

const char	*respond_phrase(int status);

#endif
