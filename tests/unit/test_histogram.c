/* SPDX-License-Identifier: MIT */
/*
 * test_histogram.c - which bucket a duration falls into.
 */
#include "base/histogram.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/err.h"

static void
the_bounds_ascend_from_5_us(void **state)
{
	(void)state;
	assert_int_equal(histogram_bounds[0], 5);
	for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
		assert_true(histogram_bounds[i] > histogram_bounds[i - 1]);
	assert_int_equal(histogram_bounds[HISTOGRAM_BOUNDS - 1], 300 * USEC_PER_SEC);
}

static void
a_duration_falls_below_the_first_bound_it_does_not_exceed(void **state)
{
	const struct {
		usec_t	duration;
		size_t	bucket;
	} rows[] = {
		{ -3, 0 }, { 0, 0 }, { 5, 0 }, { 6, 1 }, { 10, 1 }, { 11, 2 }, { 1000, 7 },
		{ 1001, 8 }, { 300 * USEC_PER_SEC, HISTOGRAM_BOUNDS - 1 },
		{ 300 * USEC_PER_SEC + 1, HISTOGRAM_BOUNDS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct histogram histogram = { 0 };

		histogram_add(&histogram, rows[i].duration);
		for (size_t k = 0; k <= HISTOGRAM_BOUNDS; k++)
			assert_int_equal(histogram.counts[k], k == rows[i].bucket);
		assert_int_equal(histogram.sum, rows[i].duration > 0 ? rows[i].duration : 0);
	}
}

static void
two_become_one(void **state)
{
	struct histogram a = { 0 }, b = { 0 };

	(void)state;
	histogram_add(&a, 7);
	histogram_add(&b, 8);
	histogram_add(&b, 3);
	histogram_merge(&a, &b);
	assert_int_equal(a.counts[0], 1);
	assert_int_equal(a.counts[1], 2);
	assert_int_equal(a.sum, 18);
	assert_int_equal(b.sum, 11);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bounds_ascend_from_5_us),
		cmocka_unit_test(a_duration_falls_below_the_first_bound_it_does_not_exceed),
		cmocka_unit_test(two_become_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
