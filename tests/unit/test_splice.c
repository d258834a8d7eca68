/* SPDX-License-Identifier: MIT */
/*
 * test_splice.c - what is changed is changed, and all else stays.
 */
#include "proxy/splice.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

#define ARENA_SIZE	((size_t)64 << 10)

static void
ranges_are_replaced(void **state)
{
	struct bytes whole = BYTES_LIT("abcdef"), text;
	struct edit edits[] = {
		{ bytes_first(whole, 1), BYTES_LIT("AA") },
		{ bytes_first(bytes_skip(whole, 2), 2), BYTES_NONE },
	};
	struct arena *arena = arena_new(ARENA_SIZE), *tiny = arena_new(4);

	(void)state;
	assert_int_equal(splice(whole, edits, 2, arena, &text), 0);
	assert_true(bytes_eq_str(text, "AAbef"));
	assert_int_equal(splice(whole, edits, 0, arena, &text), 0);
	assert_true(bytes_eq_str(text, "abcdef"));
	assert_int_equal(splice(whole, edits, 1, tiny, &text), -E2BIG);
	arena_free(arena);
	arena_free(tiny);
}

static void
a_member_goes_with_its_name_and_a_comma(void **state)
{
	static const struct {
		const char	*body, *value, *left;
	} rows[] = {
		{ "{\"cache\":{}}", "{}", "{}" },
		{ "{\"cache\":{},\"a\":1}", "{}", "{\"a\":1}" },
		{ "{\"a\":1,\"cache\":{}}", "{}", "{\"a\":1}" },
		{ "{\"a\":1 , \"cache\" : {} , \"b\":2}", "{}", "{\"a\":1 ,  \"b\":2}" },
		{ "{\"a\":1 , \"cache\" : {} }", "{}", "{\"a\":1 }" },
		{ "{\"a\":[1],\n\t\"c\\u0061che\":\n{}\n}", "{}", "{\"a\":[1]}" },
		{ "{ \"cache\": {\"x\":\"}\"} }", "{\"x\":\"}\"}", "{}" },
	};
	struct arena *arena = arena_new(ARENA_SIZE);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes body = bytes_str(rows[i].body), text;
		size_t at = bytes_find_str(bytes_skip(body, 2), rows[i].value) + 2;
		struct edit edit = { .text = BYTES_NONE };

		edit.range = splice_member(body,
		    bytes_first(bytes_skip(body, at), strlen(rows[i].value)));
		assert_int_equal(splice(body, &edit, 1, arena, &text), 0);
		if (!bytes_eq_str(text, rows[i].left))
			fail_msg("%s: %.*s", rows[i].body, BYTES_ARG(text));
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_replaced),
		cmocka_unit_test(a_member_goes_with_its_name_and_a_comma),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
