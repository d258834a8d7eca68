/* SPDX-License-Identifier: MIT */
/*
 * test_diff.c - where two texts differ is said, and only there.
 */
#include "proxy/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void
add(void *arg, enum diff diff, const char *path)
{
	static const char signs[] = {
		[DIFF_ONLY_A] = '-', [DIFF_ONLY_B] = '+', [DIFF_OTHER] = '!',
	};
	char *said = arg;

	snprintf(said + strlen(said), 256 - strlen(said), "%c%s ", signs[diff], path);
}

static void
differences_are_said_by_their_place(void **state)
{
	static const struct {
		const char	*a, *b, *said;
		int		 n;
	} rows[] = {
		{ "{}", "{}", "", 0 },
		{ "{\"a\":1,\"b\":[1,2]}", "{\"b\":[1,2],\"a\":1}", "", 0 },
		{ "{\"a\":1}", "{}", "-/a ", 1 },
		{ "{}", "{\"a\":{\"b\":1}}", "+/a ", 1 },
		{ "{\"a\":[1,{\"b\":2},3]}", "{\"a\":[1,{\"b\":5}]}", "!/a/1/b -/a/2 ", 2 },
		{ "1", "1.0", "! ", 1 },
		{ "{\"n\":18446744073709551616}", "{\"n\":18446744073709551616}", "", 0 },
		{ "[1]", "{\"0\":1}", "! ", 1 },
		{ "{", "{}", "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char said[256] = "";
		int n = diff_json(bytes_str(rows[i].a), bytes_str(rows[i].b), 10, add, said);

		if (n != rows[i].n || strcmp(said, rows[i].said) != 0)
			fail_msg("row %zu: %d %s", i, n, said);
	}
}

static void
at_most_so_many_are_said(void **state)
{
	char said[256] = "";

	(void)state;
	assert_int_equal(diff_json(BYTES_LIT("[1,2,3]"), BYTES_LIT("[4,5,6]"), 2, add, said), 3);
	assert_string_equal(said, "!/0 !/1 ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences_are_said_by_their_place),
		cmocka_unit_test(at_most_so_many_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
