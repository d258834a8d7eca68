/* SPDX-License-Identifier: MIT */
/*
 * splice.h - a text with some of its ranges replaced: how a body is changed so
 * that all the rest stays as the client wrote it.  Pure.
 */
#ifndef PROXY_SPLICE_H
#define PROXY_SPLICE_H

#include "base/arena.h"
#include "base/bytes.h"

struct edit {
	struct bytes	range;		/* lies within the text */
	struct bytes	text;		/* what takes its place */
};

/*
 * WHOLE with the N EDITS made, which must not overlap and stand in the order of
 * their ranges.  -E2BIG when ARENA is full.
 */
int	splice(struct bytes whole, const struct edit *edits, size_t n, struct arena *arena,
	    struct bytes *ret_text) MUST_USE;

/*
 * The range that takes the member whose value is VALUE out of the JSON object
 * in BODY that it lies in: its name, its colon and one comma included.
 */
struct bytes	splice_member(struct bytes body, struct bytes value);

#endif
