/* SPDX-License-Identifier: MIT */
/*
 * test_print.c - what was seen is known again, and nothing else is (H-20).
 */
#include "cache/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static struct known
known_of(unsigned n)
{
	struct known known = { .model_at = n, .route = (uint16_t)n };

	memcpy(known.key.bytes, &n, sizeof(n));
	return known;
}

static void
what_was_seen_is_known(void **state)
{
	struct prints *prints = prints_new(16);
	struct known known = known_of(7);
	struct print print = prints_make(prints, BYTES_LIT("POST /x"), BYTES_LIT("{}"));

	(void)state;
	assert_null(prints_find(prints, &print));
	prints_put(prints, &print, &known);
	assert_memory_equal(prints_find(prints, &print), &known, sizeof(known));
	print = prints_make(prints, BYTES_LIT("POST /x"), BYTES_LIT("{}"));
	assert_non_null(prints_find(prints, &print));
	prints_free(prints);
}

static void
nothing_moves_between_context_and_body(void **state)
{
	static const struct {
		struct bytes	context, body;
	} rows[] = {
		{ BYTES_LIT("a"), BYTES_LIT("b") }, { BYTES_LIT("ab"), BYTES_LIT("") },
		{ BYTES_LIT(""), BYTES_LIT("ab") }, { BYTES_LIT("b"), BYTES_LIT("a") },
		{ BYTES_LIT("a"), BYTES_LIT("b\0") }, { BYTES_NONE, BYTES_NONE },
	};
	struct prints *prints = prints_new(64);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct print print = prints_make(prints, rows[i].context, rows[i].body);
		struct known known = known_of((unsigned)i);

		assert_null(prints_find(prints, &print));
		prints_put(prints, &print, &known);
	}
	prints_free(prints);
}

static void
the_newest_stay(void **state)
{
	struct prints *prints = prints_new(1024);
	unsigned n_known = 0;
	char body[16];

	(void)state;
	for (unsigned n = 0; n < 100000; n++) {
		struct known known = known_of(n);
		struct print print;

		snprintf(body, sizeof(body), "%u", n);
		print = prints_make(prints, BYTES_NONE, bytes_str(body));
		prints_put(prints, &print, &known);
		assert_int_equal(prints_find(prints, &print)->model_at, n);
	}
	for (unsigned n = 0; n < 100000; n++) {
		struct print print;

		snprintf(body, sizeof(body), "%u", n);
		print = prints_make(prints, BYTES_NONE, bytes_str(body));
		n_known += prints_find(prints, &print) != NULL;
	}
	assert_int_equal(n_known, 1024);
	prints_free(prints);
}

/* The secrets are the table's own: two tables agree on nothing. */
static void
tables_share_no_fingerprint(void **state)
{
	struct prints *a = prints_new(4), *b = prints_new(4);
	struct print x = prints_make(a, BYTES_LIT("c"), BYTES_LIT("d"));
	struct print y = prints_make(b, BYTES_LIT("c"), BYTES_LIT("d"));

	(void)state;
	assert_memory_not_equal(&x, &y, sizeof(x));
	prints_free(a);
	prints_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_seen_is_known),
		cmocka_unit_test(nothing_moves_between_context_and_body),
		cmocka_unit_test(the_newest_stay),
		cmocka_unit_test(tables_share_no_fingerprint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
