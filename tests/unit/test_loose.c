/* SPDX-License-Identifier: MIT */
/*
 * test_loose.c - the reader over an llhttp that is built loose, as packages
 * build it: its self-test has to find that out (H-1).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/http/reader.h"

static void
a_loose_parser_is_found_out(void **state)
{
	(void)state;
	assert_false(reader_self_test());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loose_parser_is_found_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
