/* SPDX-License-Identifier: MIT */
/*
 * test_ndjson.c - lines, and reads that end anywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "proxy/http/ndjson.h"

#define LINE_MAX_LEN	((size_t)10)

static const struct {
	const char	*text, *seen;
	bool		 is_at_rest;
} rows[] = {
	{ "", "", true },
	{ "{}\n", "[{}]", true },
	{ "{}\r\n", "[{}]", true },
	{ "1\n2\n3\n", "[1][2][3]", true },
	{ "\n\r\n \n1\n\n", "[1]", true },
	{ " 1\t\n", "[1]", true },
	{ "{}", "", false },
	{ "1\n2", "[1]", false },
	{ "\"\xe2\x80\xa8\"\n", "[\"\xe2\x80\xa8\"]", true },
	{ "0123456789\n1\n", "[0123456789][1]", true },
	{ "1\n01234567890\n", "[1]", false },
	{ "1\n01234567890", "[1]", false },
};

static struct ndjson *
read_in_steps(struct bytes text, size_t step, struct buf *seen)
{
	struct ndjson *ndjson = ndjson_new(LINE_MAX_LEN);
	enum ndjson_state state = NDJSON_MORE;
	struct bytes line;

	while (text.len > 0 && state != NDJSON_TOO_LARGE) {
		struct bytes in = bytes_first(text, step);
		size_t used;

		for (; in.len > 0 && state != NDJSON_TOO_LARGE; in = bytes_skip(in, used)) {
			state = ndjson_feed(ndjson, in, &used, &line);
			if (state == NDJSON_LINE)
				assert_int_equal(buf_addf(seen, "[%.*s]", BYTES_ARG(line)), 0);
		}
		text = bytes_skip(text, step);
	}
	return ndjson;
}

static void
lines_are_the_same_however_they_arrive(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes text = bytes_str(rows[i].text);

		for (size_t step = 1; step <= text.len + 1; step++) {
			struct ndjson *ndjson;
			struct buf seen;

			buf_init(&seen, 4096);
			ndjson = read_in_steps(text, step, &seen);
			if (!bytes_eq_str(buf_bytes(&seen), rows[i].seen))
				print_message("row %zu, step %zu: %.*s\n", i, step,
				    BYTES_ARG(buf_bytes(&seen)));
			assert_true(bytes_eq_str(buf_bytes(&seen), rows[i].seen));
			assert_int_equal(ndjson_is_at_rest(ndjson), rows[i].is_at_rest);
			ndjson_free(ndjson);
			buf_done(&seen);
		}
	}
}

static void
what_passes_the_ceiling_stays_refused(void **state)
{
	struct ndjson *ndjson = ndjson_new(LINE_MAX_LEN);
	struct bytes line;
	size_t used;

	(void)state;
	assert_int_equal(ndjson_feed(ndjson, BYTES_LIT("01234567890"), &used, &line),
	    NDJSON_TOO_LARGE);
	assert_int_equal(ndjson_feed(ndjson, BYTES_LIT("1\n"), &used, &line), NDJSON_TOO_LARGE);
	assert_int_equal(used, 0);
	ndjson_free(ndjson);
	assert_null(ndjson_free(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_the_same_however_they_arrive),
		cmocka_unit_test(what_passes_the_ceiling_stays_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
