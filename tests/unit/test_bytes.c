/* SPDX-License-Identifier: MIT */
/*
 * test_bytes.c - comparing, finding and cutting borrowed bytes.
 */
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void
equal_means_length_and_every_byte(void **state)
{
	(void)state;
	assert_true(bytes_eq(BYTES_LIT("a\0b"), BYTES_LIT("a\0b")));
	assert_false(bytes_eq(BYTES_LIT("a\0b"), BYTES_LIT("a\0c")));
	assert_false(bytes_eq(BYTES_LIT("ab"), BYTES_LIT("abc")));
	assert_true(bytes_eq(BYTES_NONE, BYTES_LIT("")));
	assert_true(bytes_eq_str(BYTES_LIT("ab"), "ab"));
	assert_false(bytes_eq_str(BYTES_LIT("ab"), "Ab"));
	assert_false(bytes_eq_str(BYTES_LIT("ab\0"), "ab"));
	assert_true(bytes_eq_str(bytes_str(NULL), ""));
}

static void
without_case_only_letters_are_the_same(void **state)
{
	(void)state;
	assert_true(bytes_eq_str_nocase(BYTES_LIT("Content-LENGTH"), "content-length"));
	assert_true(bytes_eq_nocase(BYTES_NONE, BYTES_LIT("")));
	assert_false(bytes_eq_nocase(BYTES_LIT("a"), BYTES_LIT("ab")));
	assert_false(bytes_eq_nocase(BYTES_LIT("["), BYTES_LIT("{")));
	assert_false(bytes_eq_nocase(BYTES_LIT("@"), BYTES_LIT("`")));
}

static void
prefixes_and_suffixes_are_found(void **state)
{
	(void)state;
	assert_true(bytes_has_prefix(BYTES_LIT("/v1/x"), "/v1/"));
	assert_true(bytes_has_prefix(BYTES_LIT("/v1/"), "/v1/"));
	assert_false(bytes_has_prefix(BYTES_LIT("/v1"), "/v1/"));
	assert_false(bytes_has_prefix(BYTES_LIT("/V1/"), "/v1/"));
	assert_true(bytes_has_prefix(BYTES_NONE, ""));
	assert_true(bytes_has_prefix_nocase(BYTES_LIT("BEARER x"), "Bearer "));
	assert_false(bytes_has_prefix_nocase(BYTES_LIT("Bear"), "Bearer "));
	assert_true(bytes_has_suffix(BYTES_LIT("a/generate"), "/generate"));
	assert_false(bytes_has_suffix(BYTES_LIT("generate"), "/generate"));
	assert_true(bytes_has_suffix(BYTES_LIT("a"), ""));
}

static void
order_is_by_unsigned_byte_and_then_by_length(void **state)
{
	static const struct bytes in_order[] = {
		BYTES_LIT(""), BYTES_LIT("A"), BYTES_LIT("a"), BYTES_LIT("a\0"), BYTES_LIT("aa"),
		BYTES_LIT("b"), BYTES_LIT("\xc3"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(in_order); i++) {
		assert_int_equal(bytes_cmp(in_order[i], in_order[i]), 0);
		for (size_t j = 0; j < i; j++) {
			assert_true(bytes_cmp(in_order[j], in_order[i]) < 0);
			assert_true(bytes_cmp(in_order[i], in_order[j]) > 0);
		}
	}
}

static void
what_is_not_found_is_at_the_end(void **state)
{
	(void)state;
	assert_int_equal(bytes_find_char(BYTES_LIT("a?b?"), '?'), 1);
	assert_int_equal(bytes_find_char(BYTES_LIT("ab"), '?'), 2);
	assert_int_equal(bytes_find_char(BYTES_NONE, '?'), 0);
	assert_int_equal(bytes_find_str(BYTES_LIT("a\0bcbc"), "bc"), 2);
	assert_int_equal(bytes_find_str(BYTES_LIT("ab"), "abc"), 2);
	assert_int_equal(bytes_find_str(BYTES_NONE, "a"), 0);
}

static void
skipping_and_taking_stop_at_the_end(void **state)
{
	(void)state;
	assert_true(bytes_eq_str(bytes_skip(BYTES_LIT("abc"), 1), "bc"));
	assert_int_equal(bytes_skip(BYTES_LIT("abc"), 3).len, 0);
	assert_int_equal(bytes_skip(BYTES_LIT("abc"), SIZE_MAX).len, 0);
	assert_int_equal(bytes_skip(BYTES_NONE, 1).len, 0);
	assert_true(bytes_eq_str(bytes_first(BYTES_LIT("abc"), 2), "ab"));
	assert_true(bytes_eq_str(bytes_first(BYTES_LIT("abc"), 4), "abc"));
	assert_int_equal(bytes_first(BYTES_LIT("abc"), 0).len, 0);
}

static void
trimming_takes_spaces_and_tabs_alone(void **state)
{
	(void)state;
	assert_true(bytes_eq_str(bytes_trim(BYTES_LIT(" \ta b\t ")), "a b"));
	assert_true(bytes_eq_str(bytes_trim(BYTES_LIT("\na\r")), "\na\r"));
	assert_int_equal(bytes_trim(BYTES_LIT(" \t ")).len, 0);
	assert_int_equal(bytes_trim(BYTES_NONE).len, 0);
}

static void
cutting_gives_every_piece_once(void **state)
{
	static const char *const pieces[] = { "a", "", "b c" };
	struct bytes rest = BYTES_LIT("a,,b c");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
		assert_true(bytes_eq_str(bytes_cut(&rest, ','), pieces[i]));
	assert_int_equal(rest.len, 0);
	assert_int_equal(bytes_cut(&rest, ',').len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_means_length_and_every_byte),
		cmocka_unit_test(without_case_only_letters_are_the_same),
		cmocka_unit_test(prefixes_and_suffixes_are_found),
		cmocka_unit_test(order_is_by_unsigned_byte_and_then_by_length),
		cmocka_unit_test(what_is_not_found_is_at_the_end),
		cmocka_unit_test(skipping_and_taking_stop_at_the_end),
		cmocka_unit_test(trimming_takes_spaces_and_tabs_alone),
		cmocka_unit_test(cutting_gives_every_piece_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
