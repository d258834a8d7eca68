/* SPDX-License-Identifier: MIT */
/*
 * test_edit_body.c - members come, go and change, and every other byte stays.
 */
#include "proxy/edit_body.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/tree.h"

#define ARENA_SIZE	((size_t)1 << 20)

static void
add(struct config_edits *edits, enum config_edit_kind kind, const char *name, const char *value)
{
	struct tree_node name_node = { .text = name };
	struct tree_node value_node = { .text = value, .is_plain = true, .is_bare = true };
	struct literal_fault fault;

	assert_int_equal(edits_add(edits, kind, &name_node, value != NULL ? &value_node : NULL,
	    &fault), 0);
}

static void
bodies_are_edited(void **state)
{
	static const struct {
		const char	*body, *text;
		uint32_t	 made;	/* 1: set s, 2: strip x, 4: strip y, 8: default d */
	} rows[] = {
		{ "{}", "{\"s\":1,\"d\":2}", 9 },
		{ " { } ", " {\"s\":1,\"d\":2 } ", 9 },
		{ "{\"a\":0}", "{\"a\":0,\"s\":1,\"d\":2}", 9 },
		{ "{ \"a\" : 0 }\n", "{ \"a\" : 0,\"s\":1,\"d\":2 }\n", 9 },
		{ "{\"s\":1,\"d\":3}", "{\"s\":1,\"d\":3}", 0 },
		{ "{\"s\":5,\"d\":null}", "{\"s\":1,\"d\":null}", 1 },
		{ "{\"s\": 1.0 ,\"d\":3}", "{\"s\": 1 ,\"d\":3}", 1 },
		{ "{\"s\":{\"s\":[2]},\"d\":0}", "{\"s\":1,\"d\":0}", 1 },
		{ "{\"d\":0,\"s\":[{\"x\":1}]}", "{\"d\":0,\"s\":1}", 1 },
		{ "{\"\\u0073\":5,\"\\u0064\":0}", "{\"\\u0073\":1,\"\\u0064\":0}", 1 },
		/* only topmost members, and only by their whole name */
		{ "{\"a\":{\"x\":1,\"s\":2},\"s\":1,\"d\":0,\"xx\":3,\"\":4}",
		  "{\"a\":{\"x\":1,\"s\":2},\"s\":1,\"d\":0,\"xx\":3,\"\":4}", 0 },
		/* what goes takes one comma along */
		{ "{\"x\":1,\"s\":1,\"d\":0}", "{\"s\":1,\"d\":0}", 2 },
		{ "{ \"x\" : {\"a\":[1]} , \"s\":1,\"d\":0}", "{ \"s\":1,\"d\":0}", 2 },
		{ "{\"s\":1,\"x\":1,\"d\":0}", "{\"s\":1,\"d\":0}", 2 },
		{ "{\"s\":1 , \"\\u0078\" : \"}\" , \"d\":0}", "{\"s\":1 , \"d\":0}", 2 },
		{ "{\"s\":1,\"d\":0,\"x\":[]}", "{\"s\":1,\"d\":0}", 2 },
		{ "{\"s\":1,\"d\":0,\n\"x\":[]\n}", "{\"s\":1,\"d\":0\n}", 2 },
		{ "{\"x\":1,\"y\":2,\"s\":1,\"d\":0}", "{\"s\":1,\"d\":0}", 6 },
		{ "{\"s\":1,\"x\":1,\"y\":2,\"d\":0}", "{\"s\":1,\"d\":0}", 6 },
		{ "{\"s\":1,\"d\":0,\"x\":1,\"y\":2}", "{\"s\":1,\"d\":0}", 6 },
		{ "{\"x\":1,\"s\":1,\"y\":2,\"d\":0}", "{\"s\":1,\"d\":0}", 6 },
		{ "{\"y\":1,\"s\":2,\"d\":0,\"x\":2}", "{\"s\":1,\"d\":0}", 7 },
		/* and what is put in comes last, however little is left */
		{ "{\"x\":1}", "{\"s\":1,\"d\":2}", 11 },
		{ "{ \"x\": 1 , \"y\": 2 }", "{ \"s\":1,\"d\":2 }", 15 },
		{ "{\"x\":1,\"a\":0}", "{\"a\":0,\"s\":1,\"d\":2}", 11 },
		{ "{\"a\":0,\"x\":1}", "{\"a\":0,\"s\":1,\"d\":2}", 11 },
		{ "{\"a\":0,\"x\":1,\"b\":0,\"y\":2 }", "{\"a\":0,\"b\":0,\"s\":1,\"d\":2 }", 15 },
	};
	struct arena *arena = arena_new(ARENA_SIZE);
	struct config_edits edits = { 0 };

	(void)state;
	add(&edits, CONFIG_EDIT_SET, "s", "1");
	add(&edits, CONFIG_EDIT_STRIP, "x", NULL);
	add(&edits, CONFIG_EDIT_STRIP, "y", NULL);
	add(&edits, CONFIG_EDIT_DEFAULT, "d", "2");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes body = bytes_str(rows[i].body);
		struct edited edited;

		assert_int_equal(edit_body(&edits, body, arena, &edited), 0);
		if (!bytes_eq_str(edited.text, rows[i].text) || edited.made != rows[i].made)
			fail_msg("%s: %.*s, %u", rows[i].body, BYTES_ARG(edited.text), edited.made);
		assert_true(edited.made != 0 || edited.text.ptr == body.ptr);
	}
	edits_done(&edits);
	arena_free(arena);
}

/* Nothing is put in: what is left may be empty. */
static void
all_may_go(void **state)
{
	static const char *const rows[][2] = {
		{ "{}", "{}" }, { "{\"x\":1}", "{}" }, { "{ \"x\" : 1 , \"y\" : 2 }", "{  }" },
		{ "{\"y\":{},\"x\":[]}", "{}" }, { "{\"a\":1}", "{\"a\":1}" },
	};
	struct arena *arena = arena_new(ARENA_SIZE);
	struct config_edits edits = { 0 };

	(void)state;
	add(&edits, CONFIG_EDIT_STRIP, "x", NULL);
	add(&edits, CONFIG_EDIT_STRIP, "y", NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct edited edited;

		assert_int_equal(edit_body(&edits, bytes_str(rows[i][0]), arena, &edited), 0);
		if (!bytes_eq_str(edited.text, rows[i][1]))
			fail_msg("%s: %.*s", rows[i][0], BYTES_ARG(edited.text));
	}
	edits_done(&edits);
	arena_free(arena);
}

static void
as_many_edits_as_there_may_be_are_made(void **state)
{
	struct arena *arena = arena_new(ARENA_SIZE);
	struct config_edits edits = { 0 };
	struct edited edited;
	struct buf body;
	char name[16];

	(void)state;
	buf_init(&body, ARENA_SIZE);
	assert_int_equal(buf_add_str(&body, "{\"a\":0"), 0);
	for (int i = 0; i < CONFIG_EDITS_MAX; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		add(&edits, i == 0 ? CONFIG_EDIT_DEFAULT : CONFIG_EDIT_STRIP, name,
		    i == 0 ? "1" : NULL);
		if (i > 0)
			assert_int_equal(buf_addf(&body, ",\"%s\":1,\"n%d\":2", name, i), 0);
	}
	assert_int_equal(buf_add_str(&body, "}"), 0);
	assert_int_equal(edit_body(&edits, buf_bytes(&body), arena, &edited), 0);
	assert_int_equal(edited.made, UINT32_MAX);
	assert_true(bytes_has_prefix(edited.text, "{\"a\":0,\"n1\":2,\"n2\":2,"));
	assert_true(bytes_has_suffix(edited.text, ",\"n31\":2,\"m0\":1}"));
	buf_done(&body);
	edits_done(&edits);
	arena_free(arena);
}

static void
what_is_no_object_is_refused(void **state)
{
	static const char *const rows[] = {
		"", " ", "1", "null", "[]", "\"x\"", "{", "{\"a\"}", "{\"a\":1", "{\"a\":1}}",
		"{\"x\":1} {}", "{\"x\":1,}", "{\"x\":1,\"x\":2}", "{\"s\":1,\"\\u0073\":2}",
		"{\"a\":[1}", "{'x':1}", "{\"x\":1,\"a\":tru}", "{\"a\":{\"b\"}}",
	};
	struct arena *arena = arena_new(ARENA_SIZE);
	struct config_edits edits = { 0 };

	(void)state;
	add(&edits, CONFIG_EDIT_SET, "s", "1");
	add(&edits, CONFIG_EDIT_STRIP, "x", NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct edited edited;

		if (edit_body(&edits, bytes_str(rows[i]), arena, &edited) != EDIT_BODY_E_BAD)
			fail_msg("%s", rows[i]);
	}
	edits_done(&edits);
	arena_free(arena);
}

static void
a_full_arena_is_said(void **state)
{
	struct arena *arena = arena_new(8);
	struct config_edits edits = { 0 };
	struct edited edited;

	(void)state;
	add(&edits, CONFIG_EDIT_SET, "s", "1");
	assert_int_equal(edit_body(&edits, BYTES_LIT("{\"a\":1,\"s\":2}"), arena, &edited), -E2BIG);
	assert_int_equal(edit_body(&edits, BYTES_LIT("{\"a\":22222}"), arena, &edited), -E2BIG);
	edits_done(&edits);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_edited),
		cmocka_unit_test(all_may_go),
		cmocka_unit_test(as_many_edits_as_there_may_be_are_made),
		cmocka_unit_test(what_is_no_object_is_refused),
		cmocka_unit_test(a_full_arena_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
