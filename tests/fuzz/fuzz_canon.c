/* SPDX-License-Identifier: MIT */
/*
 * fuzz_canon.c - any bytes as a body, with jansson as the judge: what it takes
 * we take, the canonical form says the same to it, and is its own.
 */
#include "cache/canon.h"

#include <string.h>

#include <jansson.h>

#define ARENA_MAX	((size_t)64 << 20)
#define JANSSON_FLAGS	(JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL)

static const char *const neutral[] = { "/stream", "/a/*/b", "/m", NULL };
static const char *const real[] = { "/t", "/a/*", "", NULL };
static const char *const watched[] = { "/model", "/m", "/a/0", "", "/*/*", NULL };
static const struct canon_rules rules = { neutral, real, watched };

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What jansson refuses and we take. */
static bool
is_too_much_for_jansson(const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
	    strstr(error->text, "invalid Unicode") != NULL;
}

/* Body that we refuse and jansson takes: an end at a NUL, an exponent past ours. */
static bool
is_too_much_for_us(struct bytes body)
{
	size_t n_digits = 0;

	for (size_t i = 0; i < body.len; i++) {
		n_digits = body.ptr[i] >= '0' && body.ptr[i] <= '9' ? n_digits + 1 : 0;
		if (body.ptr[i] == '\0' || n_digits > 16)
			return true;
	}
	return false;
}

static void
check_against_jansson(struct bytes body, int r, struct bytes text)
{
	json_error_t error;
	json_t *value = json_loadb(body.ptr, body.len, JANSSON_FLAGS, &error), *again;

	if (value == NULL) {
		assert(r != 0 || is_too_much_for_jansson(&error));
		return;
	}
	if (r == 0) {
		again = json_loadb(text.ptr, text.len, JANSSON_FLAGS, &error);
		assert(again != NULL && json_equal(value, again));
		json_decref(again);
	} else {
		assert(r == CANON_E_TOO_DEEP || is_too_much_for_us(body));
	}
	json_decref(value);
}

static void
check_reported(struct bytes body, const struct canon *canon)
{
	for (size_t i = 0; i < CANON_WATCHED_MAX; i++) {
		const struct canon_value *value = &canon->watched[i];

		if (value->type == CANON_ABSENT)
			continue;
		assert(value->raw.len > 0 && value->raw.ptr >= body.ptr &&
		    value->raw.ptr + value->raw.len <= body.ptr + body.len);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes body = { (const char *)data, size };
	struct arena *arena = arena_new(ARENA_MAX);
	struct canon plain = { 0 }, again, ruled;
	int r = canon_make(body, NULL, arena, &plain);

	assert(r >= 0);
	if (size > 0)
		check_against_jansson(body, r, plain.text);
	if (r == 0) {
		assert(canon_make(plain.text, NULL, arena, &again) == 0);
		assert(bytes_eq(again.text, plain.text) && again.type == plain.type);
	}
	assert(canon_make(body, &rules, arena, &ruled) == r);
	if (r == 0)
		check_reported(body, &ruled);
	arena_free(arena);
	return 0;
}
