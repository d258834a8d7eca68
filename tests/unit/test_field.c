/* SPDX-License-Identifier: MIT */
/*
 * test_field.c - lists of header fields.
 */
#include "proxy/http/field.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ARENA_SIZE	(1 << 16)

struct row {
	const char	*name;
	const char	*value;
};

static struct fields
fields_of(struct arena *arena, const struct row *rows)
{
	struct fields fields = { 0 };

	for (; rows->name != NULL; rows++)
		assert_int_equal(fields_add(&fields, arena, bytes_str(rows->name),
		    bytes_str(rows->value)), 0);
	return fields;
}

static void
a_name_is_found_in_any_case_and_its_first_value_given(void **state)
{
	static const struct row rows[] = { { "Accept", "a" }, { "ACCEPT", "b" }, { NULL, NULL } };
	struct arena *arena = arena_new(ARENA_SIZE);
	struct fields fields = fields_of(arena, rows);

	(void)state;
	assert_true(bytes_eq_str(fields_get(&fields, "accept"), "a"));
	assert_int_equal(fields_count(&fields, "aCCept"), 2);
	assert_null(fields_get(&fields, "host").ptr);
	arena_free(arena);
}

static void
more_fields_than_fit_are_refused(void **state)
{
	struct arena *arena = arena_new(ARENA_SIZE);
	struct fields fields = { 0 };

	(void)state;
	for (size_t i = 0; i < FIELDS_MAX; i++)
		assert_int_equal(fields_add(&fields, arena, BYTES_LIT("a"), BYTES_LIT("b")), 0);
	assert_int_equal(fields_add(&fields, arena, BYTES_LIT("a"), BYTES_LIT("b")), -E2BIG);
	assert_int_equal(fields.n, FIELDS_MAX);
	arena_free(arena);
}

static void
tokens_are_found_in_lists_over_several_fields(void **state)
{
	static const struct row rows[] = {
		{ "Connection", "keep-alive, X-Foo ;q=1" }, { "connection", ",Close" },
		{ NULL, NULL },
	};
	struct arena *arena = arena_new(ARENA_SIZE);
	struct fields fields = fields_of(arena, rows);

	(void)state;
	assert_true(fields_has_token(&fields, "connection", "close"));
	assert_true(fields_has_token(&fields, "connection", "x-foo"));
	assert_false(fields_has_token(&fields, "connection", "x-fo"));
	assert_false(fields_has_token(&fields, "connection", "q=1"));
	arena_free(arena);
}

static void
hop_by_hop_fields_are_those_listed_and_those_connection_names(void **state)
{
	static const struct row rows[] = { { "Connection", "X-Foo" }, { NULL, NULL } };
	struct arena *arena = arena_new(ARENA_SIZE);
	struct fields fields = fields_of(arena, rows);

	(void)state;
	assert_true(field_is_hop_by_hop(&fields, BYTES_LIT("x-foo")));
	assert_true(field_is_hop_by_hop(&fields, BYTES_LIT("Transfer-Encoding")));
	assert_true(field_is_hop_by_hop(&fields, BYTES_LIT("TE")));
	assert_false(field_is_hop_by_hop(&fields, BYTES_LIT("Content-Type")));
	arena_free(arena);
}

static void
names_are_tokens_and_values_hold_no_control_bytes(void **state)
{
	static const struct {
		struct bytes	name;
		bool		is_valid;
	} names[] = {
		{ BYTES_LIT("x-a_b.c"), true }, { BYTES_LIT(""), false },
		{ BYTES_LIT("a b"), false }, { BYTES_LIT("a:"), false },
		{ BYTES_LIT("\xc3\xa4"), false }, { BYTES_LIT("a\0b"), false },
	}, values[] = {
		{ BYTES_LIT(""), true }, { BYTES_LIT("a\tb c"), true },
		{ BYTES_LIT("\xc3\xa4"), true },
		{ BYTES_LIT("a\rb"), false }, { BYTES_LIT("a\nb"), false },
		{ BYTES_LIT("a\0b"), false }, { BYTES_LIT("\x7f"), false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(field_name_is_valid(names[i].name), names[i].is_valid);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		assert_int_equal(field_value_is_valid(values[i].name), values[i].is_valid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_found_in_any_case_and_its_first_value_given),
		cmocka_unit_test(more_fields_than_fit_are_refused),
		cmocka_unit_test(tokens_are_found_in_lists_over_several_fields),
		cmocka_unit_test(hop_by_hop_fields_are_those_listed_and_those_connection_names),
		cmocka_unit_test(names_are_tokens_and_values_hold_no_control_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
