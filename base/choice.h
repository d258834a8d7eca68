/* SPDX-License-Identifier: MIT */
/*
 * choice.h - in which order servers are tried, of which each would do.  Pure: nothing
 * is drawn by chance, so that what was asked for is what comes out.
 */
#ifndef BASE_CHOICE_H
#define BASE_CHOICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/*
 * The order of the N servers at TURN, 0, 1, 2, ...: of as many turns in a row as the
 * WEIGHTS are together, each is first as often as its weight says, and well spread.
 * So it is among the others, where the first does not do, over many such rounds.
 */
void	choice_by_weight(const unsigned *weights, size_t n, uint64_t turn, size_t *ret_order);

struct choice_load {
	unsigned	n_calls;	/* under way */
	usec_t		time;		/* that one takes; 0: unknown */
};

/* The one with the least to do first, of several the fastest, then as they stand. */
void	choice_by_load(const struct choice_load *loads, size_t n, size_t *ret_order);

#endif
