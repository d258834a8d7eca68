/* SPDX-License-Identifier: MIT */
/*
 * num.c - digits first, then what stands behind them.
 */
#include "base/num.h"

#include <string.h>

struct unit {
	const char	*name;
	uint64_t	 factor;
};

static const struct unit durations[] = {
	{ "ms", 1000 },
	{ "s", 1000000 },
	{ "m", 60 * 1000000ull },
	{ "h", 3600 * 1000000ull },
	{ "d", 86400 * 1000000ull },
	{ NULL, 0 },
};

static const struct unit sizes[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "kB", 1ull << 10 },
	{ "MB", 1ull << 20 },
	{ "GB", 1ull << 30 },
	{ "TB", 1ull << 40 },
	{ NULL, 0 },
};

int
num_parse_u64(struct bytes text, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (text.len == 0)
		return NUM_E_BAD;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return NUM_E_BAD;
	for (size_t i = 0; i < text.len; i++) {
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text.ptr[i] - '0'), &value))
			return NUM_E_RANGE;
	}
	*ret_value = value;
	return 0;
}

int
num_parse_hex64(struct bytes text, uint64_t *ret_value)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	uint64_t value = 0;

	if (text.len == 0)
		return NUM_E_BAD;
	if (text.len > 16)
		return NUM_E_RANGE;
	for (size_t i = 0; i < text.len; i++) {
		const char *at = text.ptr[i] != '\0' ? strchr(digits, text.ptr[i]) : NULL;

		if (at == NULL)
			return NUM_E_BAD;
		value = value << 4 | (uint64_t)((at - digits) % 16);
	}
	*ret_value = value;
	return 0;
}

static int
parse_with_unit(struct bytes text, const struct unit *units, uint64_t *ret_value)
{
	size_t n = 0;
	uint64_t value;
	int r;

	while (n < text.len && text.ptr[n] >= '0' && text.ptr[n] <= '9')
		n++;
	r = num_parse_u64(bytes_first(text, n), &value);
	if (r != 0)
		return r;
	for (; units->name != NULL; units++) {
		if (!bytes_eq_str(bytes_skip(text, n), units->name))
			continue;
		if (__builtin_mul_overflow(value, units->factor, &value) ||
		    value > INT64_MAX)
			return NUM_E_RANGE;
		*ret_value = value;
		return 0;
	}
	return NUM_E_BAD;
}

int
num_parse_duration(struct bytes text, usec_t *ret_value)
{
	uint64_t value;
	int r = parse_with_unit(text, durations, &value);

	if (r != 0)
		return r;
	*ret_value = (usec_t)value;
	return 0;
}

int
num_parse_size(struct bytes text, uint64_t *ret_value)
{
	return parse_with_unit(text, sizes, ret_value);
}

char *
num_format_u64(uint64_t value, char *end)
{
	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	return end;
}
