/* SPDX-License-Identifier: MIT */
/*
 * test_error_body.c - errors in the shapes of PROTOCOLS.md 15.
 */
#include "proxy/http/error_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
each_api_gets_its_own_shape(void **state)
{
	static const struct {
		enum error_shape	 shape;
		int			 status;
		const char		*body;
	} rows[] = {
		{ ERROR_SHAPE_HF, 502, "{\"error\":\"a \\\"b\\\"\",\"error_type\":\"code\"}\n" },
		{ ERROR_SHAPE_OPENAI, 404, "{\"error\":{\"message\":\"a \\\"b\\\"\","
		    "\"type\":\"not_found_error\",\"param\":null,\"code\":\"code\"}}\n" },
		{ ERROR_SHAPE_OPENAI, 400, "{\"error\":{\"message\":\"a \\\"b\\\"\","
		    "\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"code\"}}\n" },
		{ ERROR_SHAPE_ANTHROPIC, 413, "{\"type\":\"error\",\"error\":{\"type\":"
		    "\"request_too_large\",\"message\":\"a \\\"b\\\"\"}}\n" },
		{ ERROR_SHAPE_OLLAMA, 502, "{\"error\":\"a \\\"b\\\"\"}\n" },
	};
	struct buf out;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_init(&out, 1024);
		assert_int_equal(error_body(&out, rows[i].shape, rows[i].status, "code",
		    BYTES_LIT("a \"b\"")), 0);
		assert_true(bytes_eq_str(buf_bytes(&out), rows[i].body));
		buf_done(&out);
	}
}

static void
a_type_is_one_that_the_clients_of_its_api_know(void **state)
{
	static const struct {
		int		 status;
		const char	*openai;
		const char	*anthropic;
	} rows[] = {
		{ 400, "invalid_request_error", "invalid_request_error" },
		{ 401, "authentication_error", "authentication_error" },
		{ 403, "permission_error", "permission_error" },
		{ 404, "not_found_error", "not_found_error" },
		{ 408, "invalid_request_error", "timeout_error" },
		{ 413, "invalid_request_error", "request_too_large" },
		{ 429, "rate_limit_error", "rate_limit_error" },
		{ 431, "invalid_request_error", "invalid_request_error" },
		{ 502, "server_error", "api_error" },
		{ 503, "server_error", "overloaded_error" },
		{ 504, "server_error", "timeout_error" },
	};
	struct buf out;
	char want[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
		bool is_openai = i % 2 == 0;

		snprintf(want, sizeof(want), "\"type\":\"%s\"",
		    is_openai ? rows[i / 2].openai : rows[i / 2].anthropic);
		buf_init(&out, 1024);
		assert_int_equal(error_body(&out, is_openai ? ERROR_SHAPE_OPENAI :
		    ERROR_SHAPE_ANTHROPIC, rows[i / 2].status, "code", BYTES_LIT("a")), 0);
		if (bytes_find_str(buf_bytes(&out), want) == buf_len(&out))
			fail_msg("%s not in %.*s", want, BYTES_ARG(buf_bytes(&out)));
		buf_done(&out);
	}
}

static void
a_body_that_does_not_fit_is_reported(void **state)
{
	struct buf out;

	(void)state;
	for (int shape = ERROR_SHAPE_HF; shape <= ERROR_SHAPE_OLLAMA; shape++) {
		buf_init(&out, 12);
		assert_true(error_body(&out, (enum error_shape)shape, 400, "code",
		    BYTES_LIT("message")) < 0);
		buf_done(&out);
	}
}

static void
strings_survive_any_bytes(void **state)
{
	static const struct {
		struct bytes	 text;
		const char	*json;
	} rows[] = {
		{ BYTES_LIT(""), "\"\"" },
		{ BYTES_LIT("a\\\n\0"), "\"a\\\\\\u000a\\u0000\"" },
		{ BYTES_LIT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
		    "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ BYTES_LIT("\xe2\x80\xa8\xe2\x80\xa9\xc2\x85"), "\"\\u2028\\u2029\\u0085\"" },
		{ BYTES_LIT("\xff" "a\xc3"), "\"\xef\xbf\xbd" "a\xef\xbf\xbd\"" },
		{ BYTES_LIT("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ BYTES_LIT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ BYTES_LIT("\xe0\x80\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ BYTES_LIT("\xf4\x90\x80\x80"),
		    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	};
	struct buf out;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_init(&out, 1024);
		assert_int_equal(json_add_string(&out, rows[i].text), 0);
		assert_true(bytes_eq_str(buf_bytes(&out), rows[i].json));
		buf_done(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_api_gets_its_own_shape),
		cmocka_unit_test(a_type_is_one_that_the_clients_of_its_api_know),
		cmocka_unit_test(a_body_that_does_not_fit_is_reported),
		cmocka_unit_test(strings_survive_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
