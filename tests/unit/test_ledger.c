/* SPDX-License-Identifier: MIT */
/*
 * test_ledger.c - what is spent in which period, and what a restart leaves of it.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cache/ledger.h"

#define HOUR	(3600 * USEC_PER_SEC)
#define DAY	(24 * HOUR)
#define NOW	((usec_t)1798714800 * USEC_PER_SEC)	/* 2026-12-31 11:00 UTC */
#define SEARCH	BYTES_LIT("search")

static void
what_is_spent_adds_up_until_its_period_is_over(void **state)
{
	const struct spending call = { .input = 100, .output = 20, .spent = 3 * PICO };
	struct ledger *ledger = ledger_new();
	struct account *account = ledger_account(ledger, SEARCH);
	struct spending got;

	(void)state;
	assert_ptr_equal(ledger_account(ledger, SEARCH), account);
	ledger_spend(ledger, account, &call, NOW);
	ledger_spend(ledger, account, &call, NOW + HOUR);
	got = ledger_get(ledger, account, NOW + 12 * HOUR);
	assert_int_equal(got.today, 6 * PICO);
	assert_int_equal(got.this_month, 6 * PICO);
	/* The last moment of the year, and the first of the next. */
	assert_int_equal(ledger_get(ledger, account, NOW + 13 * HOUR - 1).today, 6 * PICO);
	got = ledger_get(ledger, account, NOW + 13 * HOUR);
	assert_int_equal(got.today + got.this_month, 0);
	assert_int_equal(got.spent, 6 * PICO);
	assert_int_equal(got.input, 200);
	assert_int_equal(got.output, 40);
	ledger_free(ledger);
}

static void
a_day_is_not_a_month(void **state)
{
	const struct spending call = { .spent = 1 };
	struct ledger *ledger = ledger_new();
	struct account *account = ledger_account(ledger, SEARCH);

	(void)state;
	ledger_spend(ledger, account, &call, NOW - DAY);
	ledger_spend(ledger, account, &call, NOW);
	assert_int_equal(ledger_get(ledger, account, NOW).today, 1);
	assert_int_equal(ledger_get(ledger, account, NOW).this_month, 2);
	assert_int_equal(ledger_period_left(PERIOD_DAY, NOW), 13 * HOUR);
	assert_int_equal(ledger_period_left(PERIOD_MONTH, NOW), 13 * HOUR);
	assert_int_equal(ledger_period_left(PERIOD_MONTH, NOW - DAY), 37 * HOUR);
	assert_int_equal(ledger_period_left(PERIOD_DAY, NOW + 13 * HOUR), DAY);
	assert_int_equal(ledger_period_left(PERIOD_MONTH, NOW + 13 * HOUR), 31 * DAY);
	ledger_free(ledger);
}

static void
its_text_brings_it_back(void **state)
{
	const struct spending call = { .input = 1, .output = 2, .spent = 3 };
	const struct rate rate = { 60, 60 * USEC_PER_SEC };
	struct ledger *ledger = ledger_new(), *again = ledger_new();
	struct account *account = ledger_account(ledger, SEARCH);
	struct spending got;
	struct saved saved;
	struct buf text;

	(void)state;
	buf_init(&text, LEDGER_TEXT_MAX);
	ledger_account(ledger, BYTES_LIT("idle"));
	ledger_account(ledger, BYTES_LIT(LEDGER_UNWRITTEN "route 1"));
	assert_false(ledger_is_changed(ledger));
	ledger_spend(ledger, account, &call, NOW);
	ledger_save(ledger, account, &(struct saved){ 1, 20, 30, 40 });
	ledger_save(ledger, account, &(struct saved){ .input = 1 });
	rate_charge(&account->requests, &rate, 60, NOW);
	rate_charge(&account->tokens, &rate, 90, NOW);
	assert_true(ledger_is_changed(ledger));
	assert_int_equal(ledger_write(ledger, &text), 0);
	assert_false(ledger_is_changed(ledger));
	ledger_touch(ledger);
	assert_true(ledger_is_changed(ledger));
	assert_null(memchr(text.mem, '@', buf_len(&text)));
	ledger_read(again, buf_bytes(&text));
	account = ledger_account(again, SEARCH);
	got = ledger_get(again, account, NOW);
	assert_int_equal(got.input, 1);
	assert_int_equal(got.output, 2);
	assert_int_equal(got.spent, 3);
	assert_int_equal(got.today, 3);
	assert_int_equal(got.this_month, 3);
	saved = ledger_saved(again, account);
	assert_int_equal(saved.hits, 1);
	assert_int_equal(saved.input, 21);
	assert_int_equal(saved.output, 30);
	assert_int_equal(saved.cost, 40);
	assert_int_equal(rate_left(&account->requests, &rate, NOW), 0);
	assert_int_equal(rate_wait(&account->tokens, &rate, 1, NOW), 31 * USEC_PER_SEC);
	buf_done(&text);
	ledger_free(ledger);
	ledger_free(again);
}

static void
what_is_no_line_is_passed_over(void **state)
{
	struct ledger *ledger = ledger_new();
	struct account *account;

	(void)state;
	ledger_read(ledger, BYTES_LIT("\n\nx\nx 1 2 3\nsearch 7 a 0 0 0 0 0 0 0\n"
	    "search 9 0 0 0 0 0 0 0 0 and more\n 1 2 3 4 5 6 7 8 9"));
	account = ledger_account(ledger, SEARCH);
	assert_int_equal(ledger_get(ledger, account, NOW).input, 9);
	assert_int_equal(ledger_saved(ledger, account).hits, 0);
	assert_int_equal(ledger_get(ledger, ledger_account(ledger, BYTES_LIT("x")), NOW).input, 0);
	ledger_free(ledger);
}

static void
add_name(void *arg, const struct account *account)
{
	assert_int_equal(buf_add_str(arg, account->name), 0);
}

static void
accounts_come_in_the_order_of_their_names(void **state)
{
	struct ledger *ledger = ledger_new();
	struct buf names;

	(void)state;
	buf_init(&names, 16);
	ledger_account(ledger, BYTES_LIT("b"));
	ledger_account(ledger, BYTES_LIT("c"));
	ledger_account(ledger, BYTES_LIT("a"));
	ledger_each(ledger, add_name, &names);
	assert_true(bytes_eq_str(buf_bytes(&names), "abc"));
	buf_done(&names);
	ledger_free(ledger);
}

#define N_OPENED	2000

static void *
open_many(void *arg)
{
	char name[16];

	for (unsigned i = 0; i < N_OPENED; i++) {
		snprintf(name, sizeof(name), "%u", i * 7919 % N_OPENED);
		ledger_account(arg, bytes_str(name));
	}
	return NULL;
}

struct walk {
	const char	*last;
	unsigned	 n;
};

static void
follow(void *arg, const struct account *account)
{
	struct walk *walk = arg;

	assert_true(walk->last == NULL || strcmp(walk->last, account->name) < 0);
	walk->last = account->name;
	walk->n++;
}

static void
one_walks_while_another_opens(void **state)
{
	struct ledger *ledger = ledger_new();
	struct walk walk = { 0 };
	pthread_t opener;

	(void)state;
	assert_int_equal(pthread_create(&opener, NULL, open_many, ledger), 0);
	while (walk.n < N_OPENED) {
		walk = (struct walk){ 0 };
		ledger_each(ledger, follow, &walk);
	}
	pthread_join(opener, NULL);
	ledger_free(ledger);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_spent_adds_up_until_its_period_is_over),
		cmocka_unit_test(a_day_is_not_a_month),
		cmocka_unit_test(its_text_brings_it_back),
		cmocka_unit_test(what_is_no_line_is_passed_over),
		cmocka_unit_test(accounts_come_in_the_order_of_their_names),
		cmocka_unit_test(one_walks_while_another_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
