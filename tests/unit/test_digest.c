/* SPDX-License-Identifier: MIT */
/*
 * test_digest.c - the examples of FIPS 180-4.
 */
#include "cache/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
digests_are_those_of_the_standard(void **state)
{
	static const struct {
		const char	*text;
		const char	*hex;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	};
	char hex[DIGEST_HEX_LEN + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		digest_hex(bytes_str(rows[i].text), hex);
		assert_string_equal(hex, rows[i].hex);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_those_of_the_standard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
