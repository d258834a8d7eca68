/* SPDX-License-Identifier: MIT */
/*
 * test_arena.c - memory with a ceiling.
 */
#include "base/arena.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
what_it_hands_out_is_aligned_and_apart(void **state)
{
	static const size_t sizes[] = { 1, 7, 16, 0, 3000, 100000, 1 };
	struct arena *arena = arena_new(1 << 20);
	char *blocks[ARRAY_LEN(sizes)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		blocks[i] = arena_alloc(arena, sizes[i]);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
		memset(blocks[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (size_t at = 0; at < sizes[i]; at++)
			assert_int_equal(blocks[i][at], i + 1);
	arena_free(arena);
}

static void
past_the_ceiling_there_is_nothing(void **state)
{
	struct arena *arena = arena_new(1024);
	struct bytes text = BYTES_LIT("as it was");

	(void)state;
	assert_null(arena_alloc(arena, 1025));
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_non_null(arena_alloc(arena, 1024));
	assert_null(arena_alloc(arena, 1));
	assert_int_equal(arena_copy(arena, BYTES_LIT("a"), &text), -E2BIG);
	assert_int_equal(arena_printf(arena, &text, "%d", 1), -E2BIG);
	assert_true(bytes_eq_str(text, "as it was"));
	arena_free(arena);
}

static void
many_small_pieces_count_towards_the_ceiling(void **state)
{
	struct arena *arena = arena_new(4096);
	size_t n = 0;

	(void)state;
	while (n < 4096 && arena_alloc(arena, 16) != NULL)
		n++;
	assert_int_equal(n, 4096 / 16);
	arena_free(arena);
}

static void
copies_hold_any_byte_and_end_in_nul(void **state)
{
	struct arena *arena = arena_new(1024);
	const struct bytes source = BYTES_LIT("a\0b");
	struct bytes copy, none;

	(void)state;
	assert_int_equal(arena_copy(arena, source, &copy), 0);
	assert_true(bytes_eq(copy, source));
	assert_ptr_not_equal(copy.ptr, source.ptr);
	assert_int_equal(copy.ptr[copy.len], '\0');
	assert_int_equal(arena_copy(arena, BYTES_NONE, &none), 0);
	assert_int_equal(none.len, 0);
	assert_string_equal(none.ptr, "");
	arena_free(arena);
}

static void
formatted_text_is_as_long_as_it_needs_to_be(void **state)
{
	struct arena *arena = arena_new(1 << 16);
	struct bytes text;

	(void)state;
	assert_int_equal(arena_printf(arena, &text, "%s-%d", "a", 7), 0);
	assert_true(bytes_eq_str(text, "a-7"));
	assert_int_equal(arena_printf(arena, &text, "%5000d", 1), 0);
	assert_int_equal(text.len, 5000);
	assert_int_equal(text.ptr[4999], '1');
	arena_free(arena);
}

static void
freeing_none_is_fine(void **state)
{
	(void)state;
	assert_null(arena_free(NULL));
	assert_null(arena_free(arena_new(0)));
}

static void
parts_are_joined(void **state)
{
	const struct bytes parts[] = { BYTES_LIT("ab"), BYTES_NONE, BYTES_LIT("c") };
	struct arena *arena = arena_new(16);
	struct bytes text;

	(void)state;
	assert_int_equal(arena_join(arena, parts, 3, &text), 0);
	assert_true(bytes_eq_str(text, "abc"));
	assert_int_equal(text.ptr[3], '\0');
	assert_int_equal(arena_join(arena, parts, 0, &text), -E2BIG);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_hands_out_is_aligned_and_apart),
		cmocka_unit_test(past_the_ceiling_there_is_nothing),
		cmocka_unit_test(many_small_pieces_count_towards_the_ceiling),
		cmocka_unit_test(copies_hold_any_byte_and_end_in_nul),
		cmocka_unit_test(formatted_text_is_as_long_as_it_needs_to_be),
		cmocka_unit_test(freeing_none_is_fine),
		cmocka_unit_test(parts_are_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
