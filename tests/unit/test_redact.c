/* SPDX-License-Identifier: MIT */
/*
 * test_redact.c - which parts of a text are secrets.
 */
#include "proxy/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct bytes secrets[] = {
	BYTES_LIT("my secret"), BYTES_LIT("my secret token"), BYTES_LIT("short"), BYTES_LIT(""),
};

static void
secrets_go_and_all_else_stays(void **state)
{
	static const struct {
		const char	*text;
		const char	*rest;
	} rows[] = {
		{ "", "" }, { "nothing", "nothing" }, { "my secret", "[redacted]" },
		{ "a my secret token, my secretb", "a [redacted], [redacted]b" },
		{ "my secre", "my secre" }, { "short", "short" },
		{ "hf_12345678", "[redacted]" }, { "hf_1234567", "hf_1234567" },
		{ "{\"k\":\"sk-proj-aB_9aaaa\"}", "{\"k\":\"[redacted]\"}" },
		{ "Bearer rp-0123456789abcdef.", "Bearer [redacted]." },
		{ "xrp-0123456789", "xrp-0123456789" }, { "task-12345678", "task-12345678" },
		{ "risk-free-investments", "risk-free-investments" },
		{ "hf_12345678hf_12345678", "[redacted]" },
		{ "hf_12345678 hf_12345678", "[redacted] [redacted]" },
		{ "hf_", "hf_" }, { "sk-", "sk-" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out;

		buf_init(&out, 4096);
		assert_int_equal(redact(bytes_str(rows[i].text), secrets, ARRAY_LEN(secrets),
		    &out), 0);
		assert_true(bytes_eq_str(buf_bytes(&out), rows[i].rest));
		buf_done(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_go_and_all_else_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
