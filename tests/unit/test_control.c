/* SPDX-License-Identifier: MIT */
/*
 * test_control.c - the ways of asking something of a cache, all of them.
 */
#include "proxy/dialect/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ARENA_SIZE	((size_t)64 << 10)

static const char *
read_one(struct controls *controls, const char *name, const char *value)
{
	struct field field = { bytes_str(name), bytes_str(value) };
	const struct fields fields = { .list = &field, .n = 1 };

	*controls = (struct controls){ 0 };
	return control_read_fields(controls, &fields);
}

static void
fields_ask_by_the_table(void **state)
{
	static const struct {
		const char	*name, *value;
		bool		 no_cache, no_store, only_if_cached, explains;
		usec_t		 ttl;
		const char	*namespace;
	} rows[] = {
		{ .name = "Cache-Control", .value = "no-cache", .no_cache = true },
		{ .name = "Cache-Control", .value = "no-store", .no_store = true },
		{ .name = "Cache-Control", .value = "only-if-cached", .only_if_cached = true },
		{ .name = "Pragma", .value = "no-cache", .no_cache = true },
		{ .name = "X-Use-Cache", .value = "false", .no_cache = true },
		{ .name = "X-Use-Cache", .value = "0", .no_cache = true },
		{ .name = "x-use-cache", .value = "true" },
		{ .name = "X-Load-Model", .value = "0", .only_if_cached = true },
		{ .name = "cf-aig-skip-cache", .value = "true", .no_cache = true },
		{ .name = "cf-aig-skip-cache", .value = "false" },
		{ .name = "cf-aig-cache-ttl", .value = "60", .ttl = 60 * USEC_PER_SEC },
		{ .name = "cf-aig-cache-ttl", .value = "1m" },
		{ .name = "x-portkey-cache-force-refresh", .value = "True", .no_cache = true },
		{ .name = "Helicone-Cache-Enabled", .value = "false", .no_cache = true,
		    .no_store = true },
		{ .name = "Helicone-Cache-Enabled", .value = "true" },
		{ .name = "x-reprise-ttl", .value = "60", .ttl = 60 * USEC_PER_SEC },
		{ .name = "x-reprise-ttl", .value = "10m", .ttl = 600 * USEC_PER_SEC },
		{ .name = "x-reprise-namespace", .value = "mine", .namespace = "mine" },
		{ .name = "x-reprise-explain", .value = "1", .explains = true },
		{ .name = "x-other", .value = "1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct controls c;

		if (read_one(&c, rows[i].name, rows[i].value) != NULL ||
		    c.directives.no_cache != rows[i].no_cache ||
		    c.directives.no_store != rows[i].no_store ||
		    c.directives.only_if_cached != rows[i].only_if_cached ||
		    c.explains != rows[i].explains || c.has_ttl != (rows[i].ttl != 0) ||
		    c.ttl != rows[i].ttl || !bytes_eq_str(c.namespace, rows[i].namespace))
			fail_msg("%s: %s", rows[i].name, rows[i].value);
	}
}

static void
what_is_wrong_with_ours_is_said(void **state)
{
	static const char *const wrong[][2] = {
		{ "x-reprise-ttl", "soon" }, { "x-reprise-ttl", "" }, { "x-reprise-ttl", "-1" },
		{ "x-reprise-ttl", "99999999999999999999" }, { "x-reprise-namespace", "" },
	};
	struct controls c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (read_one(&c, wrong[i][0], wrong[i][1]) == NULL)
			fail_msg("%s: %s", wrong[i][0], wrong[i][1]);
	assert_null(read_one(&c, "cf-aig-cache-ttl", "soon"));
}

static void
an_object_of_known_members_is_ours(void **state)
{
	static const struct {
		const char	*object;
		bool		 is_ours, no_cache, no_store;
		usec_t		 ttl, max_age;
		const char	*namespace;
	} rows[] = {
		{ .object = "{}", .is_ours = true },
		{ .object = "{\"no-cache\": true}", .is_ours = true, .no_cache = true },
		{ .object = "{\"no-cache\": false}", .is_ours = true },
		{ .object = "{\"no-store\": true, \"ttl\": 60}", .is_ours = true,
		    .no_store = true, .ttl = 60 * USEC_PER_SEC },
		{ .object = "{\"s-maxage\": 5}", .is_ours = true, .max_age = 5 * USEC_PER_SEC },
		{ .object = "{\"namespace\": \"a\"}", .is_ours = true, .namespace = "a" },
		{ .object = "{\"namespace\": 1}" },
		{ .object = "{\"ttl\": \"60\"}" },
		{ .object = "{\"no-cache\": true, \"type\": \"ephemeral\"}" },
		{ .object = "[]" },
		{ .object = "true" },
	};
	struct arena *arena = arena_new(ARENA_SIZE);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct controls c = { 0 };
		bool is_ours = control_read_object(&c, bytes_str(rows[i].object), arena);

		if (is_ours != rows[i].is_ours || c.directives.no_cache != rows[i].no_cache ||
		    c.directives.no_store != rows[i].no_store || c.ttl != rows[i].ttl ||
		    c.directives.max_age != rows[i].max_age ||
		    !bytes_eq_str(c.namespace, rows[i].namespace))
			fail_msg("%s", rows[i].object);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_ask_by_the_table),
		cmocka_unit_test(what_is_wrong_with_ours_is_said),
		cmocka_unit_test(an_object_of_known_members_is_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
