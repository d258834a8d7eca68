/* SPDX-License-Identifier: MIT */
/*
 * test_retry_after.c - seconds and dates, and what is neither.
 */
#include "proxy/http/retry_after.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/err.h"

#define SEC	USEC_PER_SEC
#define WALL	((usec_t)784111777 * SEC)	/* Sun, 06 Nov 1994 08:49:37 GMT */
#define YEAR	((usec_t)365 * 24 * 3600 * SEC)
#define NONE	((usec_t)-1)

static const struct {
	const char	*value;
	usec_t		 delay;
} rows[] = {
	{ "0", 0 }, { "7", 7 * SEC }, { " 120\t", 120 * SEC },
	{ "99999999999", YEAR },
	{ "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
	{ "Sun, 06 Nov 1994 08:49:47 GMT", 10 * SEC },
	{ "Mon, 07 Nov 1994 08:49:37 GMT", 24 * 3600 * SEC },
	{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
	{ "", NONE }, { "-1", NONE }, { "7s", NONE }, { "7.5", NONE }, { "soon", NONE },
	{ "99999999999999999999999", NONE },
	{ "Sun, 06 Nov 1994 08:49:37 CET", NONE }, { "Sun, 06 Xxx 1994 08:49:37 GMT", NONE },
	{ "Sun, 6 Nov 1994 08:49:37 GMT", NONE }, { "Sun, 06 Nov 1994 08:4x:37 GMT", NONE },
	{ "Sunday, 06-Nov-94 08:49:37 GMT", NONE },
};

static void
a_delay_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		usec_t delay = NONE;
		bool is_read = retry_after_read(bytes_str(rows[i].value), WALL, &delay);

		assert_int_equal(delay, rows[i].delay);
		assert_int_equal(is_read, rows[i].delay != NONE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delay_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
