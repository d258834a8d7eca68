/* SPDX-License-Identifier: MIT */
/*
 * test_date.c - days, moments, and what is in no calendar.
 */
#include "base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
a_day_is_over_at_its_end_and_a_moment_at_once(void **state)
{
	static const struct {
		const char	*text;
		int64_t		 seconds;
	} rows[] = {
		{ "1970-01-01", 86400 },
		{ "2027-01-31", 1801440000 },
		{ "2028-02-29", 1835481600 },
		{ "2027-01-31T00:00:00Z", 1801353600 },
		{ "2027-01-31t12:30:15z", 1801398615 },
		{ "2027-01-31 12:30:15.250Z", 1801398615 },
		{ "2027-01-31T13:30:15+01:00", 1801398615 },
		{ "2027-01-31T07:00:15-05:30", 1801398615 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		usec_t end = -1;

		assert_int_equal(date_parse_end(bytes_str(rows[i].text), &end), 0);
		assert_int_equal(end, rows[i].seconds * USEC_PER_SEC);
	}
}

static void
what_is_no_date_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "tomorrow", "2027", "2027-1-31", "27-01-31", "2027-01-31x",
		"2027-00-10", "2027-13-01", "2027-02-30", "2027-02-29", "2027-01-00",
		"2027-01-31T", "2027-01-31T12", "2027-01-31T12:00", "2027-01-31T12:00:00",
		"2027-01-31T24:00:00Z", "2027-01-31T12:60:00Z", "2027-01-31T12:00:00Zx",
		"2027-01-31T12:00:00+1", "2027-01-31T12:00:00+24:00",
		"2027-01-31T12:00:00+01:60", "-027-01-31", "2027/01/31",
	};
	usec_t end = -1;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(date_parse_end(bytes_str(texts[i]), &end), DATE_E_BAD);
	assert_int_equal(end, -1);
}

static void
a_moment_is_written_as_it_is_read(void **state)
{
	/* From 1970 over each day, each leap year and two centuries to 2800. */
	(void)state;
	for (int64_t day = 0; day < 830 * 366; day += 1) {
		usec_t time = (day * 86400 + day * 7919 % 86400) * USEC_PER_SEC + day, read;
		char text[DATE_LEN];

		date_format(time, text);
		assert_int_equal(date_parse_end((struct bytes){ text, DATE_LEN }, &read), 0);
		assert_int_equal(read, time - time % USEC_PER_SEC);
	}
}

static void
parts_of_a_second_are_microseconds(void **state)
{
	char text[DATE_LEN + 1] = "";

	(void)state;
	date_format(1801398615000042, text);
	assert_string_equal(text, "2027-01-31T12:30:15.000042Z");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_is_over_at_its_end_and_a_moment_at_once),
		cmocka_unit_test(what_is_no_date_is_refused),
		cmocka_unit_test(a_moment_is_written_as_it_is_read),
		cmocka_unit_test(parts_of_a_second_are_microseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
