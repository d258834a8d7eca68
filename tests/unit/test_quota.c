/* SPDX-License-Identifier: MIT */
/*
 * test_quota.c - what buffers and arenas charge, and that they give it back.
 */
#include "base/quota.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"

#define MB	((size_t)1 << 20)

static void
what_is_taken_is_given_back(void **state)
{
	struct quota quota = { 0 };

	(void)state;
	quota_set_max(&quota, 100);
	assert_true(quota_take(&quota, 60));
	assert_false(quota_take(&quota, 41));
	assert_false(quota_has_room(&quota, 101));
	assert_false(quota_has_room(&quota, UINT64_MAX));
	assert_true(quota_has_room(&quota, 40));
	quota_add(&quota, 100);
	assert_int_equal(quota_used(&quota), 160);
	assert_false(quota_has_room(&quota, 0));
	assert_false(quota_take(&quota, 1));
	assert_true(quota_take(&quota, 0));
	quota_give_back(&quota, 160);
	assert_int_equal(quota_used(&quota), 0);
}

static void
without_a_bound_there_is_always_room(void **state)
{
	struct quota quota = { 0 };

	(void)state;
	assert_true(quota_take(&quota, MB));
	assert_true(quota_take(NULL, MB));
	assert_true(quota_has_room(NULL, UINT64_MAX));
	assert_int_equal(quota_used(&quota), MB);
}

static void
a_buffer_charges_what_it_allocates(void **state)
{
	struct quota quota = { 0 };
	struct buf buf;
	char *space;

	(void)state;
	buf_init(&buf, 4 * MB);
	buf_charge(&buf, &quota, QUOTA_FREE);
	assert_int_equal(buf_space(&buf, QUOTA_FREE, &space), 0);
	assert_int_equal(quota_used(&quota), 0);
	assert_int_equal(buf_space(&buf, MB, &space), 0);
	assert_int_equal(quota_used(&quota), MB);
	buf_fill(&buf, MB);
	assert_int_equal(buf_space(&buf, MB, &space), 0);
	assert_int_equal(quota_used(&quota), 2 * MB);
	buf_done(&buf);
	assert_int_equal(quota_used(&quota), 0);
	assert_int_equal(buf_space(&buf, MB, &space), 0);	/* as before */
	assert_int_equal(quota_used(&quota), MB);
	buf_done(&buf);
}

static void
a_buffer_over_the_bound_stays_as_it_was(void **state)
{
	struct quota quota = { 0 };
	struct buf buf;
	char *space;

	(void)state;
	quota_set_max(&quota, 3 * MB);
	buf_init(&buf, SIZE_MAX / 2);
	buf_charge(&buf, &quota, QUOTA_FREE);
	assert_int_equal(buf_space(&buf, 2 * MB, &space), 0);
	buf_fill(&buf, 2 * MB);
	assert_int_equal(buf_space(&buf, 2 * MB, &space), -ENOMEM);
	assert_int_equal(buf_len(&buf), 2 * MB);
	assert_int_equal(quota_used(&quota), 2 * MB);
	buf_done(&buf);
	assert_int_equal(quota_used(&quota), 0);
	quota_add(&quota, 4 * MB);	/* what is free is so over the bound, too */
	assert_int_equal(buf_space(&buf, QUOTA_FREE, &space), 0);
	assert_int_equal(buf_space(&buf, QUOTA_FREE + 1, &space), -ENOMEM);
	buf_done(&buf);
	quota_give_back(&quota, 4 * MB);
}

static void
an_arena_charges_its_blocks(void **state)
{
	struct quota quota = { 0 };
	struct arena *arena = arena_new(8 * MB);

	(void)state;
	quota_set_max(&quota, 3 * MB);
	arena_charge(arena, &quota);
	assert_non_null(arena_alloc(arena, 100));
	assert_int_equal(quota_used(&quota), 0);
	assert_non_null(arena_alloc(arena, 2 * MB));
	assert_int_equal(quota_used(&quota), 2 * MB);
	assert_false(arena_is_starved(arena));
	assert_null(arena_alloc(arena, 2 * MB));
	assert_true(arena_is_starved(arena));
	assert_non_null(arena_alloc(arena, 1000));
	arena_free(arena);
	assert_int_equal(quota_used(&quota), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken_is_given_back),
		cmocka_unit_test(without_a_bound_there_is_always_room),
		cmocka_unit_test(a_buffer_charges_what_it_allocates),
		cmocka_unit_test(a_buffer_over_the_bound_stays_as_it_was),
		cmocka_unit_test(an_arena_charges_its_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
