/* SPDX-License-Identifier: MIT */
/*
 * test_utf8.c - every code there is, and all that is none.
 */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"

#include <cmocka.h>

#define CODE_MAX	0x10ffff

/* How much of TEXT is taken for UTF-8; it is copied as it is. */
static size_t
taken(const char *text, size_t len)
{
	char to[16];
	size_t n = utf8_copy(to, text, text + len);

	assert_true(n <= len);
	assert_memory_equal(to, text, n);
	return n;
}

static void
every_code_that_is_no_surrogate_is_taken(void **state)
{
	char text[4];

	(void)state;
	for (uint32_t code = 0x80; code <= CODE_MAX; code++) {
		size_t len = utf8_put(text, code);

		assert_int_equal(len, code < 0x800 ? 2 : code < 0x10000 ? 3 : 4);
		assert_int_equal(taken(text, len), utf8_is_surrogate(code) ? 0 : len);
		assert_int_equal(taken(text, len - 1), 0);
	}
}

/* A sequence that is taken is what is written for some code. */
static void
nothing_else_is_taken(void **state)
{
	static const unsigned char thirds[] = { 0, 0x7f, 0x80, 0xbf, 0xc0, 0xff };
	size_t n_taken = 0;

	(void)state;
	for (uint32_t i = 0; i < 0x10000 * (uint32_t)ARRAY_LEN(thirds); i++) {
		const unsigned char third = thirds[i >> 16];
		const char text[] = { (char)(i >> 8 & 0xff), (char)(i & 0xff), (char)third };
		size_t n = taken(text, sizeof(text));
		unsigned char lead = (unsigned char)text[0];

		n_taken += n == 3 && lead >= 0xe0;
		if (n == 2)
			assert_true(lead >= 0xc2 && lead <= 0xdf);
		if (n == 0 && lead >= 0xc2 && lead <= 0xdf)
			assert_true((text[1] & 0xc0) != 0x80);
	}
	/* 0x800 to 0xffff without surrogates, of which 2 in 64 end in such a third byte. */
	assert_int_equal(n_taken, (0x10000 - 0x800 - 0x800) / 64 * 2);
}

static void
a_run_ends_before_what_is_none(void **state)
{
	static const struct {
		const char	*text;
		size_t		 len;
	} rows[] = {
		{ "", 0 },
		{ "a", 0 },
		{ "\303\251a", 2 },
		{ "\303\251\342\202\254\360\237\230\200", 9 },
		{ "\303\251\200", 2 },
		{ "\303\251\355\240\200", 2 },
		{ "\360\237\230\200\360\237\230", 4 },
		{ "\364\217\277\277\364\220\200\200", 4 },
		{ "\300\200", 0 },
		{ "\340\237\277", 0 },
		{ "\360\217\277\277", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(taken(rows[i].text, strlen(rows[i].text)), rows[i].len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_that_is_no_surrogate_is_taken),
		cmocka_unit_test(nothing_else_is_taken),
		cmocka_unit_test(a_run_ends_before_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
