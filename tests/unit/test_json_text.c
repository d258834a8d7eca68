/* SPDX-License-Identifier: MIT */
/*
 * test_json_text.c - characters that do not stand for themselves, and what they become.
 */
#include "base/json_text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/err.h"

static void
plain_text_ends_before_what_is_escaped(void **state)
{
	const struct {
		struct bytes	text;
		size_t		len;
	} rows[] = {
		{ BYTES_LIT(""), 0 }, { BYTES_LIT("abc ~"), 5 }, { BYTES_LIT("ab\"c"), 2 },
		{ BYTES_LIT("\\"), 0 }, { BYTES_LIT("a\n"), 1 }, { BYTES_LIT("a\x7f"), 1 },
		{ BYTES_LIT("a\xc3\xa9"), 1 }, { BYTES_LIT("\0a"), 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(json_plain_len(rows[i].text), rows[i].len);
}

static void
each_character_is_written_once(void **state)
{
	const struct {
		struct bytes	text;
		size_t		used;
		const char	*written;
	} rows[] = {
		{ BYTES_LIT("\"x"), 1, "\\\"" }, { BYTES_LIT("\\"), 1, "\\\\" },
		{ BYTES_LIT("\n"), 1, "\\u000a" }, { BYTES_LIT("\0"), 1, "\\u0000" },
		{ BYTES_LIT("\x7f"), 1, "\\u007f" },
		{ BYTES_LIT("\xc3\xa9x"), 2, "\xc3\xa9" },
		{ BYTES_LIT("\xe2\x82\xac"), 3, "\xe2\x82\xac" },
		{ BYTES_LIT("\xf0\x9f\x98\x80"), 4, "\xf0\x9f\x98\x80" },
		{ BYTES_LIT("\xc2\x85"), 2, "\\u0085" },
		{ BYTES_LIT("\xe2\x80\xa8"), 3, "\\u2028" },
		{ BYTES_LIT("\xe2\x80\xa9"), 3, "\\u2029" },
		{ BYTES_LIT("\x80"), 1, "\xef\xbf\xbd" }, { BYTES_LIT("\xff"), 1, "\xef\xbf\xbd" },
		{ BYTES_LIT("\xc3"), 1, "\xef\xbf\xbd" }, { BYTES_LIT("\xc3x"), 1, "\xef\xbf\xbd" },
		{ BYTES_LIT("\xc0\x80"), 1, "\xef\xbf\xbd" },
		{ BYTES_LIT("\xed\xa0\x80"), 1, "\xef\xbf\xbd" },
		{ BYTES_LIT("\xf4\x90\x80\x80"), 1, "\xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char to[JSON_CHARACTER_MAX];
		size_t len;

		assert_int_equal(json_put_character(to, rows[i].text, &len), rows[i].used);
		assert_int_equal(len, bytes_str(rows[i].written).len);
		assert_memory_equal(to, rows[i].written, len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_ends_before_what_is_escaped),
		cmocka_unit_test(each_character_is_written_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
