/* SPDX-License-Identifier: MIT */
/*
 * multipart.h - a multipart/form-data body (RFC 7578) as its parts, because its
 * boundary is drawn anew for each request and must not count (PROTOCOLS.md
 * 6.6).  Pure; borrows from the body.
 */
#ifndef PROXY_DIALECT_MULTIPART_H
#define PROXY_DIALECT_MULTIPART_H

#include "base/arena.h"
#include "base/bytes.h"

#define MULTIPART_PARTS_MAX	64

enum {
	MULTIPART_E_BAD = 1,	/* not such a body, or one that can be read in two ways */
};

struct multipart_part {
	struct bytes	name;
	struct bytes	filename;	/* empty: none */
	struct bytes	type;
	struct bytes	data;
};

struct multipart {
	struct multipart_part	parts[MULTIPART_PARTS_MAX];
	size_t			n;
};

/* Read BODY, sent with CONTENT_TYPE.  0 or MULTIPART_E_BAD. */
int	multipart_read(struct bytes content_type, struct bytes body,
	    struct multipart *ret_multipart) MUST_USE;

/* The data of the first part called NAME, or none with a NULL ptr. */
struct bytes	multipart_get(const struct multipart *multipart, const char *name);

/*
 * The parts as bytes that differ when and only when the parts do.  Of a file's
 * name its ending counts: servers tell formats by it, clients make up the rest.
 * -E2BIG when ARENA is full.
 */
int	multipart_key(const struct multipart *multipart, struct arena *arena,
	    struct bytes *ret_text) MUST_USE;

#endif
