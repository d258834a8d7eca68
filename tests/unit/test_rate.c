/* SPDX-License-Identifier: MIT */
/*
 * test_rate.c - rates as people write them, and what a meter lets through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rate.h"

#define NOW	((usec_t)1700000000 * USEC_PER_SEC)

static void
a_rate_is_a_number_and_a_time(void **state)
{
	static const struct {
		const char	*text;
		int		 r;
		uint64_t	 n;
		usec_t		 per;
	} rows[] = {
		{ "5/s", 0, 5, USEC_PER_SEC },
		{ "600/min", 0, 600, 60 * USEC_PER_SEC },
		{ "600/m", 0, 600, 60 * USEC_PER_SEC },
		{ "0/h", 0, 0, 3600 * USEC_PER_SEC },
		{ "1/d", 0, 1, 86400 * USEC_PER_SEC },
		{ "1/day", 0, 1, 86400 * USEC_PER_SEC },
		{ "2M/day", 0, 2000000, 86400 * USEC_PER_SEC },
		{ "2M tokens/day", 0, 2000000, 86400 * USEC_PER_SEC },
		{ "10k requests/h", 0, 10000, 3600 * USEC_PER_SEC },
		{ "1G/d", 0, 1000000000, 86400 * USEC_PER_SEC },
		{ "1000000/s", 0, 1000000, USEC_PER_SEC },
		{ "1000001/s", NUM_E_RANGE, 0, 0 },
		{ "99999999999999999G/d", NUM_E_RANGE, 0, 0 },
		{ "2M apples/day", NUM_E_BAD, 0, 0 }, { "2m/day", NUM_E_BAD, 0, 0 },
		{ "M/day", NUM_E_BAD, 0, 0 }, { "2 M/day", NUM_E_BAD, 0, 0 },
		{ "99999999999999999999/s", NUM_E_RANGE, 0, 0 },
		{ "", NUM_E_BAD, 0, 0 }, { "5", NUM_E_BAD, 0, 0 }, { "5/", NUM_E_BAD, 0, 0 },
		{ "/s", NUM_E_BAD, 0, 0 }, { "5/week", NUM_E_BAD, 0, 0 },
		{ "-5/s", NUM_E_BAD, 0, 0 }, { "5 /s", NUM_E_BAD, 0, 0 },
		{ "5/s/s", NUM_E_BAD, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rate rate = { 0 };

		assert_int_equal(rate_parse(bytes_str(rows[i].text), &rate), rows[i].r);
		assert_int_equal(rate.n, rows[i].n);
		assert_int_equal(rate.per, rows[i].per);
	}
}

/* How many of TRIES, one every STEP, are let through. */
static unsigned
take(struct rate_meter *meter, const struct rate *rate, usec_t from, usec_t step,
    unsigned tries)
{
	unsigned n = 0;

	for (unsigned i = 0; i < tries; i++)
		n += rate_take(meter, rate, from + i * step);
	return n;
}

static void
a_rested_meter_gives_all_at_once_and_no_more(void **state)
{
	static const struct rate rates[] = {
		{ 1, USEC_PER_SEC }, { 7, USEC_PER_SEC }, { 100, 60 * USEC_PER_SEC },
		{ 1000, 86400 * USEC_PER_SEC }, { 999983, USEC_PER_SEC },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
		struct rate_meter meter = { 0 };

		assert_int_equal(take(&meter, &rates[i], NOW, 0, 2000000), rates[i].n);
	}
}

static void
then_it_gives_one_after_the_other(void **state)
{
	const struct rate rate = { 60, 60 * USEC_PER_SEC };
	struct rate_meter meter = { 0 };

	(void)state;
	assert_int_equal(take(&meter, &rate, NOW, 0, 100), 60);
	assert_false(rate_take(&meter, &rate, NOW + USEC_PER_SEC - 1));
	assert_true(rate_take(&meter, &rate, NOW + USEC_PER_SEC));
	assert_false(rate_take(&meter, &rate, NOW + USEC_PER_SEC));
	/* In an hour of asking all the time it is what the rate says, and the first 60. */
	assert_int_equal(take(&meter, &rate, NOW + USEC_PER_SEC, USEC_PER_SEC / 10, 36000), 3599);
}

static void
what_is_left_is_told(void **state)
{
	const struct rate rate = { 60, 60 * USEC_PER_SEC };
	struct rate_meter meter = { 0 };

	(void)state;
	assert_int_equal(rate_left(&meter, &rate, NOW), 60);
	assert_int_equal(rate_wait(&meter, &rate, 60, NOW), 0);
	assert_int_equal(take(&meter, &rate, NOW, 0, 45), 45);
	assert_int_equal(rate_left(&meter, &rate, NOW), 15);
	assert_int_equal(rate_wait(&meter, &rate, 15, NOW), 0);
	assert_int_equal(rate_wait(&meter, &rate, 16, NOW), USEC_PER_SEC);
	assert_int_equal(take(&meter, &rate, NOW, 0, 45), 15);
	assert_int_equal(rate_left(&meter, &rate, NOW), 0);
	assert_int_equal(rate_wait(&meter, &rate, 1, NOW), USEC_PER_SEC);
	assert_int_equal(rate_wait(&meter, &rate, 99, NOW), 60 * USEC_PER_SEC);
	assert_int_equal(rate_left(&meter, &rate, NOW + 5 * USEC_PER_SEC), 5);
}

/* A thousand tokens for the last of what was left are paid off like any others. */
static void
what_is_known_afterwards_is_charged_afterwards(void **state)
{
	const struct rate rate = { 600, 60 * USEC_PER_SEC };
	struct rate_meter meter = { 0 };

	(void)state;
	rate_charge(&meter, &rate, 599, NOW);
	assert_int_equal(rate_left(&meter, &rate, NOW), 1);
	rate_charge(&meter, &rate, 1000, NOW);
	assert_int_equal(rate_left(&meter, &rate, NOW), 0);
	assert_int_equal(rate_wait(&meter, &rate, 1, NOW), 100 * USEC_PER_SEC);
	assert_int_equal(rate_left(&meter, &rate, NOW + 100 * USEC_PER_SEC - 1), 0);
	assert_int_equal(rate_left(&meter, &rate, NOW + 100 * USEC_PER_SEC), 1);
	rate_charge(&meter, &rate, UINT64_MAX / 2, NOW);
	assert_int_equal(rate_left(&meter, &rate, NOW), 0);
}

static void
none_at_all_is_none(void **state)
{
	const struct rate rate = { 0, USEC_PER_SEC };
	struct rate_meter meter = { 0 };

	(void)state;
	assert_int_equal(take(&meter, &rate, NOW, USEC_PER_SEC, 10), 0);
	rate_charge(&meter, &rate, 1, NOW);
	assert_int_equal(rate_left(&meter, &rate, NOW), 0);
}

/* A clock that was set back neither gives more nor locks out for longer than it was. */
static void
time_may_go_back(void **state)
{
	const struct rate rate = { 2, USEC_PER_SEC };
	struct rate_meter meter = { 0 };

	(void)state;
	assert_int_equal(take(&meter, &rate, NOW, 0, 5), 2);
	assert_int_equal(take(&meter, &rate, NOW - USEC_PER_SEC, 0, 5), 0);
	assert_int_equal(take(&meter, &rate, NOW + USEC_PER_SEC, 0, 5), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rate_is_a_number_and_a_time),
		cmocka_unit_test(a_rested_meter_gives_all_at_once_and_no_more),
		cmocka_unit_test(then_it_gives_one_after_the_other),
		cmocka_unit_test(what_is_left_is_told),
		cmocka_unit_test(what_is_known_afterwards_is_charged_afterwards),
		cmocka_unit_test(none_at_all_is_none),
		cmocka_unit_test(time_may_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
