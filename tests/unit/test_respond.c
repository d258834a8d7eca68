/* SPDX-License-Identifier: MIT */
/*
 * test_respond.c - heads of answers.
 */
#include "proxy/http/respond.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
a_head_is_written_as_the_standard_shows_it(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	assert_int_equal(respond_begin(&out, 404), 0);
	assert_int_equal(respond_field(&out, "A", BYTES_LIT("b")), 0);
	assert_int_equal(respond_field(&out, "Empty", BYTES_NONE), 0);
	assert_int_equal(respond_fieldf(&out, "Age", "%d", 7), 0);
	/* RFC 9110, 5.6.7's own example. */
	assert_int_equal(respond_end(&out, INT64_C(784111777) * 1000000), 0);
	assert_true(bytes_eq_str(buf_bytes(&out), "HTTP/1.1 404 Not Found\r\nA: b\r\nEmpty: \r\n"
	    "Age: 7\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"));
	buf_done(&out);
}

static void
what_could_split_an_answer_is_left_out(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	assert_int_equal(respond_copy(&out, BYTES_LIT("X"), BYTES_LIT("a\rSet-Cookie: b")), 0);
	assert_int_equal(respond_copy(&out, BYTES_LIT("X"), BYTES_LIT("a\0b")), 0);
	assert_int_equal(respond_copy(&out, BYTES_LIT("X\r\nY"), BYTES_LIT("a")), 0);
	assert_int_equal(respond_copy(&out, BYTES_LIT(""), BYTES_LIT("a")), 0);
	assert_int_equal(buf_len(&out), 0);
	buf_done(&out);
}

static void
a_full_buffer_is_reported(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 8);
	assert_true(respond_begin(&out, 200) < 0);
	assert_true(respond_field(&out, "Name", BYTES_LIT("value")) < 0);
	buf_done(&out);
}

static void
a_formatted_value_that_is_too_long_is_reported(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	assert_int_equal(respond_fieldf(&out, "A", "%512d", 1), -E2BIG);
	assert_int_equal(buf_len(&out), 0);
	assert_int_equal(respond_fieldf(&out, "A", "%511d", 1), 0);
	assert_int_equal(buf_len(&out), strlen("A: \r\n") + 511);
	buf_done(&out);
}

static void
unknown_statuses_have_no_phrase(void **state)
{
	(void)state;
	assert_string_equal(respond_phrase(599), "");
	assert_string_equal(respond_phrase(504), "Gateway Timeout");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_written_as_the_standard_shows_it),
		cmocka_unit_test(what_could_split_an_answer_is_left_out),
		cmocka_unit_test(a_full_buffer_is_reported),
		cmocka_unit_test(a_formatted_value_that_is_too_long_is_reported),
		cmocka_unit_test(unknown_statuses_have_no_phrase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
