/* SPDX-License-Identifier: MIT */
/*
 * test_choice.c - who is first how often, and who is the least busy.
 */
#include "base/choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/err.h"

#define N_MAX	5

static const struct {
	size_t		n;
	unsigned	weights[N_MAX];
} rows[] = {
	{ 1, { 7 } }, { 2, { 1, 1 } }, { 2, { 3, 1 } }, { 2, { 1, 1000 } }, { 3, { 1, 1, 1 } },
	{ 3, { 5, 3, 2 } }, { 4, { 1000, 1000, 1000, 1000 } }, { 5, { 1, 2, 3, 4, 5 } },
	{ 5, { 999, 1, 500, 2, 731 } },
};

static unsigned
sum_of(const unsigned *weights, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += weights[i];
	return sum;
}

static void
assert_all_there(const size_t *order, size_t n)
{
	unsigned seen = 0;

	for (size_t i = 0; i < n; i++)
		seen |= 1u << order[i];
	assert_int_equal(seen, (1u << n) - 1);
}

static void
each_is_first_as_often_as_its_weight_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned sum = sum_of(rows[i].weights, rows[i].n), n_first[N_MAX] = { 0 };
		size_t order[N_MAX];

		/* Whatever turn they begin with. */
		for (uint64_t turn = 17; turn < 17 + sum; turn++) {
			choice_by_weight(rows[i].weights, rows[i].n, turn, order);
			assert_all_there(order, rows[i].n);
			n_first[order[0]]++;
		}
		for (size_t j = 0; j < rows[i].n; j++)
			assert_int_equal(n_first[j], rows[i].weights[j]);
	}
}

/* Of any few turns in a row, too, each has about its share. */
static void
they_are_well_spread(void **state)
{
	const unsigned weights[] = { 50, 30, 20 };
	size_t order[3];

	(void)state;
	for (uint64_t begin = 0; begin < 100; begin++) {
		unsigned n_first[3] = { 0 };

		for (uint64_t turn = begin; turn < begin + 10; turn++) {
			choice_by_weight(weights, 3, turn, order);
			n_first[order[0]]++;
		}
		for (size_t i = 0; i < 3; i++)
			assert_in_range(n_first[i], weights[i] / 10 - 1, weights[i] / 10 + 1);
	}
}

/* Behind each that is first, the others come second as their weights say. */
static void
so_are_those_that_take_its_place(void **state)
{
	const unsigned weights[] = { 3, 1, 2 };
	unsigned n_second[3][3] = { 0 };
	size_t order[3];

	(void)state;
	for (uint64_t turn = 0; turn < 6 * 60; turn++) {
		choice_by_weight(weights, 3, turn, order);
		n_second[order[0]][order[1]]++;
	}
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 3; j++)
			assert_int_equal(n_second[i][j],
			    i == j ? 0 : 60 * weights[i] * weights[j] / (6 - weights[i]));
}

static void
the_last_turn_is_one_like_another(void **state)
{
	size_t order[N_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		choice_by_weight(rows[i].weights, rows[i].n, UINT64_MAX, order);
		assert_all_there(order, rows[i].n);
	}
}

static const struct {
	struct choice_load	loads[4];
	size_t			order[4];
} busy[] = {
	{ { { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 } }, { 0, 1, 2, 3 } },
	{ { { 1, 0 }, { 0, 9 }, { 2, 0 }, { 0, 9 } }, { 1, 3, 0, 2 } },
	{ { { 1, 1 }, { 0, 9 }, { 0, 8 }, { 0, 0 } }, { 3, 2, 1, 0 } },
	{ { { 4, 5 }, { 4, 4 }, { 4, 3 }, { 3, 9 } }, { 3, 2, 1, 0 } },
};

static void
the_least_busy_is_first_then_the_fastest(void **state)
{
	size_t order[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(busy); i++) {
		choice_by_load(busy[i].loads, 4, order);
		assert_memory_equal(order, busy[i].order, sizeof(order));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_first_as_often_as_its_weight_says),
		cmocka_unit_test(they_are_well_spread),
		cmocka_unit_test(so_are_those_that_take_its_place),
		cmocka_unit_test(the_last_turn_is_one_like_another),
		cmocka_unit_test(the_least_busy_is_first_then_the_fastest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
