/* SPDX-License-Identifier: MIT */
/*
 * test_num.c - numbers, durations and sizes as people write them.
 */
#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED	4711

struct row {
	struct bytes	text;
	int		r;
	uint64_t	value;
};

typedef int parse_fn(struct bytes text, uint64_t *ret_value);

static void
check(const struct row *rows, size_t n, parse_fn *parse)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value = UNTOUCHED;
		int r = parse(rows[i].text, &value);

		if (r != rows[i].r || value != (r == 0 ? rows[i].value : UNTOUCHED))
			fail_msg("\"%.*s\": %d", BYTES_ARG(rows[i].text), r);
	}
}

static int
parse_duration(struct bytes text, uint64_t *ret_value)
{
	usec_t value;
	int r = num_parse_duration(text, &value);

	if (r == 0)
		*ret_value = (uint64_t)value;
	return r;
}

static void
decimals_are_digits_alone(void **state)
{
	static const struct row rows[] = {
		{ BYTES_LIT("0"), 0, 0 },
		{ BYTES_LIT("007"), 0, 7 },
		{ BYTES_LIT("18446744073709551615"), 0, UINT64_MAX },
		{ BYTES_LIT("18446744073709551616"), NUM_E_RANGE, 0 },
		{ BYTES_LIT("99999999999999999999999"), NUM_E_RANGE, 0 },
		{ BYTES_LIT("99999999999999999999999x"), NUM_E_BAD, 0 },
		{ BYTES_NONE, NUM_E_BAD, 0 },
		{ BYTES_LIT(""), NUM_E_BAD, 0 },
		{ BYTES_LIT("-1"), NUM_E_BAD, 0 },
		{ BYTES_LIT("+1"), NUM_E_BAD, 0 },
		{ BYTES_LIT(" 1"), NUM_E_BAD, 0 },
		{ BYTES_LIT("1 "), NUM_E_BAD, 0 },
		{ BYTES_LIT("1\0"), NUM_E_BAD, 0 },
		{ BYTES_LIT("1.0"), NUM_E_BAD, 0 },
		{ BYTES_LIT("0x1"), NUM_E_BAD, 0 },
	};

	(void)state;
	check(rows, ARRAY_LEN(rows), num_parse_u64);
}

static void
hexadecimals_are_at_most_sixteen_digits(void **state)
{
	static const struct row rows[] = {
		{ BYTES_LIT("0"), 0, 0 },
		{ BYTES_LIT("fF"), 0, 255 },
		{ BYTES_LIT("0123456789abcdef"), 0, 0x0123456789abcdef },
		{ BYTES_LIT("ABCDEF"), 0, 0xabcdef },
		{ BYTES_LIT("ffffffffffffffff"), 0, UINT64_MAX },
		{ BYTES_LIT("10000000000000000"), NUM_E_RANGE, 0 },
		{ BYTES_NONE, NUM_E_BAD, 0 },
		{ BYTES_LIT("0x1"), NUM_E_BAD, 0 },
		{ BYTES_LIT("g"), NUM_E_BAD, 0 },
		{ BYTES_LIT("1\0"), NUM_E_BAD, 0 },
	};

	(void)state;
	check(rows, ARRAY_LEN(rows), num_parse_hex64);
}

static void
durations_need_their_unit(void **state)
{
	static const struct row rows[] = {
		{ BYTES_LIT("250ms"), 0, 250000 },
		{ BYTES_LIT("30s"), 0, 30000000 },
		{ BYTES_LIT("10m"), 0, 600000000 },
		{ BYTES_LIT("24h"), 0, 86400000000 },
		{ BYTES_LIT("30d"), 0, 2592000000000 },
		{ BYTES_LIT("0s"), 0, 0 },
		{ BYTES_LIT("106751991d"), 0, 9223372022400000000u },
		{ BYTES_LIT("106751992d"), NUM_E_RANGE, 0 },
		{ BYTES_LIT("99999999999999999999d"), NUM_E_RANGE, 0 },
		{ BYTES_LIT("30"), NUM_E_BAD, 0 },
		{ BYTES_LIT("s"), NUM_E_BAD, 0 },
		{ BYTES_LIT("30 s"), NUM_E_BAD, 0 },
		{ BYTES_LIT("30S"), NUM_E_BAD, 0 },
		{ BYTES_LIT("1.5s"), NUM_E_BAD, 0 },
		{ BYTES_LIT("-1s"), NUM_E_BAD, 0 },
		{ BYTES_LIT("1y"), NUM_E_BAD, 0 },
		{ BYTES_LIT("1h30m"), NUM_E_BAD, 0 },
		{ BYTES_LIT("1sx"), NUM_E_BAD, 0 },
	};

	(void)state;
	check(rows, ARRAY_LEN(rows), parse_duration);
}

static void
sizes_count_in_powers_of_1024(void **state)
{
	static const struct row rows[] = {
		{ BYTES_LIT("512"), 0, 512 },
		{ BYTES_LIT("512B"), 0, 512 },
		{ BYTES_LIT("64kB"), 0, 65536 },
		{ BYTES_LIT("64MB"), 0, 67108864 },
		{ BYTES_LIT("10GB"), 0, 10737418240 },
		{ BYTES_LIT("1TB"), 0, 1099511627776 },
		{ BYTES_LIT("8388607TB"), 0, 9223370937343148032u },
		{ BYTES_LIT("8388608TB"), NUM_E_RANGE, 0 },
		{ BYTES_LIT("10gb"), NUM_E_BAD, 0 },
		{ BYTES_LIT("10G"), NUM_E_BAD, 0 },
		{ BYTES_LIT("10 GB"), NUM_E_BAD, 0 },
		{ BYTES_LIT("GB"), NUM_E_BAD, 0 },
		{ BYTES_NONE, NUM_E_BAD, 0 },
	};

	(void)state;
	check(rows, ARRAY_LEN(rows), num_parse_size);
}

static void
numbers_are_written_without_ado(void **state)
{
	static const struct {
		uint64_t	 value;
		const char	*text;
	} rows[] = {
		{ 0, "0" }, { 9, "9" }, { 10, "10" }, { 123456, "123456" },
		{ UINT64_MAX, "18446744073709551615" },
	};
	char mem[NUM_DIGITS_MAX + 1] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(num_format_u64(rows[i].value, mem + NUM_DIGITS_MAX),
		    rows[i].text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimals_are_digits_alone),
		cmocka_unit_test(hexadecimals_are_at_most_sixteen_digits),
		cmocka_unit_test(durations_need_their_unit),
		cmocka_unit_test(sizes_count_in_powers_of_1024),
		cmocka_unit_test(numbers_are_written_without_ado),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
