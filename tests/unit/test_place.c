/* SPDX-License-Identifier: MIT */
/*
 * test_place.c - rules followed down into a value and taken back on the way up.
 */
#include "cache/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const neutral[] = { "/stream", "/a/*/x", "/a~1b/c~0", "", NULL };
static const char *const real[] = { "/t", "/p/*", "/a/0", NULL };
static const char *const watched[] = { "/model", "/a", "/*", "no pointer", "/", NULL };
static const struct canon_rules rules = { neutral, real, watched };

static struct arena *arena;
static struct place_stack stack;
static struct place root;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new((size_t)1 << 20);
	stack = (struct place_stack){ .arena = arena };
	return place_root(&stack, &rules, &root);
}

static int
teardown(void **state)
{
	(void)state;
	arena = arena_free(arena);
	return 0;
}

static struct place
member(const struct place *parent, const char *name)
{
	struct place place;

	assert_int_equal(place_member(&stack, parent, bytes_str(name), &place), 0);
	return place;
}

static struct place
element(const struct place *parent, size_t index)
{
	struct place place;

	assert_int_equal(place_element(&stack, parent, index, &place), 0);
	return place;
}

static void
the_whole_text_has_a_place(void **state)
{
	(void)state;
	assert_true(root.is_neutral);
	assert_false(root.is_real);
	assert_int_equal(root.watched, 0);
	assert_true(root.past > root.first);
	stack = (struct place_stack){ .arena = arena };
	assert_int_equal(place_root(&stack, NULL, &root), 0);
	assert_true(root.past == root.first && !root.is_neutral);
}

static void
members_are_found_by_name(void **state)
{
	(void)state;
	assert_true(member(&root, "stream").is_neutral);
	assert_false(member(&root, "strea").is_neutral);
	assert_false(member(&root, "streams").is_neutral);
	assert_true(member(&root, "t").is_real);
	assert_int_equal(member(&root, "model").watched, 1 << 0 | 1 << 2);
	assert_int_equal(member(&root, "other").watched, 1 << 2);
	assert_int_equal(member(&root, "").watched, 1 << 2 | 1 << 4);
}

static void
steps_below_are_followed(void **state)
{
	struct place a = member(&root, "a"), first = element(&a, 0), x = member(&first, "x");

	(void)state;
	assert_int_equal(a.watched, 1 << 1 | 1 << 2);
	assert_true(first.is_real && !element(&a, 1).is_real && !element(&a, 10).is_real);
	assert_true(x.is_neutral && x.first == x.past);
	assert_false(member(&first, "y").is_neutral);
	assert_true(member(&a, "0").is_real);
}

static void
escaped_steps_are_names(void **state)
{
	struct place place = member(&root, "a/b");

	(void)state;
	assert_true(member(&place, "c~").is_neutral);
	assert_false(member(&place, "c~0").is_neutral);
	place = member(&root, "a~1b");
	assert_true(place.first == place.past);
}

static void
indices_are_decimal(void **state)
{
	static const char *const lists[] = { "/1234567890", "/18446744073709551615", NULL };
	const struct canon_rules of_lists = { .real = lists };

	(void)state;
	stack = (struct place_stack){ .arena = arena };
	assert_int_equal(place_root(&stack, &of_lists, &root), 0);
	assert_true(element(&root, 1234567890).is_real);
	assert_true(element(&root, SIZE_MAX).is_real);
	assert_false(element(&root, 123456789).is_real);
}

static void
places_left_leave_nothing(void **state)
{
	size_t n = stack.rules.n;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct place a = member(&root, "a"), inner = member(&a, "any");

		place_leave(&stack, &inner);
		place_leave(&stack, &a);
	}
	assert_int_equal(stack.rules.n, n);
}

static void
a_full_arena_is_told(void **state)
{
	struct arena *small = arena_new(16);
	struct place_stack other = { .arena = small };

	(void)state;
	assert_true(place_root(&other, &rules, &root) < 0);
	arena_free(small);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_whole_text_has_a_place),
		TEST(members_are_found_by_name),
		TEST(steps_below_are_followed),
		TEST(escaped_steps_are_names),
		TEST(indices_are_decimal),
		TEST(places_left_leave_nothing),
		TEST(a_full_arena_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
