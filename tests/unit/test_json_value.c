/* SPDX-License-Identifier: MIT */
/*
 * test_json_value.c - what says something, and what is an error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "proxy/dialect/json_value.h"

static json_t *
read(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(value);
	return value;
}

static void
only_null_and_what_is_empty_say_nothing(void **state)
{
	static const struct {
		const char	*text;
		bool		 says;
	} rows[] = {
		{ "null", false }, { "\"\"", false }, { "[]", false }, { "{}", false },
		{ "0", true }, { "0.0", true }, { "false", true }, { "true", true },
		{ "\" \"", true }, { "[null]", true }, { "{\"a\":null}", true },
	};

	(void)state;
	assert_false(json_says_something(NULL));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *value = read(rows[i].text);

		if (json_says_something(value) != rows[i].says)
			fail_msg("%s", rows[i].text);
		json_decref(value);
	}
}

static void
an_error_is_one_that_is_truthy(void **state)
{
	static const struct {
		const char	*text;
		bool		 holds;
	} rows[] = {
		{ "{}", false }, { "{\"error\":null}", false }, { "{\"error\":false}", false },
		{ "{\"error\":0}", false }, { "{\"error\":0.0}", false },
		{ "{\"error\":\"\"}", false }, { "{\"errors\":[1]}", false },
		{ "[\"error\"]", false }, { "\"error\"", false },
		{ "{\"error\":\"x\"}", true }, { "{\"error\":{}}", true },
		{ "{\"error\":[]}", true }, { "{\"error\":1}", true }, { "{\"error\":true}", true },
		{ "{\"error\":{\"message\":\"x\"}}", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *value = read(rows[i].text);

		if (json_holds_error(value) != rows[i].holds)
			fail_msg("%s", rows[i].text);
		json_decref(value);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_null_and_what_is_empty_say_nothing),
		cmocka_unit_test(an_error_is_one_that_is_truthy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
