/* SPDX-License-Identifier: MIT */
/*
 * test_schema.c - the schema is JSON and knows every option.
 */
#include "config/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/mem.h"
#include "config/option.h"

static json_t *
properties_of(json_t *schema, const char *const *steps)
{
	for (; *steps != NULL; steps++)
		schema = json_is_array(schema) ? json_array_get(schema, **steps == '1') :
		    json_object_get(schema, *steps);
	assert_non_null(schema);
	return schema;
}

static void
every_option_is_in_its_place(void **state)
{
	static const char *const steps[][10] = {
		[PLACE_TOP] = { "properties" },
		[PLACE_LISTEN] = { "properties", "listen", "oneOf", "0", "oneOf", "1",
		    "properties" },
		[PLACE_TLS] = { "properties", "tls", "oneOf", "1", "items", "properties" },
		[PLACE_LOG] = { "properties", "log", "properties" },
		[PLACE_CACHE] = { "properties", "cache", "properties" },
		[PLACE_UPSTREAM] = { "properties", "upstreams", "additionalProperties",
		    "properties" },
		[PLACE_TIMEOUTS] = { "properties", "upstreams", "additionalProperties",
		    "properties", "timeouts", "properties" },
		[PLACE_TEAM] = { "properties", "teams", "additionalProperties", "properties" },
		[PLACE_ROUTE] = { "properties", "routes", "items", "properties" },
		[PLACE_PRICE] = { "properties", "prices", "items", "properties" },
		[PLACE_REVISION] = { "properties", "upstreams", "additionalProperties",
		    "properties", "revision", "oneOf", "1", "properties" },
		[PLACE_ROUTE_CACHE] = { "properties", "routes", "items", "properties", "cache",
		    "oneOf", "1", "properties" },
	};
	char *text = schema_text();
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	(void)state;
	assert_non_null(root);
	for (size_t place = 0; place < ARRAY_LEN(steps); place++) {
		json_t *properties = properties_of(root, steps[place]);
		const struct option *o = NULL;
		size_t n = 0;

		while ((o = option_next((enum option_place)place, o)) != NULL) {
			assert_non_null(json_object_get(json_object_get(properties, o->name),
			    "description"));
			n++;
		}
		assert_int_equal(n, json_object_size(properties));
	}
	json_decref(root);
	xfree(text);
}

/* As the loader sees it: what has an option of its own is refused by editors too. */
static void
what_a_route_may_edit_is_told(void **state)
{
	static const char *const steps[][8] = {
		{ "properties", "routes", "items", "properties", "set", "propertyNames" },
		{ "properties", "routes", "items", "properties", "default", "propertyNames" },
		{ "properties", "routes", "items", "properties", "strip", "oneOf", "1", "items" },
	};
	char *text = schema_text();
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		const char *path[9] = { NULL };
		json_t *names;

		memcpy(path, steps[i], sizeof(steps[i]));
		names = json_object_get(json_object_get(properties_of(root, path), "not"), "enum");
		assert_int_equal(json_array_size(names), i < 2 ? 3 : 2);
		assert_string_equal(json_string_value(json_array_get(names, 0)), "model");
	}
	json_decref(root);
	xfree(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_is_in_its_place),
		cmocka_unit_test(what_a_route_may_edit_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
