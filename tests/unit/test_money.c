/* SPDX-License-Identifier: MIT */
/*
 * test_money.c - dollars as people write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/money.h"
#include "base/num.h"

static void
dollars_are_read_exactly(void **state)
{
	static const struct {
		const char	*text;
		int		 r;
		uint64_t	 pico;
	} rows[] = {
		{ "0", 0, 0 }, { "50", 0, 50 * PICO }, { "2.5", 0, PICO / 2 * 5 },
		{ "2.50", 0, PICO / 2 * 5 }, { "0.000001", 0, PICO / 1000000 },
		{ "0.15", 0, PICO / 100 * 15 }, { "1000000", 0, 1000000 * PICO },
		{ "1000001", NUM_E_RANGE, 0 }, { "99999999999999999999", NUM_E_RANGE, 0 },
		{ "", NUM_E_BAD, 0 }, { ".5", NUM_E_BAD, 0 }, { "5.", NUM_E_BAD, 0 },
		{ "1.2.3", NUM_E_BAD, 0 }, { "0.0000001", NUM_E_BAD, 0 }, { "-1", NUM_E_BAD, 0 },
		{ "1e3", NUM_E_BAD, 0 }, { "$5", NUM_E_BAD, 0 }, { "1,5", NUM_E_BAD, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t pico = 0;

		if (money_parse(bytes_str(rows[i].text), &pico) != rows[i].r ||
		    pico != rows[i].pico)
			fail_msg("%s", rows[i].text);
	}
}

static void
a_budget_is_for_a_day_or_a_month(void **state)
{
	static const char *const bad[] = {
		"", "50", "50 USD", "50USD/month", "50 USD/year", "50 EUR/month", "USD/month",
		"x USD/month", "0 USD/month", "50  USD/month", "50 USD/month ",
	};
	struct budget budget;

	(void)state;
	assert_int_equal(budget_parse(BYTES_LIT("50 USD/month"), &budget), 0);
	assert_int_equal(budget.amount, 50 * PICO);
	assert_int_equal(budget.period, PERIOD_MONTH);
	assert_int_equal(budget_parse(BYTES_LIT("2.50 USD/day"), &budget), 0);
	assert_int_equal(budget.amount, PICO / 2 * 5);
	assert_int_equal(budget.period, PERIOD_DAY);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (budget_parse(bytes_str(bad[i]), &budget) != NUM_E_BAD)
			fail_msg("%s", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dollars_are_read_exactly),
		cmocka_unit_test(a_budget_is_for_a_day_or_a_month),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
