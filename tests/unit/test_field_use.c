/* SPDX-License-Identifier: MIT */
/*
 * test_field_use.c - what becomes of header fields (H-26): every one that goes
 * upstream is either known to be without effect or part of the key.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/dialect/dialect.h"

#define ARENA_SIZE	((size_t)1 << 16)

static void
fields_are_sorted_by_a_table_in_any_case(void **state)
{
	static const struct {
		const char	*name;
		enum field_use	 use;
	} rows[] = {
		{ "Accept", FIELD_KEYED }, { "anthropic-version", FIELD_KEYED },
		{ "ANTHROPIC-BETA", FIELD_KEYED }, { "lora", FIELD_KEYED },
		{ "traceparent", FIELD_TRACE }, { "X-Wait-For-Model", FIELD_NEUTRAL },
		{ "TraceState", FIELD_TRACE },
		{ "Authorization", FIELD_CREDENTIAL }, { "x-api-key", FIELD_CREDENTIAL },
		{ "Cookie", FIELD_CREDENTIAL }, { "OpenAI-Organization", FIELD_CREDENTIAL },
		{ "x-goog-api-key", FIELD_CREDENTIAL }, { "openai-beta", FIELD_KEYED },
		{ "User-Agent", FIELD_DROPPED }, { "X-Stainless-Retry-Count", FIELD_DROPPED },
		{ "X-Amzn-Trace-Id", FIELD_DROPPED }, { "Accept-Encoding", FIELD_DROPPED },
		{ "x-base-url", FIELD_DROPPED }, { "Host", FIELD_DROPPED },
		{ "Content-Length", FIELD_DROPPED }, { "X-Forwarded-For", FIELD_DROPPED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(field_use(bytes_str(rows[i].name)), rows[i].use);
}

static void
the_key_has_the_fields_that_count(void **state)
{
	static const struct {
		const char	*name, *value;
		bool		 is_canonical;
		const char	*key;
	} rows[] = {
		{ "Accept", "application/json", true, "" },
		{ "Accept", "image/png", true, "accept: image/png\n" },
		{ "Accept", "text/plain, Audio/wav", true, "accept: text/plain, Audio/wav\n" },
		{ "Content-Type", "application/json", true, "" },
		{ "Content-Type", "audio/x-raw;rate=16000", false,
		    "content-type: audio/x-raw;rate=16000\n" },
		{ "Content-Type", "multipart/form-data; boundary=a", false,
		    "content-type: multipart/form-data\n" },
		{ "Anthropic-Version", "2023-06-01", true, "anthropic-version: 2023-06-01\n" },
		{ "traceparent", "00-1", true, "" }, { "tracestate", "a=1", false, "" },
		{ "Authorization", "Bearer x", true, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *arena = arena_new(ARENA_SIZE);
		struct request_head head = { 0 };
		struct call call = { .form = rows[i].is_canonical ? KEY_JSON : KEY_RAW };
		struct bytes key;

		assert_int_equal(fields_add(&head.fields, arena, bytes_str(rows[i].name),
		    bytes_str(rows[i].value)), 0);
		assert_int_equal(field_key(&head, &call, arena, &key), 0);
		assert_true(bytes_eq_str(key, rows[i].key));
		arena_free(arena);
	}
}

static void
several_fields_stand_in_the_order_of_the_table(void **state)
{
	struct arena *arena = arena_new(ARENA_SIZE);
	struct arena *full = arena_new(0);
	struct request_head head = { 0 };
	const struct call call = { .form = KEY_JSON };
	struct bytes key;

	(void)state;
	assert_int_equal(fields_add(&head.fields, arena, BYTES_LIT("lora"), BYTES_LIT("l")), 0);
	assert_int_equal(fields_add(&head.fields, arena, BYTES_LIT("anthropic-beta"),
	    BYTES_LIT("a")), 0);
	assert_int_equal(fields_add(&head.fields, arena, BYTES_LIT("Anthropic-Beta"),
	    BYTES_LIT("b")), 0);
	assert_int_equal(field_key(&head, &call, arena, &key), 0);
	assert_true(bytes_eq_str(key, "anthropic-beta: a\nanthropic-beta: b\nlora: l\n"));
	assert_int_equal(field_key(&head, &call, full, &key), -E2BIG);
	arena_free(full);
	arena_free(arena);
}

static void
an_answer_replays_what_is_about_it(void **state)
{
	const struct fields none = { 0 };

	(void)state;
	assert_true(field_is_replayed(&none, BYTES_LIT("Content-Type")));
	assert_true(field_is_replayed(&none, BYTES_LIT("x-compute-characters")));
	assert_false(field_is_replayed(&none, BYTES_LIT("Set-Cookie")));
	assert_false(field_is_replayed(&none, BYTES_LIT("x-ratelimit-remaining-requests")));
	assert_false(field_is_replayed(&none, BYTES_LIT("x-compute-time")));
	assert_false(field_is_replayed(&none, BYTES_LIT("openai-model")));
	assert_false(field_is_replayed(&none, BYTES_LIT("Connection")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_sorted_by_a_table_in_any_case),
		cmocka_unit_test(the_key_has_the_fields_that_count),
		cmocka_unit_test(several_fields_stand_in_the_order_of_the_table),
		cmocka_unit_test(an_answer_replays_what_is_about_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
