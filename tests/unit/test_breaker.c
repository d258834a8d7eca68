/* SPDX-License-Identifier: MIT */
/*
 * test_breaker.c - what opens it, and what closes it again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/breaker.h"

#define NOW	(1000 * USEC_PER_SEC)

static void
fail_often(struct breaker *breaker, unsigned n, usec_t now)
{
	for (unsigned i = 0; i < n; i++)
		breaker_note(breaker, false, true, now);
}

static bool
allows(struct breaker *breaker, usec_t now)
{
	bool is_probe;

	return breaker_allows(breaker, now, &is_probe);
}

static void
five_in_a_row_open_it(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	fail_often(&breaker, 4, NOW);
	breaker_note(&breaker, false, false, NOW);
	fail_often(&breaker, 4, NOW);
	assert_true(allows(&breaker, NOW));
	fail_often(&breaker, 1, NOW);
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_false(allows(&breaker, NOW));
	assert_int_equal(breaker_wait(&breaker, NOW), BREAKER_MIN);
}

static void
half_of_twenty_open_it(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	for (unsigned i = 0; i < 19; i++) {
		breaker_note(&breaker, false, i % 2 == 0, NOW);
		assert_true(allows(&breaker, NOW));
	}
	breaker_note(&breaker, false, false, NOW);
	assert_false(allows(&breaker, NOW));
}

static void
then_one_is_let_through_and_decides(void **state)
{
	struct breaker breaker = { 0 };
	usec_t now = NOW;

	(void)state;
	fail_often(&breaker, 5, now);
	assert_false(allows(&breaker, now + BREAKER_MIN - 1));
	now += BREAKER_MIN;
	assert_true(allows(&breaker, now));
	assert_false(allows(&breaker, now));
	/* It fails: twice as long, up to a minute. */
	breaker_note(&breaker, true, true, now);
	assert_int_equal(breaker_wait(&breaker, now), 2 * BREAKER_MIN);
	for (unsigned i = 0; i < 9; i++) {
		now += breaker_wait(&breaker, now);
		assert_true(allows(&breaker, now));
		breaker_note(&breaker, true, true, now);
	}
	assert_int_equal(breaker_wait(&breaker, now), BREAKER_MAX);
	now += BREAKER_MAX;
	/* It is dropped: the next one decides. */
	assert_true(allows(&breaker, now));
	breaker_forget(&breaker, true);
	assert_true(allows(&breaker, now));
	breaker_note(&breaker, true, false, now);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	assert_true(allows(&breaker, now));
	/* And all is forgotten. */
	fail_often(&breaker, 4, now);
	assert_true(allows(&breaker, now));
	fail_often(&breaker, 1, now);
	assert_int_equal(breaker_wait(&breaker, now), BREAKER_MIN);
}

/* Neither while it is open nor while the probe is under way. */
static void
what_was_asked_before_changes_nothing(void **state)
{
	struct breaker breaker = { 0 };
	usec_t now = NOW + BREAKER_MIN;
	bool is_probe;

	(void)state;
	fail_often(&breaker, 5, NOW);
	fail_often(&breaker, 5, NOW + 1);
	breaker_note(&breaker, false, false, NOW + 2);
	assert_int_equal(breaker_wait(&breaker, NOW), BREAKER_MIN);
	assert_true(breaker_allows(&breaker, now, &is_probe));
	assert_true(is_probe);
	fail_often(&breaker, 1, now);
	breaker_note(&breaker, false, false, now);
	breaker_forget(&breaker, false);
	assert_false(breaker_allows(&breaker, now, &is_probe));
	assert_false(is_probe);
	breaker_note(&breaker, true, false, now);
	assert_true(breaker_allows(&breaker, now, &is_probe));
	assert_false(is_probe);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_in_a_row_open_it),
		cmocka_unit_test(half_of_twenty_open_it),
		cmocka_unit_test(then_one_is_let_through_and_decides),
		cmocka_unit_test(what_was_asked_before_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
