/* SPDX-License-Identifier: MIT */
/*
 * test_line.c - what stands in a line, and that nothing breaks it.
 */
#include "base/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static const char *
text_of(struct line *line)
{
	line_add(line, (struct bytes){ "", 1 });
	return line->mem;
}

static void
numbers_and_times_are_decimal(void **state)
{
	struct line line;

	(void)state;
	line_init(&line);
	line_add_u64(&line, 0);
	line_add_str(&line, " ");
	line_add_u64(&line, UINT64_MAX);
	line_add_str(&line, " ");
	line_add_ms(&line, 0);
	line_add_str(&line, " ");
	line_add_ms(&line, 12045);
	line_add_str(&line, " ");
	line_add_ms(&line, -3);
	line_add_str(&line, " ");
	line_add_hex64(&line, 0xc0ffee);
	assert_string_equal(text_of(&line),
	    "0 18446744073709551615 0.000 12.045 0.000 0000000000c0ffee");
}

static void
a_json_string_holds_whatever_came(void **state)
{
	static const struct {
		struct bytes	 text;
		const char	*json;
	} rows[] = {
		{ BYTES_LIT(""), "\"\"" },
		{ BYTES_LIT("plain / text"), "\"plain / text\"" },
		{ BYTES_LIT("a\"b\\c"), "\"a\\\"b\\\\c\"" },
		{ BYTES_LIT("a\n\x1b\x7f\0z"), "\"a\\u000a\\u001b\\u007f\\u0000z\"" },
		{ BYTES_LIT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
		    "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ BYTES_LIT("\xc2\x85\xe2\x80\xa8\xe2\x80\xa9"),
		    "\"\\u0085\\u2028\\u2029\"" },
		{ BYTES_LIT("\xc2\xa0\xe2\x80\xaa"), "\"\xc2\xa0\xe2\x80\xaa\"" },
		/* A lone continuation, a sequence cut short, a surrogate, too long a form. */
		{ BYTES_LIT("a\x80z"), "\"a\xef\xbf\xbdz\"" },
		{ BYTES_LIT("\xc3"), "\"\xef\xbf\xbd\"" },
		{ BYTES_LIT("\xc3\xa4\x80"), "\"\xc3\xa4\xef\xbf\xbd\"" },
		{ BYTES_LIT("\xed\xa0\x80"),
		    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ BYTES_LIT("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct line line;

		line_init(&line);
		line_add_json(&line, rows[i].text, LINE_VALUE_MAX);
		assert_string_equal(text_of(&line), rows[i].json);
	}
}

static void
a_json_string_that_is_cut_is_still_one(void **state)
{
	static const struct {
		const char	*text;
		size_t		 max;
		const char	*json;
	} rows[] = {
		{ "abcdef", 8, "\"abcdef\"" }, { "abcdef", 7, "\"abcde\"" }, { "abc", 2, "\"\"" },
		{ "abc", 1, "" }, { "a\"b", 5, "\"a\\\"\"" }, { "a\"b", 4, "\"a\"" },
		{ "a\xc3\xa4", 5, "\"a\xc3\xa4\"" }, { "a\xc3\xa4", 4, "\"a\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct line line;

		line_init(&line);
		line_add_json(&line, bytes_str(rows[i].text), rows[i].max);
		assert_string_equal(text_of(&line), rows[i].json);
	}
}

static void
a_word_is_bare_unless_it_could_be_two(void **state)
{
	static const struct {
		const char	*text;
		const char	*word;
	} rows[] = {
		{ "t5-base", "t5-base" }, { "a=b", "a=b" }, { "", "\"\"" },
		{ "a status=200", "\"a status=200\"" }, { "a\nb", "\"a\\u000ab\"" },
		{ "\"", "\"\\\"\"" }, { "\xc3\xa4", "\"\xc3\xa4\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct line line;

		line_init(&line);
		line_add_word(&line, bytes_str(rows[i].text), LINE_VALUE_MAX);
		assert_string_equal(text_of(&line), rows[i].word);
	}
}

static void
what_does_not_fit_is_cut_off(void **state)
{
	char text[LINE_MEM_SIZE + 100];
	struct line line;

	(void)state;
	memset(text, 'x', sizeof(text));
	line_init(&line);
	line_add(&line, (struct bytes){ text, LINE_MEM_SIZE - 3 });
	line_add_u64(&line, 12345);
	assert_int_equal(line_bytes(&line).len, LINE_MEM_SIZE);
	assert_memory_equal(line.mem + LINE_MEM_SIZE - 3, "123", 3);
	line_add_json(&line, BYTES_LIT("x"), LINE_VALUE_MAX);
	line_add_ms(&line, 1);
	assert_int_equal(line_bytes(&line).len, LINE_MEM_SIZE);
	line_init(&line);
	line_add_json(&line, (struct bytes){ text, sizeof(text) }, SIZE_MAX);
	assert_int_equal(line_bytes(&line).len, LINE_MEM_SIZE);
	assert_int_equal(line.mem[LINE_MEM_SIZE - 1], '"');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_times_are_decimal),
		cmocka_unit_test(a_json_string_holds_whatever_came),
		cmocka_unit_test(a_json_string_that_is_cut_is_still_one),
		cmocka_unit_test(a_word_is_bare_unless_it_could_be_two),
		cmocka_unit_test(what_does_not_fit_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
