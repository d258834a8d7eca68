/* SPDX-License-Identifier: MIT */
/*
 * test_multipart.c - the boundary does not count, everything else does.
 */
#include "proxy/dialect/multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

#define ARENA_SIZE	((size_t)64 << 10)
#define TYPE(b)		"multipart/form-data; boundary=" b
#define MODEL(b) \
	"--" b "\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n"
#define FILE_PART(b, name, data) \
	"--" b "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" name "\"\r\n" \
	"Content-Type: audio/wav\r\n\r\n" data "\r\n"
#define END(b)		"--" b "--\r\n"

static struct bytes
key_of(const char *type, struct bytes body, struct arena *arena)
{
	struct multipart *parts = arena_alloc(arena, sizeof(*parts));
	struct bytes text;

	if (multipart_read(bytes_str(type), body, parts) != 0)
		return BYTES_NONE;
	assert_int_equal(multipart_key(parts, arena, &text), 0);
	return text;
}

static void
the_boundary_does_not_count(void **state)
{
	struct arena *arena = arena_new(ARENA_SIZE);
	struct bytes a = key_of(TYPE("x1"), BYTES_LIT(MODEL("x1")
	    FILE_PART("x1", "a.wav", "RIFF\0\r\n") END("x1")), arena);
	struct bytes b = key_of(TYPE("\"y 2\""), BYTES_LIT(MODEL("y 2") FILE_PART("y 2", "b.wav",
	    "RIFF\0\r\n") "--y 2--"), arena);

	(void)state;
	assert_non_null(a.ptr);
	assert_true(bytes_eq(a, b));
	arena_free(arena);
}

static void
everything_else_does(void **state)
{
	static const struct bytes bodies[] = {
		BYTES_LIT(MODEL("x") FILE_PART("x", "a.wav", "RIFF") END("x")),
		BYTES_LIT(FILE_PART("x", "a.wav", "RIFF") MODEL("x") END("x")),
		BYTES_LIT(MODEL("x") FILE_PART("x", "a.mp3", "RIFF") END("x")),
		BYTES_LIT(MODEL("x") FILE_PART("x", "a.wav", "RIFE") END("x")),
		BYTES_LIT(MODEL("x") FILE_PART("x", "a.wav", "") END("x")),
		BYTES_LIT(MODEL("x") END("x")),
	};
	struct arena *arena = arena_new(ARENA_SIZE);
	struct bytes keys[ARRAY_LEN(bodies)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		keys[i] = key_of(TYPE("x"), bodies[i], arena);
		assert_non_null(keys[i].ptr);
		for (size_t k = 0; k < i; k++)
			if (bytes_eq(keys[k], keys[i]))
				fail_msg("%zu and %zu", k, i);
	}
	arena_free(arena);
}

static void
parts_are_found_by_name(void **state)
{
	struct bytes body = BYTES_LIT(MODEL("x") FILE_PART("x", "a.wav", "RIFF") END("x"));
	struct multipart m;

	(void)state;
	assert_int_equal(multipart_read(bytes_str(TYPE("x")), body, &m), 0);
	assert_int_equal(m.n, 2);
	assert_true(bytes_eq_str(multipart_get(&m, "model"), "whisper"));
	assert_true(bytes_eq_str(multipart_get(&m, "file"), "RIFF"));
	assert_true(bytes_eq_str(m.parts[1].filename, "a.wav"));
	assert_null(multipart_get(&m, "seed").ptr);
}

static void
what_is_none_is_refused(void **state)
{
	static const struct {
		const char	*type;
		struct bytes	 body;
	} rows[] = {
		{ "application/json", BYTES_LIT(MODEL("x") END("x")) },
		{ "multipart/form-data", BYTES_LIT(MODEL("x") END("x")) },
		{ TYPE(""), BYTES_LIT(MODEL("x") END("x")) },
		{ TYPE("x"), BYTES_LIT("") },
		{ TYPE("x"), BYTES_LIT("--x") },
		{ TYPE("x"), BYTES_LIT(MODEL("x")) },
		{ TYPE("x"), BYTES_LIT(MODEL("y") END("y")) },
		{ TYPE("x"), BYTES_LIT("preamble\r\n" MODEL("x") END("x")) },
		{ TYPE("x"), BYTES_LIT(MODEL("x") END("x") "more") },
		{ TYPE("x"), BYTES_LIT("--x\r\nno head\r\n--x--\r\n") },
		{ TYPE("x"), BYTES_LIT("--x\r\nContent-Type: a/b\r\n\r\nno name\r\n--x--\r\n") },
	};
	struct multipart m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (multipart_read(bytes_str(rows[i].type), rows[i].body, &m) != MULTIPART_E_BAD)
			fail_msg("row %zu", i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_boundary_does_not_count),
		cmocka_unit_test(everything_else_does),
		cmocka_unit_test(parts_are_found_by_name),
		cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
