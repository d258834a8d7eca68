/* SPDX-License-Identifier: MIT */
/*
 * test_exact_json.c - what was read is written again, to the last digit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cache/canon.h"
#include "proxy/dialect/exact_json.h"

#define TEXT_MAX	((size_t)1 << 20)
#define N_DOCUMENTS	2000

/* Written as they are read. */
static const char *const kept[] = {
	"0", "-0", "-0.0", "1.0", "0.10", "1e2", "1E+2", "0.7", "1e400",
	"9313781139405380000", "-9223372036854775809", "-12", "123456789012345678",
	"1234567890123456789", "[-0,-0,-0]",
	"123456789012345678901234567890.123456789012345678901234567890e-1234567890",
	"[1.50,{\"a\":2.0,\"1.0\":-0,\"b\":[]}]", "\"\"", "\"1.0\"", "null",
	"[true,false,null]", "{}", "{\"b\":1,\"a\":2,\"c\":3}", "\"\\u0001\"",
	"\"\\u00011.0\"", "\"\\u0001\\u0001\"", "{\"\\u0001\":\"\\u0001a\"}",
	"\"a\\u0000b\"", "\"\\u0000\"", "\"\\u0001\\u0000\"", "\"\\\\u00011.0\"",
	"\"\\\"1.0\"", "\"\xc3\xa9\xf0\x9f\x98\x80\"",
};

static const char *const refused[] = {
	"", "01", "1.", ".5", "1e", "-", "+1.5", "1.5.5", "00.5", "-01.0", "1.0e+",
	"{1.5:2}", "{1.5 :2}", "{\"a\":1,\"a\":1.5}", "[1.5 2.5]", "[1.5\"a\"]", "[1.5",
	"\"a", "\"\\", "[1.5]x", "\"\\ud800\"", "\"\xff\"", "nul", "1.5a", "a1.5",
	"{\"a\\u0000b\":1}",
};

static const struct {
	const char	*text, *again;
} respelled[] = {
	{ " [ 1.0 ,\n2 ] ", "[1.0,2]" },
	{ "{\"\\u00012.5\" :2.5}", "{\"\\u00012.5\":2.5}" },
	{ "\"\\\"\\\\\\/\\n\"", "\"\\\"\\\\/\\u000a\"" },
	{ "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"" },
	{ "[\"\xe2\x80\xa8\xe2\x80\xa9\xc2\x85\xc2\x86\"]", "[\"\\u2028\\u2029\\u0085\\u0086\"]" },
	{ "{\"\xe2\x80\xa8\":1}", "{\"\\u2028\":1}" },
};

static void
check_again(const char *text, const char *again)
{
	json_t *value = NULL;
	struct buf out;

	buf_init(&out, TEXT_MAX);
	if (exact_json_load(bytes_str(text), &value) != 0)
		fail_msg("%s", text);
	assert_int_equal(exact_json_dump(value, &out), 0);
	if (!bytes_eq_str(buf_bytes(&out), again))
		fail_msg("%s: %.*s", text, BYTES_ARG(buf_bytes(&out)));
	buf_done(&out);
	json_decref(value);
}

static void
what_is_read_is_written_as_it_was(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		check_again(kept[i], kept[i]);
	for (size_t i = 0; i < ARRAY_LEN(respelled); i++)
		check_again(respelled[i].text, respelled[i].again);
}

static void
what_is_no_json_stays_none(void **state)
{
	json_t *value = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (exact_json_load(bytes_str(refused[i]), &value) != EXACT_JSON_E_BAD)
			fail_msg("%s", refused[i]);
	assert_null(value);
}

static void
strings_and_numbers_are_told_apart(void **state)
{
	static const struct {
		const char	*text, *says;
		bool		 is_string;
	} cases[] = {
		{ "\"a\"", "a", true }, { "\"\"", "", true }, { "1.5", "", false },
		{ "7", "", false }, { "\"\\u0001a\"", "\x01" "a", true },
		{ "\"\\u00011.5\"", "\x01" "1.5", true }, { "null", "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *value = NULL, *again;
		struct bytes text;

		assert_int_equal(exact_json_load(bytes_str(cases[i].text), &value), 0);
		assert_int_equal(exact_json_is_string(value), cases[i].is_string);
		text = exact_json_text(value);
		assert_true(bytes_eq_str(text, cases[i].says));
		if (cases[i].is_string) {
			again = exact_json_string(text);
			assert_true(json_equal(value, again));
			json_decref(again);
		}
		json_decref(value);
	}
	assert_false(exact_json_is_string(NULL));
}

static void
a_full_buffer_is_reported(void **state)
{
	json_t *value = NULL;

	(void)state;
	assert_int_equal(exact_json_load(BYTES_LIT("{\"a\":[1.5,\"b\",null]}"), &value), 0);
	for (size_t max = 0; max < strlen("{\"a\":[1.5,\"b\",null]}"); max++) {
		struct buf out;

		buf_init(&out, max);
		assert_true(exact_json_dump(value, &out) < 0);
		buf_done(&out);
	}
	json_decref(value);
}

/* A small generator of numbers that is the same everywhere. */
static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void
add(struct buf *out, const char *text)
{
	assert_int_equal(buf_add_str(out, text), 0);
}

static void
add_scalar(struct buf *out, uint32_t *seed)
{
	static const char *const scalars[] = {
		"null", "true", "false", "0", "-0", "1", "-1", "1.0", "0.1", "-0.0", "1e9", "1E-9",
		"18446744073709551616", "0.30000000000000004", "123456789012345678", "\"\"",
		"\"a\"", "\"\\u0001\"", "\"\\u00011.5\"", "\"\\u0000\"", "\"\xe2\x80\xa8\"",
		"\"\\\"\"", "\"\\ud83d\\ude00\"", "\"1.5\"", "\" : \"", "\"\\\\\"",
	};

	add(out, scalars[next_random(seed) % ARRAY_LEN(scalars)]);
}

static void
add_value(struct buf *out, uint32_t *seed, unsigned depth)
{
	bool is_object = next_random(seed) % 2 == 0;
	uint32_t n = next_random(seed) % 5;

	if (depth == 0 || next_random(seed) % 3 == 0) {
		add_scalar(out, seed);
		return;
	}
	add(out, is_object ? "{" : " [");
	for (uint32_t i = 0; i < n; i++) {
		add(out, i > 0 ? " , " : "");
		if (is_object)
			assert_int_equal(buf_addf(out, "\"%s%u\" : ",
			    i % 2 ? "" : "\\u0001", i), 0);
		add_value(out, seed, depth - 1);
	}
	add(out, is_object ? "}" : "]\n");
}

static void
any_document_keeps_its_value(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < N_DOCUMENTS; i++) {
		struct arena *arena = arena_new(TEXT_MAX);
		struct canon before, after;
		json_t *value = NULL;
		struct buf text, out;

		buf_init(&text, TEXT_MAX);
		buf_init(&out, TEXT_MAX);
		add_value(&text, &seed, 5);
		assert_int_equal(exact_json_load(buf_bytes(&text), &value), 0);
		assert_int_equal(exact_json_dump(value, &out), 0);
		assert_int_equal(canon_make(buf_bytes(&text), NULL, arena, &before), 0);
		assert_int_equal(canon_make(buf_bytes(&out), NULL, arena, &after), 0);
		assert_true(bytes_eq(before.text, after.text));
		json_decref(value);
		buf_done(&out);
		buf_done(&text);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_written_as_it_was),
		cmocka_unit_test(what_is_no_json_stays_none),
		cmocka_unit_test(strings_and_numbers_are_told_apart),
		cmocka_unit_test(a_full_buffer_is_reported),
		cmocka_unit_test(any_document_keeps_its_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
