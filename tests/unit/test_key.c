/* SPDX-License-Identifier: MIT */
/*
 * test_key.c - questions that differ have other bytes and other keys.
 */
#include "cache/key.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const unsigned char secret[KEY_SECRET_LEN] = {
	3, 141, 59, 26, 53, 58, 97, 93, 238, 46, 26, 43, 38, 32, 79, 50, 28, 84, 197, 169,
};

static struct bytes
question_of(const struct key_parts *parts, struct arena *arena)
{
	struct bytes question;

	assert_int_equal(key_question(parts, arena, &question), 0);
	return question;
}

static void
a_question_is_its_parts_with_their_lengths(void **state)
{
	static const char want[] =
	    "\1\1"
	    "\0\0\0\0" ""
	    "\6\0\0\0" "openai"
	    "\4\0\0\0" "chat"
	    "\5\0\0\0" "gpt-4"
	    "\0\0\0\0" ""
	    "\2\0\0\0" "{}";
	const struct key_parts parts = {
		.dialect = BYTES_LIT("openai"),
		.path_class = BYTES_LIT("chat"),
		.model = BYTES_LIT("gpt-4"),
		.form = KEY_JSON,
		.body = BYTES_LIT("{}"),
	};
	struct arena *arena = arena_new(4096);

	(void)state;
	assert_true(bytes_eq(question_of(&parts, arena), BYTES_LIT(want)));
	arena_free(arena);
}

static void
every_part_and_every_border_counts(void **state)
{
	const struct key_parts rows[] = {
		{ .body = BYTES_LIT("ab") },
		{ .body = BYTES_LIT("ab"), .form = KEY_JSON },
		{ .body = BYTES_LIT("b"), .fields = BYTES_LIT("a") },
		{ .body = BYTES_LIT("b"), .model = BYTES_LIT("a") },
		{ .body = BYTES_LIT("b"), .path_class = BYTES_LIT("a") },
		{ .body = BYTES_LIT("b"), .dialect = BYTES_LIT("a") },
		{ .body = BYTES_LIT("b"), .scope = BYTES_LIT("a") },
		{ .fields = BYTES_LIT("ab") },
		{ .model = BYTES_LIT("a"), .fields = BYTES_LIT("b") },
		{ 0 },
		{ .scope = BYTES_LIT("\0") },
	};
	struct key keys[ARRAY_LEN(rows)];
	struct arena *arena = arena_new(1 << 16);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		keys[i] = key_make(question_of(&rows[i], arena), secret);
		for (size_t n = 0; n < i; n++)
			assert_memory_not_equal(keys[n].bytes, keys[i].bytes,
			    sizeof(keys[i].bytes));
	}
	arena_free(arena);
}

static void
a_key_is_the_same_each_time_and_other_under_another_secret(void **state)
{
	const struct bytes question = BYTES_LIT("what is the capital of France?");
	unsigned char other[KEY_SECRET_LEN];
	struct key key = key_make(question, secret), again, changed;

	(void)state;
	again = key_make(question, secret);
	assert_memory_equal(key.bytes, again.bytes, sizeof(key.bytes));
	memcpy(other, secret, sizeof(other));
	for (size_t i = 0; i < sizeof(other); i++)
		other[i] ^= 0x55;
	changed = key_make(question, other);
	assert_memory_not_equal(key.bytes, changed.bytes, sizeof(key.bytes));
}

/* A store is read again by later versions: its keys may not move. */
static void
a_known_key_stays_what_it_was(void **state)
{
	static const struct key_parts parts = {
		.dialect = BYTES_LIT("raw"),
		.body = BYTES_LIT("a body"),
	};
	struct arena *arena = arena_new(4096);
	struct key key = key_make(question_of(&parts, arena), secret);
	char text[33];

	(void)state;
	key_format(&key, text);
	assert_string_equal(text, "f7b77568c225abd1f02a630f473dc602");
	arena_free(arena);
}

static void
a_key_is_formatted_as_hexadecimal(void **state)
{
	const struct key key = { { 0, 1, 0x23, 0xab, 0xff, [15] = 0x7f } };
	char text[33];

	(void)state;
	key_format(&key, text);
	assert_string_equal(text, "000123abff000000000000000000007f");
}

static void
a_full_arena_is_told(void **state)
{
	const struct key_parts parts = { .body = BYTES_LIT("0123456789012345678901234567890") };
	struct arena *arena = arena_new(32);
	struct bytes question;

	(void)state;
	assert_int_equal(key_question(&parts, arena, &question), -E2BIG);
	arena_free(arena);
}

static void
a_question_is_read_as_it_was_made(void **state)
{
	struct key_parts parts = {
		.scope = BYTES_LIT("team:a"), .dialect = BYTES_LIT("openai"),
		.path_class = BYTES_LIT("chat ?"), .model = BYTES_LIT("m"),
		.form = KEY_PARTS, .body = BYTES_LIT("{\0}"),
	}, read;
	struct arena *arena = arena_new(1 << 16);
	struct bytes question;

	(void)state;
	assert_int_equal(key_question(&parts, arena, &question), 0);
	assert_true(key_read_question(question, &read));
	assert_true(bytes_eq(read.scope, parts.scope) && bytes_eq(read.dialect, parts.dialect));
	assert_true(bytes_eq(read.path_class, parts.path_class));
	assert_true(bytes_eq(read.model, parts.model) && bytes_eq(read.body, parts.body));
	assert_int_equal(read.fields.len, 0);
	assert_int_equal(read.form, KEY_PARTS);
	for (size_t len = 0; len < question.len; len++)
		assert_false(key_read_question(bytes_first(question, len), &read));
	arena_free(arena);
}

static void
a_key_is_read_as_it_was_formatted(void **state)
{
	struct key key = { { 0, 1, 0xab, [15] = 0xff } }, read;
	char text[33];

	(void)state;
	key_format(&key, text);
	assert_true(key_parse(bytes_str(text), &read));
	assert_memory_equal(&key, &read, sizeof(key));
	assert_false(key_parse(bytes_str(text + 1), &read));
	text[3] = 'x';
	assert_false(key_parse(bytes_str(text), &read));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_its_parts_with_their_lengths),
		cmocka_unit_test(every_part_and_every_border_counts),
		cmocka_unit_test(a_key_is_the_same_each_time_and_other_under_another_secret),
		cmocka_unit_test(a_known_key_stays_what_it_was),
		cmocka_unit_test(a_key_is_formatted_as_hexadecimal),
		cmocka_unit_test(a_full_arena_is_told),
		cmocka_unit_test(a_question_is_read_as_it_was_made),
		cmocka_unit_test(a_key_is_read_as_it_was_formatted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
