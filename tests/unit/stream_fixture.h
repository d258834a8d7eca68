/* SPDX-License-Identifier: MIT */
/*
 * stream_fixture.h - what the tests of streams share: texts in which ' stands for ",
 * so that JSON can be read, and a comparison of JSON as values.
 */
#ifndef TESTS_STREAM_FIXTURE_H
#define TESTS_STREAM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cache/canon.h"
#include "proxy/dialect/stream.h"

#define TEXT_MAX	((size_t)1 << 20)

/* One event of JSON. */
#define E(json)		"data: " json "\n\n"
#define DONE		"data: [DONE]\n\n"

/* TEXT with " for '; the caller frees it with xfree(). */
static inline char *
quoted(const char *text)
{
	char *copy = xstrdup(text);

	for (char *at = copy; *at != '\0'; at++)
		if (*at == '\'')
			*at = '"';
	return copy;
}

/* Fail, naming WHAT, unless A and B are the same JSON value. */
static inline void
assert_same_json(const char *what, struct bytes a, struct bytes b)
{
	struct arena *arena = arena_new(4 * TEXT_MAX);
	struct canon left, right;

	if (canon_make(a, NULL, arena, &left) != 0 || canon_make(b, NULL, arena, &right) != 0)
		fail_msg("%s: no JSON: %.*s or %.*s", what, BYTES_ARG(a), BYTES_ARG(b));
	if (!bytes_eq(left.text, right.text))
		fail_msg("%s:\n%.*s\n%.*s", what, BYTES_ARG(left.text), BYTES_ARG(right.text));
	arena_free(arena);
}

#endif
