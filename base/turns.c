/* SPDX-License-Identifier: MIT */
/*
 * turns.c - a time for each that ever rested.
 */
#include "base/turns.h"

#include "base/mem.h"

void
turns_done(struct turns *turns)
{
	xfree(turns->until);
	*turns = (struct turns){ 0 };
}

static usec_t
rests_until(const struct turns *turns, size_t at)
{
	return at < turns->n ? turns->until[at] : 0;
}

size_t
turns_take(struct turns *turns, size_t n, usec_t now)
{
	size_t first = turns->next % n, best = first;

	for (size_t i = 0; i < n && rests_until(turns, best) > now; i++) {
		size_t at = (first + i) % n;

		if (rests_until(turns, at) < rests_until(turns, best))
			best = at;
	}
	turns->next = best + 1;
	return best;
}

void
turns_rest(struct turns *turns, size_t at, usec_t until)
{
	if (at >= turns->n) {
		turns->until = xreallocarray(turns->until, at + 1, sizeof(*turns->until));
		while (turns->n <= at)
			turns->until[turns->n++] = 0;
	}
	turns->until[at] = until;
}

bool
turns_rests(const struct turns *turns, size_t at, usec_t now)
{
	return rests_until(turns, at) > now;
}

bool
turns_has_other(const struct turns *turns, size_t n, size_t at, usec_t now)
{
	for (size_t i = 0; i < n; i++)
		if (i != at && !turns_rests(turns, i, now))
			return true;
	return false;
}
