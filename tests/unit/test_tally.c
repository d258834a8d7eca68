/* SPDX-License-Identifier: MIT */
/*
 * test_tally.c - counts by model: added, moved, written and read.
 */
#include "cache/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
models_are_counted_apart(void **state)
{
	struct tally *tally = tally_new();

	(void)state;
	assert_true(tally_is_empty(tally));
	tally_add(tally, BYTES_LIT("a"), 1);
	tally_add(tally, BYTES_LIT("ab"), 2);
	tally_add(tally, BYTES_LIT("a"), 3);
	tally_add(tally, BYTES_NONE, 5);
	assert_int_equal(tally_get(tally, BYTES_LIT("a")), 4);
	assert_int_equal(tally_get(tally, BYTES_LIT("ab")), 2);
	assert_int_equal(tally_get(tally, BYTES_NONE), 5);
	assert_int_equal(tally_get(tally, BYTES_LIT("b")), 0);
	assert_int_equal(tally_total(tally), 11);
	tally_free(tally);
}

static void
moving_leaves_nothing_behind(void **state)
{
	struct tally *from = tally_new(), *to = tally_new();

	(void)state;
	tally_add(from, BYTES_LIT("a"), 1);
	tally_add(to, BYTES_LIT("a"), 1);
	tally_move(to, from);
	tally_move(to, from);
	assert_true(tally_is_empty(from));
	assert_int_equal(tally_get(to, BYTES_LIT("a")), 2);
	tally_free(from);
	tally_free(to);
}

static void
too_many_models_are_others(void **state)
{
	struct tally *tally = tally_new();
	char name[24];

	(void)state;
	for (int i = 0; i < TALLY_MODELS_MAX + 50; i++) {
		snprintf(name, sizeof(name), "model-%d", i);
		tally_add(tally, bytes_str(name), 1);
	}
	assert_int_equal(tally_get(tally, BYTES_LIT("model-0")), 1);
	assert_int_equal(tally_get(tally, BYTES_LIT("model-1049")), 0);
	assert_int_equal(tally_get(tally, BYTES_LIT("other")), 50);
	tally_free(tally);
}

static void
what_was_written_is_read(void **state)
{
	struct tally *tally = tally_new(), *again = tally_new();
	struct buf out;

	(void)state;
	tally_save(tally, BYTES_LIT("org/model with space"), &(struct saved){ 12, 7, 8, 9 });
	tally_add(tally, BYTES_NONE, 3);
	buf_init(&out, TALLY_TEXT_MAX);
	assert_int_equal(tally_write(tally, &out), 0);
	tally_read(again, buf_bytes(&out));
	tally_read_old(again, BYTES_LIT("x y\n\n5\n18446744073709551616 z\n1 last"));
	tally_read(again, BYTES_LIT("x y\n\n5 x\n1 2 3 z\n0 0 0 0 none\n0 1 2 3 a b"));
	assert_int_equal(tally_get(again, BYTES_LIT("org/model with space")), 12);
	assert_int_equal(tally_get(again, BYTES_NONE), 8);
	assert_int_equal(tally_get(again, BYTES_LIT("last")), 1);
	assert_int_equal(tally_total(again), 21);
	assert_int_equal(tally_saved(again, BYTES_LIT("org/model with space")).cost, 9);
	assert_int_equal(tally_saved(again, BYTES_LIT("a b")).output, 2);
	buf_done(&out);
	tally_free(tally);
	tally_free(again);
}

static void
what_was_saved_is_counted_with_the_hits(void **state)
{
	struct tally *from = tally_new(), *to = tally_new();
	struct saved saved;

	(void)state;
	/* Who follows another's call saves, and is no hit. */
	tally_save(from, BYTES_LIT("a"), &(struct saved){ .input = 5, .cost = 2 });
	assert_false(tally_is_empty(from));
	tally_save(from, BYTES_LIT("a"), &(struct saved){ 1, 10, 20, 3 });
	tally_move(to, from);
	assert_true(tally_is_empty(from));
	saved = tally_saved(to, BYTES_LIT("a"));
	assert_int_equal(saved.hits, 1);
	assert_int_equal(saved.input, 15);
	assert_int_equal(saved.output, 20);
	assert_int_equal(saved.cost, 5);
	tally_free(from);
	tally_free(to);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(models_are_counted_apart),
		cmocka_unit_test(moving_leaves_nothing_behind),
		cmocka_unit_test(too_many_models_are_others),
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(what_was_saved_is_counted_with_the_hits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
