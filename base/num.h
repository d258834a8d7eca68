/* SPDX-License-Identifier: MIT */
/*
 * num.h - numbers, durations and sizes as people and protocols write them.
 * All return 0, or NUM_E_BAD (not such a number) or NUM_E_RANGE (too large);
 * the output is written only on success.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"

enum {
	NUM_E_BAD = 1,
	NUM_E_RANGE,
};

/* Decimal digits alone, at least one: no sign, no space. */
int	num_parse_u64(struct bytes text, uint64_t *ret_value) MUST_USE;

/* Hexadecimal digits alone, 1 to 16 of them. */
int	num_parse_hex64(struct bytes text, uint64_t *ret_value) MUST_USE;

/* A number with its unit: 250ms 30s 10m 24h 30d. */
int	num_parse_duration(struct bytes text, usec_t *ret_value) MUST_USE;

/* A number, alone (bytes) or with a unit in powers of 1024: 64kB 64MB 10GB 1TB. */
int	num_parse_size(struct bytes text, uint64_t *ret_value) MUST_USE;

/* VALUE in decimal digits, written so that they end at END; returns where they begin. */
#define NUM_DIGITS_MAX	20
char	*num_format_u64(uint64_t value, char *end);

#endif
