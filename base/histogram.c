/* SPDX-License-Identifier: MIT */
/*
 * histogram.c - few bounds, most durations below the first ones: they are walked.
 */
#include "base/histogram.h"

#define MSEC	USEC_PER_MSEC
#define SEC	USEC_PER_SEC

const usec_t histogram_bounds[HISTOGRAM_BOUNDS] = {
	5, 10, 25, 50, 100, 250, 500,
	1 * MSEC, 5 * MSEC / 2, 5 * MSEC, 10 * MSEC, 25 * MSEC, 50 * MSEC, 100 * MSEC,
	250 * MSEC, 500 * MSEC,
	1 * SEC, 5 * SEC / 2, 5 * SEC, 10 * SEC, 30 * SEC, 60 * SEC, 120 * SEC, 300 * SEC,
};

/* As there is one who adds, it need not be one indivisible step. */
static void
add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

void
histogram_add(struct histogram *histogram, usec_t duration)
{
	size_t i = 0;

	while (i < HISTOGRAM_BOUNDS && duration > histogram_bounds[i])
		i++;
	add(&histogram->counts[i], 1);
	if (duration > 0)
		add(&histogram->sum, (uint64_t)duration);
}

void
histogram_merge(struct histogram *to, const struct histogram *from)
{
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
		add(&to->counts[i], atomic_load_explicit(&from->counts[i], memory_order_relaxed));
	add(&to->sum, atomic_load_explicit(&from->sum, memory_order_relaxed));
}
