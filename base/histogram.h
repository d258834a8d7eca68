/* SPDX-License-Identifier: MIT */
/*
 * histogram.h - how long things took, from 5 us to 5 minutes.  One thread adds, others
 * may look at any time.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define HISTOGRAM_BOUNDS	24

/* All zeros: nothing was added. */
struct histogram {
	_Atomic uint64_t	counts[HISTOGRAM_BOUNDS + 1];	/* the last: above all bounds */
	_Atomic uint64_t	sum;				/* microseconds */
};

/* The bounds, in ascending order; what is equal to one is below it. */
extern const usec_t histogram_bounds[HISTOGRAM_BOUNDS];

/* A negative DURATION, of a clock read in two places, is none. */
void	histogram_add(struct histogram *histogram, usec_t duration);

/* Add what FROM counted to TO. */
void	histogram_merge(struct histogram *to, const struct histogram *from);

#endif
