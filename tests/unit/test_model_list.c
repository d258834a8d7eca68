/* SPDX-License-Identifier: MIT */
/*
 * test_model_list.c - what of a list of models is taken.
 */
#include "proxy/dialect/model_list.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
ids_are_read_in_their_order(void **state)
{
	static const struct {
		const char	*body;
		const char	*ids;
	} rows[] = {
		{ "{\"object\":\"list\",\"data\":[{\"id\":\"gpt-4o\",\"object\":\"model\","
		    "\"created\":1,\"owned_by\":\"system\"},{\"id\":\"a/b:c\"}]}",
		    "gpt-4o\na/b:c\n" },
		{ "{\"data\":[]}", "" },
		{ "{\"models\":[{\"id\":\"x\"}],\"data\":[{\"id\":\"b\"},{\"id\":\"a\"},"
		    "{\"id\":\"b\"}]}", "b\na\nb\n" },
		{ "{\"data\":[7,null,\"x\",[],{},{\"id\":7},{\"id\":\"\"},{\"id\":\"a\\nb\"},"
		    "{\"id\":\"c\\u007f\"},{\"id\":\"d\\u001b[1m\"},{\"id\":\"e f\"}]}", "e f\n" },
	};
	struct buf out;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_init(&out, MODEL_LIST_SIZE);
		assert_int_equal(model_list_read(bytes_str(rows[i].body), &out), 0);
		if (!bytes_eq_str(buf_bytes(&out), rows[i].ids))
			fail_msg("row %zu: %.*s", i, BYTES_ARG(buf_bytes(&out)));
		buf_done(&out);
	}
}

static void
what_is_no_list_is_told(void **state)
{
	static const char *const bodies[] = {
		"", "[", "[]", "null", "{}", "{\"data\":{}}", "{\"data\":null}", "<html>", "\xff",
		"{\"data\":[{\"id\":\"a\"}]", "{\"error\":{\"message\":\"x\"}}",
	};
	struct buf out;

	(void)state;
	buf_init(&out, MODEL_LIST_SIZE);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		if (model_list_read(bytes_str(bodies[i]), &out) != MODEL_LIST_E_NONE)
			fail_msg("%s", bodies[i]);
	assert_int_equal(buf_len(&out), 0);
}

static void
it_has_a_bound(void **state)
{
	struct buf body, out;

	(void)state;
	buf_init(&body, (size_t)8 << 20);
	buf_init(&out, MODEL_LIST_SIZE);
	assert_int_equal(buf_add_str(&body, "{\"data\":[{\"id\":\"0\"}"), 0);
	for (int i = 1; i < 3 * MODEL_LIST_MAX; i++)
		assert_int_equal(buf_addf(&body, ",{\"id\":\"%0*d\"}", i % 2 == 0 ? 256 : 257,
		    i), 0);
	assert_int_equal(buf_add_str(&body, "]}"), 0);
	assert_int_equal(model_list_read(buf_bytes(&body), &out), 0);
	assert_int_equal(buf_len(&out), 2 + 257 * (MODEL_LIST_MAX / 2 - 1));
	buf_done(&body);
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_read_in_their_order),
		cmocka_unit_test(what_is_no_list_is_told),
		cmocka_unit_test(it_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
