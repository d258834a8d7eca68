/* SPDX-License-Identifier: MIT */
/*
 * test_policy.c - Cache-Control as clients and upstreams write it, and time.
 */
#include "cache/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include "base/err.h"

#include <cmocka.h>

#define SEC	USEC_PER_SEC

static void
request_directives_are_read(void **state)
{
	static const struct {
		const char		*text;
		struct directives	 want;
	} rows[] = {
		{ "", { 0 } },
		{ "no-cache", { .no_cache = true } },
		{ "No-Cache", { .no_cache = true } },
		{ "no-store", { .no_store = true } },
		{ "only-if-cached", { .only_if_cached = true } },
		{ " no-cache ,\tno-store,,", { .no_cache = true, .no_store = true } },
		{ "no-cachex, xno-store, no_store", { 0 } },
		{ "max-stale=5, no-transform, stale-if-error=1, foo=bar", { 0 } },
		{ "max-age=60", { .has_max_age = true, .max_age = 60 * SEC } },
		{ "MAX-AGE=\"60\"", { .has_max_age = true, .max_age = 60 * SEC } },
		{ "max-age=60, max-age=30", { .has_max_age = true, .max_age = 30 * SEC } },
		{ "max-age=30, max-age=60", { .has_max_age = true, .max_age = 30 * SEC } },
		{ "max-age=60, max-age=x", { .has_max_age = true, .max_age = 0 } },
		{ "max-age", { .has_max_age = true, .max_age = 0 } },
		{ "max-age=", { .has_max_age = true, .max_age = 0 } },
		{ "max-age=-1", { .has_max_age = true, .max_age = 0 } },
		{ "max-age=1.5", { .has_max_age = true, .max_age = 0 } },
		{ "max-age=99999999999999999999", { .has_max_age = true, .max_age = INT64_MAX } },
		{ "max-age=18446744073709551615", { .has_max_age = true, .max_age = INT64_MAX } },
		{ "min-fresh=10", { .has_min_fresh = true, .min_fresh = 10 * SEC } },
		{ "min-fresh=10, min-fresh=20", { .has_min_fresh = true, .min_fresh = 20 * SEC } },
		{ "min-fresh=20, min-fresh=10", { .has_min_fresh = true, .min_fresh = 20 * SEC } },
		{ "min-fresh=?", { .has_min_fresh = true, .min_fresh = INT64_MAX } },
		{ "x=\"no-cache, max-age=0\"", { 0 } },
		{ "x=\"a\\\", no-cache\", no-store", { .no_store = true } },
		{ "x=\"a, no-store", { .no_store = true } },
		{ "x=\"a\\", { 0 } },
		{ "=, no-cache=\"x\"", { .no_cache = true } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct directives got = { 0 }, want = rows[i].want;

		policy_read_request(&got, bytes_str(rows[i].text));
		if (got.no_cache != want.no_cache || got.no_store != want.no_store ||
		    got.only_if_cached != want.only_if_cached ||
		    got.has_max_age != want.has_max_age || got.max_age != want.max_age ||
		    got.has_min_fresh != want.has_min_fresh || got.min_fresh != want.min_fresh)
			fail_msg("%s", rows[i].text);
	}
}

static void
several_fields_add_up(void **state)
{
	struct directives directives = { 0 };

	(void)state;
	policy_read_request(&directives, BYTES_LIT("no-store, max-age=5"));
	policy_read_request(&directives, BYTES_LIT("max-age=9, min-fresh=1"));
	assert_true(directives.no_store);
	assert_false(directives.no_cache);
	assert_int_equal(directives.max_age, 5 * SEC);
	assert_int_equal(directives.min_fresh, 1 * SEC);
}

static void
an_upstream_forbids_storing_by_no_store_and_private(void **state)
{
	static const struct {
		const char	*text;
		bool		 forbids;
	} rows[] = {
		{ "", false },
		{ "no-store", true },
		{ "No-Store", true },
		{ "max-age=0, private", true },
		{ "private=\"x-id, date\"", true },
		{ "no-cache", false },
		{ "no-cache=\"set-cookie\"", false },
		{ "public, max-age=3600, must-revalidate", false },
		{ "x=\"private\"", false },
		{ "x=\", private\"", false },
		{ "x=\", private", true },
		{ "privately", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct answer_policy policy = { 0 };

		policy_read_answer(&policy, bytes_str(rows[i].text));
		if (policy.forbids != rows[i].forbids)
			fail_msg("%s", rows[i].text);
	}
}

static void
an_upstream_says_how_long_its_answer_holds(void **state)
{
	static const struct {
		const char	*text;
		bool		 has;
		usec_t		 max_age;
	} rows[] = {
		{ "no-cache", false, 0 },
		{ "max-age=60", true, 60 * SEC },
		{ "max-age=60, max-age=30", true, 30 * SEC },
		{ "max-age=60, s-maxage=90", true, 90 * SEC },
		{ "s-maxage=90, max-age=60", true, 90 * SEC },
		{ "s-maxage=90, s-maxage=80", true, 80 * SEC },
		{ "max-age=x", true, 0 },
		{ "max-age=\"5\"", true, 5 * SEC },
		{ "max-age=99999999999999999999", true, INT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct answer_policy policy = { 0 };

		policy_read_answer(&policy, bytes_str(rows[i].text));
		if (policy.has_max_age != rows[i].has || policy.max_age != rows[i].max_age)
			fail_msg("%s", rows[i].text);
	}
}

static void
freshness_follows_from_times_and_directives(void **state)
{
	static const struct directives none = { 0 };
	static const struct directives max_age = { .has_max_age = true, .max_age = 10 * SEC };
	static const struct directives min_fresh = { .has_min_fresh = true, .min_fresh = 10 * SEC };
	static const struct {
		const struct directives	*directives;
		usec_t			 made, ttl, now;
		enum freshness		 want;
		usec_t			 age, left;
	} rows[] = {
		{ &none, 100 * SEC, 60 * SEC, 100 * SEC, FRESH, 0, 60 * SEC },
		{ &none, 100 * SEC, 60 * SEC, 159 * SEC, FRESH, 59 * SEC, 1 * SEC },
		{ &none, 100 * SEC, 60 * SEC, 160 * SEC, STALE_EXPIRED, 0, 0 },
		{ &none, 100 * SEC, 0, 100 * SEC, STALE_EXPIRED, 0, 0 },
		{ &none, 100 * SEC, 60 * SEC, 40 * SEC, FRESH, 0, 60 * SEC },
		{ &none, 100 * SEC, 60 * SEC, 40 * SEC - 1, STALE_FUTURE, 0, 0 },
		{ &none, INT64_MAX, 60 * SEC, 0, STALE_FUTURE, 0, 0 },
		{ &none, INT64_MAX, 60 * SEC, INT64_MIN, STALE_FUTURE, 0, 0 },
		{ &none, INT64_MIN, 60 * SEC, INT64_MAX, STALE_EXPIRED, 0, 0 },
		{ &none, 0, INT64_MAX, 100 * SEC, FRESH, 100 * SEC, INT64_MAX - 100 * SEC },
		{ &none, 0, -1, 0, STALE_EXPIRED, 0, 0 },
		{ &max_age, 0, 60 * SEC, 10 * SEC, FRESH, 10 * SEC, 50 * SEC },
		{ &max_age, 0, 60 * SEC, 10 * SEC + 1, STALE_TOO_OLD, 0, 0 },
		{ &max_age, 0, 5 * SEC, 7 * SEC, STALE_EXPIRED, 0, 0 },
		{ &min_fresh, 0, 60 * SEC, 50 * SEC, FRESH, 50 * SEC, 10 * SEC },
		{ &min_fresh, 0, 60 * SEC, 50 * SEC + 1, STALE_TOO_OLD, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lifetime life = { 0 };
		enum freshness got = policy_freshness(rows[i].directives, rows[i].made,
		    rows[i].ttl, rows[i].now, &life);

		if (got != rows[i].want || life.age != rows[i].age || life.left != rows[i].left)
			fail_msg("row %zu: %d", i, (int)got);
	}
}

/* Of 10,000 hits with draws spread evenly, how many per 10,000 are early: exp(-left / took). */
static void
early_is_likelier_near_the_end(void **state)
{
	static const struct {
		usec_t	took, left;
		int	want, tolerance;
	} rows[] = {
		{ 2 * SEC, 60 * SEC, 0, 0 },
		{ 2 * SEC, 4 * SEC, 1353, 2 },
		{ 2 * SEC, 2 * SEC, 3679, 2 },
		{ 2 * SEC, 1, 10000, 1 },
		{ 0, 1, 0, 0 },
		{ 3600 * SEC, 3600 * SEC, 3679, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int n = 0;

		for (uint64_t draw = 0; draw < 10000; draw++)
			n += policy_is_due_early(rows[i].took, rows[i].left,
			    UINT64_MAX / 10000 * draw + UINT64_MAX / 20000);
		assert_in_range(n, rows[i].want - rows[i].tolerance,
		    rows[i].want + rows[i].tolerance);
	}
	/* Even the rarest draw is finite, and the commonest is not early. */
	assert_false(policy_is_due_early(SEC, 45 * SEC, 0));
	assert_true(policy_is_due_early(SEC, 44 * SEC, 0));
	assert_false(policy_is_due_early(SEC, 1, UINT64_MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_directives_are_read),
		cmocka_unit_test(several_fields_add_up),
		cmocka_unit_test(an_upstream_forbids_storing_by_no_store_and_private),
		cmocka_unit_test(an_upstream_says_how_long_its_answer_holds),
		cmocka_unit_test(freshness_follows_from_times_and_directives),
		cmocka_unit_test(early_is_likelier_near_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
