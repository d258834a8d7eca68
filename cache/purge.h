/* SPDX-License-Identifier: MIT */
/*
 * purge.h - marks that make answers void at once, whatever their number: what
 * a mark names and was made before its time is a miss from then on, also as a
 * stale answer (H-63).  The hand of the store gives back the space later.
 *
 *	generation			8 bytes, one more with each change
 *	each mark:
 *	before				8 bytes, microseconds
 *	flags				4	MARK_KEY: KEY counts, MARK_SCOPE: SCOPE does
 *	key				16
 *	lengths of model and scope	4 + 4
 *	model | scope
 *
 * All little-endian; kept as one value in the store, so that it is read with
 * one look.  Pure: no store, no clock.
 */
#ifndef CACHE_PURGE_H
#define CACHE_PURGE_H

#include "base/buf.h"
#include "cache/entry.h"

#define PURGE_MARKS_MAX	1000
#define PURGE_LEN_MAX	((size_t)1 << 20)

enum {
	PURGE_E_FULL = 1,	/* too many marks that still mean something */
	PURGE_E_BAD,		/* not a list of marks */
};

struct purge_mark {
	usec_t		before;		/* entries made before this */
	const char	*model;		/* glob on the model; NULL: any */
	const char	*scope;		/* of this scope and those in it; NULL: of any */
	bool		has_key;
	struct key	key;		/* this entry alone */
};

/* A list, parsed.  Owned by the caller. */
struct purge;

/* Read LIST (borrowed during the call; none is an empty one). */
int	purge_new(struct bytes list, struct purge **ret_purge) MUST_USE;
struct purge	*purge_free(struct purge *purge);

/* A list that makes everything void: in place of one that cannot be read any more. */
struct purge	*purge_everything(void);

/* The generation of LIST without reading the rest; 0 for none. */
uint64_t	purge_generation(struct bytes list);

size_t	purge_count(const struct purge *purge);

/* Has some mark made ENTRY void? */
bool	purge_hits(const struct purge *purge, const struct entry *entry);

/* Would MARK alone? */
bool	purge_mark_hits(const struct purge_mark *mark, const struct entry *entry);

/*
 * Append to OUT the list PURGE with MARK added, its generation one higher.  A
 * mark that says the same of later times takes the place of the old one; marks
 * of before OLDEST, when the oldest entry was made, mean nothing any more and
 * are left out.  0, PURGE_E_FULL, or -E2BIG when OUT is full.
 */
int	purge_add(const struct purge *purge, const struct purge_mark *mark, usec_t oldest,
	    struct buf *out) MUST_USE;

#endif
