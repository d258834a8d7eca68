/* SPDX-License-Identifier: MIT */
/*
 * test_list.c - items stay as they were while the list grows.
 */
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
items_stay_as_they_were(void **state)
{
	struct arena *arena = arena_new((size_t)1 << 20);
	struct list list = { 0 };

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		size_t *item = list_add(&list, sizeof(*item), arena);

		assert_non_null(item);
		*item = i;
	}
	assert_int_equal(list.n, 1000);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(((size_t *)list.mem)[i], i);
	arena_free(arena);
}

static void
items_taken_back_make_room(void **state)
{
	struct arena *arena = arena_new((size_t)1 << 20);
	struct list list = { 0 };
	void *first = list_add(&list, 8, arena);

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		list.n = 0;
		assert_ptr_equal(list_add(&list, 8, arena), first);
	}
	assert_int_equal(list.n, 1);
	arena_free(arena);
}

static void
a_full_arena_leaves_the_list_as_it_is(void **state)
{
	struct arena *arena = arena_new(1024);
	struct list list = { 0 };
	size_t n = 0;

	(void)state;
	while (list_add(&list, 8, arena) != NULL)
		n++;
	assert_int_equal(list.n, n);
	assert_null(list_add(&list, 8, arena));
	assert_int_equal(list.n, n);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_stay_as_they_were),
		cmocka_unit_test(items_taken_back_make_room),
		cmocka_unit_test(a_full_arena_leaves_the_list_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
