/* SPDX-License-Identifier: MIT */
/*
 * test_glob.c - the one pattern of the configuration.
 */
#include "base/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void
a_star_stands_for_any_run_and_the_rest_for_itself(void **state)
{
	static const struct {
		const char	*pattern;
		struct bytes	 text;
		bool		 matches;
	} rows[] = {
		{ "", BYTES_LIT(""), true },
		{ "", BYTES_LIT("a"), false },
		{ "*", BYTES_LIT(""), true },
		{ "*", BYTES_NONE, true },
		{ "*", BYTES_LIT("a/b\0c"), true },
		{ "t5-*", BYTES_LIT("t5-small"), true },
		{ "t5-*", BYTES_LIT("t5-"), true },
		{ "t5-*", BYTES_LIT("t5"), false },
		{ "t5-*", BYTES_LIT("T5-small"), false },
		{ "t5-*", BYTES_LIT("google/t5-small"), false },
		{ "*/t5-*", BYTES_LIT("google/t5-small"), true },
		{ "*-small", BYTES_LIT("t5-small-small"), true },
		{ "*-small", BYTES_LIT("t5-small-smaller"), false },
		{ "a*b*c", BYTES_LIT("aXbYbZc"), true },
		{ "a*b*c", BYTES_LIT("aXcYb"), false },
		{ "a**b", BYTES_LIT("ab"), true },
		{ "ab", BYTES_LIT("a"), false },
		{ "a", BYTES_LIT("ab"), false },
		{ "a", BYTES_LIT("a\0"), false },
		{ "*a", BYTES_LIT("*a"), true },
		{ "a?[b]", BYTES_LIT("a?[b]"), true },
		{ "a?", BYTES_LIT("ab"), false },
		{ "a\\*", BYTES_LIT("a\\b"), true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (glob_match(rows[i].pattern, rows[i].text) != rows[i].matches)
			fail_msg("%s on %.*s", rows[i].pattern, BYTES_ARG(rows[i].text));
}

/* Time exponential in the stars would not end here. */
static void
many_stars_come_to_an_end(void **state)
{
	char text[2000];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_false(glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b",
	    (struct bytes){ text, sizeof(text) }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_star_stands_for_any_run_and_the_rest_for_itself),
		cmocka_unit_test(many_stars_come_to_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
