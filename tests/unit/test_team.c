/* SPDX-License-Identifier: MIT */
/*
 * test_team.c - what a team may use, and which addresses need one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/keyring.h"
#include "config/tls.h"

static char *any[] = { (char[]){ "*" }, NULL };
static char *t5[] = { (char[]){ "t5-*" }, (char[]){ "gpt" }, NULL };
static char *large[] = { (char[]){ "*-large" }, NULL };

static void
deny_wins_and_no_models_are_all(void **state)
{
	const struct {
		struct config_team	 team;
		const char		*model;
		bool			 may;
	} rows[] = {
		{ { 0 }, "gpt", true },
		{ { 0 }, "", true },
		{ { .models = t5 }, "gpt", true },
		{ { .models = t5 }, "t5-large", true },
		{ { .models = t5 }, "GPT", false },
		{ { .models = t5 }, "gpt-2", false },
		{ { .models = t5 }, "", false },
		{ { .models = any }, "", true },
		{ { .deny = large }, "t5-base", true },
		{ { .deny = large }, "t5-large", false },
		{ { .deny = large }, "", false },
		{ { .models = t5, .deny = large }, "t5-large", false },
		{ { .models = t5, .deny = large }, "t5-base", true },
		{ { .models = any, .deny = large }, "", false },
		{ { .deny = any }, "gpt", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(config_team_may_use(&rows[i].team, bytes_str(rows[i].model)),
		    rows[i].may);
}

static void
a_key_leads_to_its_team(void **state)
{
	struct config_team teams[2] = { 0 };
	struct config config = { .teams = teams, .n_teams = 2, .keys = keyring_new() };
	size_t other;

	(void)state;
	assert_int_equal(keyring_add(config.keys, (char[KEYRING_SUM_LEN]){ 1 }, 1, &other), 0);
	assert_ptr_equal(config_team_find(&config, (char[KEYRING_SUM_LEN]){ 1 }), &teams[1]);
	assert_null(config_team_find(&config, (char[KEYRING_SUM_LEN]){ 2 }));
	keyring_free(config.keys);
}

static void
a_name_leads_to_its_team(void **state)
{
	struct config_team teams[] = { { .name = "b" }, { .name = "a-1" }, { .name = "b2" } };
	const struct config_team *by_name[] = { &teams[1], &teams[0], &teams[2] };
	const struct config config = { .teams = teams, .n_teams = 3, .teams_by_name = by_name };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(teams); i++)
		assert_ptr_equal(config_team_named(&config, bytes_str(teams[i].name)), &teams[i]);
	assert_null(config_team_named(&config, BYTES_LIT("B")));
	assert_null(config_team_named(&config, BYTES_LIT("a")));
	assert_null(config_team_named(&config, BYTES_LIT("b\0")));
	assert_null(config_team_named(&config, BYTES_LIT("")));
}

static void
an_address_is_open_unless_teams_or_certificates_close_it(void **state)
{
	struct config_tls tls[] = { { .key = "k" }, { .client_ca = "ca" } };
	struct config config = { .tls = tls };

	(void)state;
	assert_true(config_is_open(&config, "0.0.0.0:80"));
	assert_false(config_is_open(&config, "127.0.0.1:80"));
	config.n_tls = 1;
	assert_true(config_is_open(&config, "0.0.0.0:80"));
	config.n_tls = 2;
	assert_false(config_is_open(&config, "0.0.0.0:80"));
	config.n_tls = 0;
	config.n_teams = 1;
	assert_false(config_is_open(&config, "0.0.0.0:80"));
}

static void
some_addresses_only_this_machine_reaches(void **state)
{
	static const char *const local[] = {
		"127.0.0.1:8080", "127.1.2.3:0", "localhost:80", "[::1]:80", "unix:/run/x",
	};
	static const char *const open[] = {
		"0.0.0.0:80", "[::]:80", ":80", "127.example.org:80", "host:80", "10.0.0.1:80",
		"localhost.example.org:80", "128.0.0.1:80", "descriptor 3",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(local); i++)
		assert_true(config_is_local(local[i]));
	for (size_t i = 0; i < ARRAY_LEN(open); i++)
		assert_false(config_is_local(open[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deny_wins_and_no_models_are_all),
		cmocka_unit_test(a_key_leads_to_its_team),
		cmocka_unit_test(a_name_leads_to_its_team),
		cmocka_unit_test(an_address_is_open_unless_teams_or_certificates_close_it),
		cmocka_unit_test(some_addresses_only_this_machine_reaches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
