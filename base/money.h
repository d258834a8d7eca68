/* SPDX-License-Identifier: MIT */
/*
 * money.h - dollars as people write them, counted in picodollars: so a token at a
 * price per million of them has no remainder.  2^64 of them are 18 million dollars.
 */
#ifndef BASE_MONEY_H
#define BASE_MONEY_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#define PICO		UINT64_C(1000000000000)		/* in a dollar */

/* In UTC, from their first moment to the next. */
enum period {
	PERIOD_DAY,
	PERIOD_MONTH,
};

struct budget {
	uint64_t	amount;		/* pico in PERIOD; 0: no bound */
	enum period	period;
};

/*
 * Dollars with at most six digits behind the point: 2.50.  0, or NUM_E_BAD or
 * NUM_E_RANGE (base/num.h), and then nothing is written; so below.
 */
int	money_parse(struct bytes text, uint64_t *ret_pico) MUST_USE;

/* Dollars and their time: 50 USD/month, 2.50 USD/day. */
int	budget_parse(struct bytes text, struct budget *ret_budget) MUST_USE;

#endif
