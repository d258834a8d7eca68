/* SPDX-License-Identifier: MIT */
/*
 * money.c - decimals, exactly.
 */
#include "base/money.h"

#include "base/num.h"

#define DECIMALS_MAX	6
#define DOLLARS_MAX	UINT64_C(1000000)

int
money_parse(struct bytes text, uint64_t *ret_pico)
{
	bool has_point = bytes_find_char(text, '.') < text.len;
	struct bytes whole = bytes_cut(&text, '.');
	uint64_t dollars, part = 0, unit = PICO;
	int r = num_parse_u64(whole, &dollars);

	if (r == 0 && has_point)
		r = text.len <= DECIMALS_MAX ? num_parse_u64(text, &part) : NUM_E_BAD;
	if (r != 0)
		return r;
	if (dollars > DOLLARS_MAX)
		return NUM_E_RANGE;
	for (size_t i = 0; i < text.len; i++)
		unit /= 10;
	*ret_pico = dollars * PICO + part * unit;
	return 0;
}

int
budget_parse(struct bytes text, struct budget *ret_budget)
{
	struct budget budget = { 0 };
	struct bytes amount = bytes_cut(&text, ' ');
	int r = money_parse(amount, &budget.amount);

	if (bytes_eq_str(text, "USD/month"))
		budget.period = PERIOD_MONTH;
	else if (!bytes_eq_str(text, "USD/day"))
		r = NUM_E_BAD;
	if (r == 0 && budget.amount == 0)	/* which would be no bound */
		r = NUM_E_BAD;
	if (r == 0)
		*ret_budget = budget;
	return r;
}
