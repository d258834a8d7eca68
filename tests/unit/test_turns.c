/* SPDX-License-Identifier: MIT */
/*
 * test_turns.c - each in turn, and who rests is passed over.
 */
#include "base/turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW	(1000 * USEC_PER_SEC)

static void
assert_next(struct turns *turns, size_t n, usec_t now, size_t at)
{
	assert_int_equal(turns_take(turns, n, now), at);
}

static void
each_is_used_in_turn(void **state)
{
	struct turns turns = { 0 };

	(void)state;
	for (size_t i = 0; i < 7; i++)
		assert_next(&turns, 3, NOW, i % 3);
	assert_true(turns_has_other(&turns, 2, 0, NOW));
	assert_false(turns_has_other(&turns, 1, 0, NOW));
	turns_done(&turns);
}

static void
who_rests_is_passed_over_until_then(void **state)
{
	struct turns turns = { 0 };

	(void)state;
	turns_rest(&turns, 1, NOW + 10);
	assert_next(&turns, 3, NOW, 0);
	assert_next(&turns, 3, NOW, 2);
	assert_next(&turns, 3, NOW, 0);
	assert_next(&turns, 3, NOW + 9, 2);
	assert_next(&turns, 3, NOW + 10, 0);
	assert_next(&turns, 3, NOW + 10, 1);
	assert_true(turns_rests(&turns, 1, NOW + 9));
	assert_false(turns_rests(&turns, 1, NOW + 10));
	assert_false(turns_rests(&turns, 2, NOW));
	turns_done(&turns);
}

static void
where_all_rest_the_first_to_be_back_is_used(void **state)
{
	struct turns turns = { 0 };

	(void)state;
	turns_rest(&turns, 0, NOW + 30);
	assert_true(turns_has_other(&turns, 3, 0, NOW));
	turns_rest(&turns, 1, NOW + 10);
	turns_rest(&turns, 2, NOW + 20);
	assert_false(turns_has_other(&turns, 3, 0, NOW));
	for (size_t i = 0; i < 3; i++)
		assert_next(&turns, 3, NOW, 1);
	turns_rest(&turns, 1, NOW + 40);
	assert_next(&turns, 3, NOW, 2);
	turns_rest(&turns, 0, 0);
	assert_next(&turns, 3, NOW, 0);
	assert_true(turns_has_other(&turns, 3, 1, NOW));
	assert_false(turns_has_other(&turns, 3, 0, NOW));
	turns_done(&turns);
}

static void
their_number_may_change(void **state)
{
	struct turns turns = { 0 };

	(void)state;
	turns_rest(&turns, 4, NOW + 10);
	for (size_t i = 0; i < 4; i++)
		assert_next(&turns, 5, NOW, i);
	assert_next(&turns, 2, NOW, 0);
	assert_next(&turns, 1, NOW, 0);
	assert_next(&turns, 8, NOW, 1);
	turns_rest(&turns, 1, NOW + 10);
	assert_false(turns_has_other(&turns, 2, 0, NOW));
	assert_true(turns_has_other(&turns, 3, 0, NOW));
	turns_done(&turns);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_used_in_turn),
		cmocka_unit_test(who_rests_is_passed_over_until_then),
		cmocka_unit_test(where_all_rest_the_first_to_be_back_is_used),
		cmocka_unit_test(their_number_may_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
