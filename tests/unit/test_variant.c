/* SPDX-License-Identifier: MIT */
/*
 * test_variant.c - everyone has a turn.
 */
#include "cache/variant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct key
key_of(unsigned char n)
{
	return (struct key){ { n, 0, 0, 0, 1 } };
}

static void
turns_go_round(void **state)
{
	struct variants *variants = variants_new();
	struct key key = key_of(1);

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(variants_turn(variants, &key, 3), i % 3);
	assert_int_equal(variants_turn(variants, &key, 1), 0);
	variants_free(variants);
}

static void
a_question_is_settled_until_another_takes_its_place(void **state)
{
	struct variants *variants = variants_new();
	struct key a = key_of(1), b = key_of(2);	/* they meet in one slot */

	(void)state;
	assert_false(variants_are_settled(variants, &a));
	variants_settle(variants, &a);
	assert_true(variants_are_settled(variants, &a));
	assert_int_equal(variants_turn(variants, &a, 2), 0);
	assert_true(variants_are_settled(variants, &a));
	assert_false(variants_are_settled(variants, &b));
	assert_int_equal(variants_turn(variants, &b, 2), 0);
	assert_false(variants_are_settled(variants, &a));
	variants_free(variants);
}

static void
answers_have_keys_of_their_own(void **state)
{
	struct key key = key_of(1), seen[VARIANTS_MAX];

	(void)state;
	for (unsigned n = 0; n < VARIANTS_MAX; n++) {
		seen[n] = variant_key(&key, n);
		for (unsigned k = 0; k < n; k++)
			assert_memory_not_equal(&seen[k], &seen[n], sizeof(key));
	}
	assert_memory_equal(&seen[0], &key, sizeof(key));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turns_go_round),
		cmocka_unit_test(a_question_is_settled_until_another_takes_its_place),
		cmocka_unit_test(answers_have_keys_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
