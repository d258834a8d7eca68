/* SPDX-License-Identifier: MIT */
/*
 * canon.h - the canonical form of a JSON text (DESIGN.md, Keys): same value
 * <=> same bytes, and nothing else merges.  One pass over the text, no tree,
 * no recursion; depth at most CANON_DEPTH_MAX.
 *
 * The same pass leaves out the members that cannot change the answer and notes
 * those the caller wants to know, so that a request body is walked once.
 *
 * A place is a JSON pointer (RFC 6901) in which a step that is "*" stands for
 * any member name or array index.
 */
#ifndef CACHE_CANON_H
#define CACHE_CANON_H

#include "base/arena.h"
#include "base/bytes.h"

#define CANON_DEPTH_MAX		512
#define CANON_WATCHED_MAX	32

enum {
	CANON_E_NOT_JSON = 1,	/* not one strict JSON text, or names twice in an object */
	CANON_E_TOO_DEEP,
};

enum canon_type {
	CANON_ABSENT,
	CANON_NULL,
	CANON_FALSE,
	CANON_TRUE,
	CANON_NUMBER,
	CANON_STRING,
	CANON_ARRAY,
	CANON_OBJECT,
};

struct canon_rules {
	const char *const	*neutral;	/* places left out; NULL-terminated, may be NULL */
	const char *const	*real;		/* places where 0 and 0.0 are one number */
	const char *const	*watched;	/* places reported, at most CANON_WATCHED_MAX */
};

struct canon_value {
	enum canon_type	 type;
	struct bytes	 raw;		/* as it stands in the body: borrowed from it */
	struct bytes	 text;		/* of a string: unescaped, in the arena; else raw */
};

struct canon {
	struct bytes		text;			/* the canonical form, in the arena */
	enum canon_type		type;			/* of the whole text */
	struct canon_value	watched[CANON_WATCHED_MAX];	/* in the order of the rules */
};

/*
 * Make the canonical form of BODY under RULES.  Returns 0, CANON_E_NOT_JSON,
 * CANON_E_TOO_DEEP, or -E2BIG when ARENA is full.
 */
int	canon_make(struct bytes body, const struct canon_rules *rules, struct arena *arena,
	    struct canon *ret_canon) MUST_USE;

#endif
