/* SPDX-License-Identifier: MIT */
/*
 * shuffle.h - objects whose members do not come in order, and the copy of a
 * text in which they do.
 *
 * An object is put on a list when it ends, with its members sorted; the text is
 * copied once, when it is whole.  So a byte moves once, however deep it stands.
 */
#ifndef CACHE_SHUFFLE_H
#define CACHE_SHUFFLE_H

#include "base/list.h"

enum {
	SHUFFLE_E_TWICE = 1,	/* a name stands twice in the object */
};

/* A piece of the text, and which of the shuffled objects stand in it. */
struct range {
	uint32_t	start, end;
	uint32_t	first, past;
};

struct member {
	uint64_t	 key;		/* how its name begins: member_key() */
	const char	*name;		/* unescaped, a lone surrogate as three bytes */
	uint32_t	 name_len;
	struct range	 range;		/* of name and value; empty: left out */
};

/* Embedded by value; zeroed but for ARENA it is empty. */
struct shuffle {
	struct arena	*arena;		/* borrowed: outlives us */
	struct list	 objects;	/* in the order in which they end */
};

/*
 * A number in the order of names, for what stands in NAME from AT on: its first
 * seven bytes, then how many there are, 8 for more.  Equal numbers are of equal
 * names when there are no more.  What is in front of END may be read.
 */
uint64_t	member_key(struct bytes name, size_t at, const char *end);

/* Negative, 0 or positive, as the name of A is before, equal to or behind that of B. */
int	member_cmp(const struct member *a, const struct member *b);

static inline bool
member_is_before(const struct member *a, const struct member *b)
{
	return a->key < b->key || (a->key == b->key && member_cmp(a, b) < 0);
}

/*
 * Put the object in RANGE, which has these N members, on the list.  0,
 * SHUFFLE_E_TWICE, or -E2BIG when the arena is full.
 */
int	shuffle_add(struct shuffle *shuffle, const struct range *range,
	    const struct member *members, size_t n) MUST_USE;

/* TEXT, copied with all members in order.  0, or -E2BIG when the arena is full. */
int	shuffle_text(const struct shuffle *shuffle, struct bytes text, struct bytes *ret_text)
	    MUST_USE;

#endif
