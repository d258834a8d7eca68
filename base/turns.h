/* SPDX-License-Identifier: MIT */
/*
 * turns.h - several that do the same, used in turn; one that is tired rests.  Embedded
 * by value, empty when zeroed.  How many there are may change: what is known of one
 * goes by its place.  Pure: whoever has them says what time it is.
 */
#ifndef BASE_TURNS_H
#define BASE_TURNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

struct turns {
	usec_t	*until;		/* each rests */
	size_t	 n;		/* of which something may be known */
	size_t	 next;
};

/* It is empty then. */
void	turns_done(struct turns *turns);

/*
 * The next of N, of which there is one at least: one that does not rest at NOW, or
 * where all do, the one whose rest is over first.
 */
size_t	turns_take(struct turns *turns, size_t n, usec_t now);

void	turns_rest(struct turns *turns, size_t at, usec_t until);
bool	turns_rests(const struct turns *turns, size_t at, usec_t now);

/* Is there one of N, other than AT, that does not rest? */
bool	turns_has_other(const struct turns *turns, size_t n, size_t at, usec_t now);

#endif
