/* SPDX-License-Identifier: MIT */
/*
 * test_savings.c - rows by whose and model: added to, bounded, taken.
 */
#include "cache/savings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"

static const struct saved one = { 1, 10, 20, 0 };

struct sum {
	unsigned	n;
	struct saved	a_m, nobody_m, all;
};

static void
sum_up(void *arg, struct bytes whose, struct bytes model, const struct saved *saved)
{
	struct sum *sum = arg;

	sum->n++;
	saved_add(&sum->all, saved);
	if (bytes_eq_str(model, "m") && bytes_eq_str(whose, "a"))
		sum->a_m = *saved;
	if (bytes_eq_str(model, "m") && whose.len == 0)
		sum->nobody_m = *saved;
}

static void
who_and_what_are_told_apart(void **state)
{
	struct savings *savings = savings_new();
	struct sum sum = { 0 };

	(void)state;
	assert_true(savings_are_empty(savings));
	assert_true(savings_add(savings, BYTES_LIT("a"), BYTES_LIT("m"), &one));
	assert_true(savings_add(savings, BYTES_LIT("a"), BYTES_LIT("m"), &one));
	assert_true(savings_add(savings, BYTES_NONE, BYTES_LIT("m"), &one));
	assert_true(savings_add(savings, BYTES_NONE, BYTES_LIT("am"), &one));
	assert_true(savings_add(savings, BYTES_LIT("am"), BYTES_NONE, &one));
	assert_false(savings_are_empty(savings));
	savings_take(savings, sum_up, &sum);
	assert_true(savings_are_empty(savings));
	assert_int_equal(sum.n, 4);
	assert_int_equal(sum.a_m.hits, 2);
	assert_int_equal(sum.a_m.output, 40);
	assert_int_equal(sum.nobody_m.input, 10);
	savings_take(savings, sum_up, &sum);
	assert_int_equal(sum.n, 4);
	savings_free(savings);
}

static void
when_it_is_full_it_has_to_be_taken_first(void **state)
{
	struct savings *savings = savings_new();
	struct sum sum = { 0 };
	char name[24];

	(void)state;
	for (int i = 0; i < SAVINGS_MAX; i++) {
		snprintf(name, sizeof(name), "model-%d", i);
		assert_true(savings_add(savings, BYTES_LIT("a"), bytes_str(name), &one));
	}
	assert_false(savings_add(savings, BYTES_LIT("a"), BYTES_LIT("m"), &one));
	assert_true(savings_add(savings, BYTES_LIT("a"), BYTES_LIT("model-7"), &one));
	savings_take(savings, sum_up, &sum);
	assert_int_equal(sum.all.hits, SAVINGS_MAX + 1);
	assert_true(savings_add(savings, BYTES_LIT("a"), BYTES_LIT("m"), &one));
	savings_free(savings);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_and_what_are_told_apart),
		cmocka_unit_test(when_it_is_full_it_has_to_be_taken_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
