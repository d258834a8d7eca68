/* SPDX-License-Identifier: MIT */
/*
 * histogram.c - few bounds, most durations below the first ones: they are walked.
 */
#include "base/histogram.h"

#include "base/counter.h"

#define MSEC	USEC_PER_MSEC
#define SEC	USEC_PER_SEC

const usec_t histogram_bounds[HISTOGRAM_BOUNDS] = {
	5, 10, 25, 50, 100, 250, 500,
	1 * MSEC, 5 * MSEC / 2, 5 * MSEC, 10 * MSEC, 25 * MSEC, 50 * MSEC, 100 * MSEC,
	250 * MSEC, 500 * MSEC,
	1 * SEC, 5 * SEC / 2, 5 * SEC, 10 * SEC, 30 * SEC, 60 * SEC, 120 * SEC, 300 * SEC,
};

void
histogram_add(struct histogram *histogram, usec_t duration)
{
	size_t i = 0;

	while (i < HISTOGRAM_BOUNDS && duration > histogram_bounds[i])
		i++;
	counter_add(&histogram->counts[i], 1);
	if (duration > 0)
		counter_add(&histogram->sum, duration);
}

void
histogram_merge(struct histogram *to, const struct histogram *from)
{
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
		counter_add(&to->counts[i], (int64_t)counter_get(&from->counts[i]));
	counter_add(&to->sum, (int64_t)counter_get(&from->sum));
}
