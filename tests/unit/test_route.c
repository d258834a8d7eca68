/* SPDX-License-Identifier: MIT */
/*
 * test_route.c - which route takes which request.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"

static char *any[] = { (char[]){ "*" }, NULL };
static char *t5[] = { (char[]){ "t5-*" }, (char[]){ "org/t5" }, NULL };
static char *stars[] = { (char[]){ "**" }, NULL };

static void
the_first_route_that_takes_a_request_wins(void **state)
{
	struct config_route routes[] = {
		{ .models = stars, .dialect = (char[]){ "tei" } },
		{ .models = t5, .path = (char[]){ "/models/*" } },
		{ .models = t5, .dialect = (char[]){ "openai" } },
		{ .models = any, .dialect = (char[]){ "ollama" } },
	};
	const struct config config = { .routes = routes, .n_routes = ARRAY_LEN(routes) };
	const struct {
		const char	*model, *path, *dialect;
		int		 route;		/* -1: none */
	} rows[] = {
		{ "t5-base", "/models/t5-base", "hf", 1 },
		{ "org/t5", "/models/org/t5", "hf", 1 },
		{ "T5-base", "/models/T5-base", "hf", -1 },
		{ "t5-base", "/v1/embeddings", "openai", 2 },
		{ "gpt", "/v1/embeddings", "openai", -1 },
		{ "", "/api/tags", "ollama", 3 },
		{ "gpt", "/api/chat", "ollama", 3 },
		{ "", "/embed", "tei", -1 },
		{ "m", "/embed", "tei", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_ptr_equal(config_route_find(&config, NULL, bytes_str(rows[i].model),
		    bytes_str(rows[i].path), rows[i].dialect),
		    rows[i].route < 0 ? NULL : &routes[rows[i].route]);
}

static void
a_route_may_be_for_some_teams_alone(void **state)
{
	struct config_team teams[3] = { 0 };
	size_t second[] = { 1 }, both[] = { 0, 1 };
	struct config_route routes[] = {
		{ .models = t5, .teams = second, .n_teams = 1 },
		{ .models = t5, .teams = both, .n_teams = 2 },
		{ .models = any },
	};
	const struct config config = {
		.routes = routes, .n_routes = ARRAY_LEN(routes), .teams = teams,
		.n_teams = ARRAY_LEN(teams),
	};
	const struct {
		const struct config_team	*team;
		size_t				 route;
	} rows[] = { { &teams[0], 1 }, { &teams[1], 0 }, { &teams[2], 2 }, { NULL, 2 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_ptr_equal(config_route_find(&config, rows[i].team, BYTES_LIT("org/t5"),
		    BYTES_LIT("/"), "hf"), &routes[rows[i].route]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_route_that_takes_a_request_wins),
		cmocka_unit_test(a_route_may_be_for_some_teams_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
