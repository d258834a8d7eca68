/* SPDX-License-Identifier: MIT */
/*
 * test_brief.c - a brief and its text are one to a judge.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "proxy/dialect/brief.h"

#define TEN	"abcdefghij"
#define FIFTY	TEN TEN TEN TEN TEN
#define N_TIMES	20000

static const char *const texts[] = {
	"", "\"", "\"\"", "[]", "{}", "null", "nul", "1e400", "[1,2.5,-0]", "[\"a\",\"\"]",
	"[{\"translation_text\": \"" FIFTY FIFTY "\"}]",
	"{\"a\":\"" FIFTY "\",\"b\":\"" FIFTY "\",\"c\":\"\"}",
	"{\"" FIFTY "1\":1,\"" FIFTY "2\":2,\"error\":null}",
	"[\"" FIFTY "\\\"" FIFTY "\\\\\",\"" FIFTY "\\\\\\\"" FIFTY "\"]",
	"\"" FIFTY "\\u0041\\u0000" FIFTY "\\ud83d\\ude00" FIFTY "\"",
	"\"\\ud83d" FIFTY "\"", "\"\\ude00" FIFTY "\"", "\"" FIFTY "\\u00" FIFTY "\"",
	"\"\\x" FIFTY "\"", "\"" FIFTY "\n" FIFTY "\"",
	"\"" FIFTY "\xc3\xa9" FIFTY "\xf0\x9f\x98\x80" FIFTY "\"",
	"\"" FIFTY "\xc3" FIFTY "\"", "\"" FIFTY "\xed\xa0\x80\"", "\"" FIFTY "\x7f" FIFTY "\"",
	"\"" FIFTY "\" \"" FIFTY "\"", "[\"" FIFTY "\"]]", "{\"a\":\"" FIFTY "\"\"b\":1}",
};

static uint64_t
draw(void)
{
	static uint64_t state = 1;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static json_t *
load(struct bytes text)
{
	return json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL |
	    JSON_DECODE_INT_AS_REAL, NULL);
}

static void
check_string(const json_t *brief, const json_t *whole)
{
	size_t len = json_string_length(whole);

	if (len > BRIEF_LEN_MIN) {
		assert_in_range(json_string_length(brief), BRIEF_LEN_MIN, len);
		return;
	}
	assert_int_equal(json_string_length(brief), len);
	assert_memory_equal(json_string_value(brief), json_string_value(whole), len);
}

static void	check_same(const json_t *brief, const json_t *whole);

/* Members of long names may have become one. */
static void
check_object(const json_t *brief, json_t *whole)
{
	const char *name;
	json_t *value;

	assert_int_equal(json_object_size(brief) > 0, json_object_size(whole) > 0);
	json_object_foreach(whole, name, value)
		if (strlen(name) < BRIEF_LEN_MIN)
			check_same(json_object_get(brief, name), value);
}

static void
check_same(const json_t *brief, const json_t *whole)
{
	assert_non_null(brief);
	assert_int_equal(json_typeof(brief), json_typeof(whole));
	if (json_is_string(whole))
		check_string(brief, whole);
	else if (json_is_number(whole))
		assert_true(json_equal(brief, whole));
	else if (json_is_object(whole))
		check_object(brief, (json_t *)(uintptr_t)whole);
	else
		assert_int_equal(json_array_size(brief), json_array_size(whole));
	for (size_t i = 0; i < json_array_size(whole); i++)
		check_same(json_array_get(brief, i), json_array_get(whole, i));
}

/* Both are JSON and one to whoever judges, or neither is. */
static void
check(struct bytes text)
{
	json_t *brief, *whole = load(text);
	struct buf out;

	buf_init(&out, text.len);
	assert_int_equal(brief_make(text, &out), 0);
	assert_true(buf_len(&out) <= text.len);
	brief = load(buf_bytes(&out));
	if ((brief != NULL) != (whole != NULL))
		fail_msg("%.*s: %.*s", BYTES_ARG(text), BYTES_ARG(buf_bytes(&out)));
	if (whole != NULL)
		check_same(brief, whole);
	json_decref(brief);
	json_decref(whole);
	buf_done(&out);
}

static void
a_brief_is_json_if_its_text_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		for (size_t len = 0; len <= strlen(texts[i]); len++)
			check((struct bytes){ texts[i], len });
}

static void
whatever_byte_is_wrong(void **state)
{
	static const char odd[] = "\"\\{}[]:,u0a \x01\x1f\x7f\x80\xc3\xa9\xff";
	char text[1024];

	(void)state;
	for (size_t i = 0; i < N_TIMES; i++) {
		struct bytes b = bytes_str(texts[draw() % ARRAY_LEN(texts)]);

		memcpy(text, b.ptr, b.len);
		for (uint64_t n = draw() % 3; b.len > 0 && n > 0; n--)
			text[draw() % b.len] = odd[draw() % sizeof(odd)];
		check((struct bytes){ text, b.len });
	}
}

static void
prose_is_left_out(void **state)
{
	struct bytes text = BYTES_LIT("[{\"text\":\"" FIFTY "\\n" FIFTY "\"}]");
	struct buf out;

	(void)state;
	buf_init(&out, text.len);
	assert_int_equal(brief_make(text, &out), 0);
	assert_true(bytes_eq_str(buf_bytes(&out),
	    "[{\"text\":\"" TEN TEN TEN "abcdef\\n" TEN TEN TEN "abcdef\"}]"));
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_brief_is_json_if_its_text_is),
		cmocka_unit_test(whatever_byte_is_wrong),
		cmocka_unit_test(prose_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
