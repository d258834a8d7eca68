/* SPDX-License-Identifier: MIT */
/*
 * test_run.c - all ways that this machine has copy the same bytes and stop at
 * the same one, whatever the length, wherever the run begins.
 */
#include "cache/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

#include <cmocka.h>

#define LEN_MAX		200
#define N_OFFSETS	64
#define MARK		'#'	/* behind what may be written */

static char plain[LEN_MAX];	/* all bytes that are plain, again and again */

static bool
is_plain(int c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static int
setup(void **state)
{
	int c = 0;

	(void)state;
	for (size_t i = 0; i < LEN_MAX; i++) {
		do
			c = (c + 1) % 256;
		while (!is_plain(c));
		plain[i] = (char)c;
	}
	return 0;
}

/* Every way copies of TEXT, LEN bytes, the first N and writes nothing past the rest. */
static void
expect(const char *text, size_t len, size_t n)
{
	char to[LEN_MAX + 1];
	run_copy_fn *copy;

	for (size_t way = 0; (copy = run_way(way)) != NULL; way++) {
		memset(to, MARK, sizeof(to));
		if (copy(to, text, text + len) != text + n || memcmp(to, text, n) != 0 ||
		    to[len] != MARK)
			fail_msg("way %zu: %zu of %zu bytes", way, n, len);
	}
}

/* Memory that ends where the text does, so that a sanitizer sees what is read past it. */
static char *
text_at(size_t offset, size_t len)
{
	char *mem = xcalloc(1, offset + len);

	memcpy(mem + offset, plain, len);
	return mem;
}

static void
there_is_a_way_without_vectors(void **state)
{
	size_t n = 0;

	(void)state;
	while (run_way(n) != NULL)
		n++;
	assert_true(n >= 1 && n <= 3);
	assert_null(run_way(n + 1));
}

static void
runs_of_any_length_are_copied_from_anywhere(void **state)
{
	(void)state;
	for (size_t offset = 0; offset < N_OFFSETS; offset++) {
		for (size_t len = 0; len <= LEN_MAX; len++) {
			char *mem = text_at(offset, len);

			expect(mem + offset, len, len);
			xfree(mem);
		}
	}
}

/* Each of the 256 bytes at each place of texts about as long as one step or two. */
static void
every_byte_is_judged_wherever_it_stands(void **state)
{
	(void)state;
	for (size_t len = 1; len <= 100; len += len < 70 ? 1 : 29) {
		char *text = text_at(0, len);

		for (int c = 0; c < 256; c++) {
			for (size_t at = 0; at < len; at++) {
				text[at] = (char)c;
				expect(text, len, is_plain(c) ? len : at);
				text[at] = plain[at];
			}
		}
		xfree(text);
	}
}

static void
the_first_of_two_ends_the_run(void **state)
{
	static const char odd[] = { '"', '\\', '\n', '\0', '\x1f', '\x80', '\xff' };
	char *text = text_at(0, 80);

	(void)state;
	for (size_t first = 0; first < 80; first++) {
		for (size_t second = first + 1; second < 80; second++) {
			text[first] = odd[first % sizeof(odd)];
			text[second] = odd[second % sizeof(odd)];
			expect(text, 80, first);
			text[first] = plain[first];
			text[second] = plain[second];
		}
	}
	xfree(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_a_way_without_vectors),
		cmocka_unit_test(runs_of_any_length_are_copied_from_anywhere),
		cmocka_unit_test(every_byte_is_judged_wherever_it_stands),
		cmocka_unit_test(the_first_of_two_ends_the_run),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
