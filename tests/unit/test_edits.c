/* SPDX-License-Identifier: MIT */
/*
 * test_edits.c - which members a route may edit, and how they are kept.
 */
#include "config/edits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/tree.h"

static struct tree_node
word(const char *text)
{
	return (struct tree_node){
		.kind = TREE_SCALAR, .text = text, .is_plain = true, .is_bare = true,
	};
}

/* Add NAME, with VALUE unless it is NULL; returns what is wrong with that, or NULL. */
static const char *
add(struct config_edits *edits, enum config_edit_kind kind, const char *name, const char *value)
{
	struct tree_node name_node = word(name), value_node = word(value);
	struct literal_fault fault;

	return edits_add(edits, kind, &name_node, value != NULL ? &value_node : NULL, &fault) == 0 ?
	    NULL : fault.why;
}

static void
members_are_kept_as_json(void **state)
{
	struct config_edits edits = { 0 };

	(void)state;
	assert_null(add(&edits, CONFIG_EDIT_SET, "temperature", "0.0"));
	assert_null(add(&edits, CONFIG_EDIT_STRIP, "user", NULL));
	assert_null(add(&edits, CONFIG_EDIT_DEFAULT, "a \"name\"\n", "b"));
	assert_int_equal(edits.n, 3);
	assert_string_equal(edits.list[0].member, "\"temperature\":0.0");
	assert_string_equal(edits.list[0].value, "0.0");
	assert_string_equal(edits.list[1].name, "user");
	assert_null(edits.list[1].member);
	assert_string_equal(edits.list[2].name, "a \"name\"\n");
	assert_string_equal(edits.list[2].member, "\"a \\\"name\\\"\\u000a\":\"b\"");
	assert_string_equal(edits.list[2].value, "\"b\"");
	edits_done(&edits);
	assert_int_equal(edits.n, 0);
	edits_done(&edits);
}

static void
what_may_not_be_edited_is_told(void **state)
{
	struct config_edits edits = { 0 };
	char name[CONFIG_EDIT_NAME_MAX + 2];

	(void)state;
	for (int kind = CONFIG_EDIT_SET; kind <= CONFIG_EDIT_DEFAULT; kind++) {
		assert_non_null(strstr(add(&edits, (enum config_edit_kind)kind, "model", "x"),
		    "rewrite_model"));
		assert_non_null(add(&edits, (enum config_edit_kind)kind, "stream", "true"));
		assert_non_null(add(&edits, (enum config_edit_kind)kind, "", "1"));
	}
	assert_non_null(strstr(add(&edits, CONFIG_EDIT_SET, "stream_options", "x"),
	    "include_usage"));
	assert_null(add(&edits, CONFIG_EDIT_STRIP, "stream_options", NULL));
	assert_null(add(&edits, CONFIG_EDIT_SET, "a", "1"));
	assert_string_equal(add(&edits, CONFIG_EDIT_DEFAULT, "a", "1"),
	    "stands in \"set\" already");
	assert_string_equal(add(&edits, CONFIG_EDIT_SET, "stream_options", "x"),
	    "is not for editing; see include_usage of the upstream");
	assert_string_equal(add(&edits, CONFIG_EDIT_STRIP, "stream_options", NULL),
	    "stands in \"strip\" already");
	assert_string_equal(add(&edits, CONFIG_EDIT_SET, "b", ".inf"),
	    "is no number that JSON can hold");
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_non_null(add(&edits, CONFIG_EDIT_SET, name, "1"));
	name[sizeof(name) - 2] = '\0';
	assert_null(add(&edits, CONFIG_EDIT_SET, name, "1"));
	edits_done(&edits);
}

static void
a_route_edits_so_many_members(void **state)
{
	struct config_edits edits = { 0 };
	char name[16];

	(void)state;
	for (int i = 0; i < CONFIG_EDITS_MAX; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		assert_null(add(&edits, CONFIG_EDIT_SET, name, "1"));
	}
	assert_non_null(strstr(add(&edits, CONFIG_EDIT_SET, "more", "1"), "at most 32"));
	edits_done(&edits);
}

static void
what_is_set_or_stripped_is_strict(void **state)
{
	static const struct {
		enum config_edit_kind	kind;
		bool			is_strict, is_strict_empty;
	} rows[] = {
		{ CONFIG_EDIT_SET, true, true }, { CONFIG_EDIT_STRIP, true, false },
		{ CONFIG_EDIT_DEFAULT, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config_edits edits = { 0 };

		assert_false(edits_are_strict(&edits, false));
		assert_null(add(&edits, rows[i].kind, "a", "1"));
		assert_int_equal(edits_are_strict(&edits, false), rows[i].is_strict);
		assert_int_equal(edits_are_strict(&edits, true), rows[i].is_strict_empty);
		edits_done(&edits);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_kept_as_json),
		cmocka_unit_test(what_may_not_be_edited_is_told),
		cmocka_unit_test(a_route_edits_so_many_members),
		cmocka_unit_test(what_is_set_or_stripped_is_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
