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
	struct respond_date date = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	assert_int_equal(respond_begin(&out, 404), 0);
	assert_int_equal(respond_field(&out, "A", BYTES_LIT("b")), 0);
	assert_int_equal(respond_field(&out, "Empty", BYTES_NONE), 0);
	assert_int_equal(respond_number(&out, BYTES_LIT("Age"), 7), 0);
	/* RFC 9110, 5.6.7's own example. */
	assert_int_equal(respond_end(&out, &date, INT64_C(784111777) * 1000000), 0);
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
a_date_is_made_anew_each_second(void **state)
{
	struct respond_date date = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	for (int64_t usec = 0; usec < 3000000; usec += 400000) {
		buf_consume(&out, buf_len(&out));
		assert_int_equal(respond_end(&out, &date, usec), 0);
		assert_int_equal(buf_bytes(&out).ptr[strlen("Date: Thu, 01 Jan 1970 00:00:0")],
		    '0' + usec / 1000000);
	}
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
		cmocka_unit_test(a_date_is_made_anew_each_second),
		cmocka_unit_test(unknown_statuses_have_no_phrase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
