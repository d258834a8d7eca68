/* SPDX-License-Identifier: MIT */
/*
 * test_literal.c - YAML in, JSON out.
 */
#include "config/literal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "config/tree.h"

static int
write_out(const char *yaml, struct buf *out, struct literal_fault *fault, unsigned *line_column)
{
	struct tree_error error;
	struct tree *tree;
	int r = tree_read(bytes_str(yaml), &tree, &error);

	if (r != 0)
		fail_msg("%s: %s", yaml, error.what);
	buf_init(out, LITERAL_MAX);
	r = literal_add(tree_root(tree), out, fault);
	if (r != 0) {
		line_column[0] = fault->node->line;
		line_column[1] = fault->node->column;
	}
	tree_free(tree);
	return r;
}

static void
values_become_json(void **state)
{
	static const char *const rows[][2] = {
		/* words, as YAML 1.2 has them: yes and on are texts */
		{ "null", "null" }, { "Null", "null" }, { "NULL", "null" }, { "~", "null" },
		{ "true", "true" }, { "True", "true" }, { "TRUE", "true" }, { "false", "false" },
		{ "False", "false" }, { "FALSE", "false" }, { "yes", "\"yes\"" },
		{ "on", "\"on\"" }, { "nULL", "\"nULL\"" }, { "truE", "\"truE\"" },
		{ "'true'", "\"true\"" }, { "\"null\"", "\"null\"" }, { "''", "\"\"" },
		{ "\"12\"", "\"12\"" }, { ">-\n  12", "\"12\"" }, { "|\n  12\n", "\"12\\u000a\"" },
		/* numbers that are JSON's keep their spelling */
		{ "0", "0" }, { "-0", "-0" }, { "12", "12" }, { "-12", "-12" }, { "1.50", "1.50" },
		{ "0.70", "0.70" }, { "1e3", "1e3" }, { "1E+3", "1E+3" }, { "1.0e-10", "1.0e-10" },
		{ "123456789012345678901234567890", "123456789012345678901234567890" },
		{ "1e999", "1e999" },
		/* others are YAML's alone */
		{ "+1", "1" }, { "+.5", "0.5" }, { ".5", "0.5" }, { "-.5e2", "-0.5e2" },
		{ "1.", "1.0" }, { "1.e3", "1.0e3" }, { "007", "7" }, { "000", "0" },
		{ "-00.5", "-0.5" }, { "0x1F", "31" }, { "0xffffffffffffffff",
		"18446744073709551615" }, { "0o17", "15" },
		/* and these are texts */
		{ "0x", "\"0x\"" }, { "0xg", "\"0xg\"" }, { "0o8", "\"0o8\"" }, { ".", "\".\"" },
		{ "+", "\"+\"" }, { "1_000", "\"1_000\"" }, { "1e", "\"1e\"" },
		{ "1e+", "\"1e+\"" },
		{ "1 2", "\"1 2\"" }, { "1.2.3", "\"1.2.3\"" }, { "-0x1", "\"-0x1\"" },
		{ "2027-01-31", "\"2027-01-31\"" }, { "inf", "\"inf\"" }, { "'.inf'", "\".inf\"" },
		{ "low\n  and high", "\"low and high\"" },
		{ "\"a\\\"b\\\\c\\n\\t\\x01\\x7f/\"", "\"a\\\"b\\\\c\\u000a\\u0009\\u0001\x7f/\"" },
		{ "größe €", "\"größe €\"" },
		/* lists and maps, as deep as they come */
		{ "[]", "[]" }, { "{}", "{}" },
		{ "[1, a, [~], {b: 2}]", "[1,\"a\",[null],{\"b\":2}]" },
		{ "{effort: low, n: {'1': 1.0, 2: [x]}}",
		"{\"effort\":\"low\",\"n\":{\"1\":1.0,\"2\":[\"x\"]}}" },
		{ "{a: , ~: \"q\\\"\"}", "{\"a\":null,\"~\":\"q\\\"\"}" },
		{ "{a: &x {b: 1}, c: *x}", "{\"a\":{\"b\":1},\"c\":{\"b\":1}}" },
		{ "{a: &x some text, c: *x}", "{\"a\":\"some text\",\"c\":\"some text\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct literal_fault fault;
		unsigned at[2];
		struct buf out;

		if (write_out(rows[i][0], &out, &fault, at) != 0)
			fail_msg("%s: %s", rows[i][0], fault.why);
		if (!bytes_eq_str(buf_bytes(&out), rows[i][1]))
			fail_msg("%s: %.*s", rows[i][0], BYTES_ARG(buf_bytes(&out)));
		buf_done(&out);
	}
}

static void
what_json_cannot_say_is_told_with_its_place(void **state)
{
	static const struct {
		const char	*yaml;
		unsigned	 line, column;
		const char	*why;
	} rows[] = {
		{ ".inf", 1, 1, "is no number that JSON can hold" },
		{ "[1, -.Inf]", 1, 5, "is no number that JSON can hold" },
		{ "a: 1\nb: {c: +.INF}", 2, 8, "is no number that JSON can hold" },
		{ "a:\n- .nan", 2, 3, "is no number that JSON can hold" },
		{ "1e-1234567890", 1, 1, "is no number that JSON can hold" },
		{ "0x10000000000000000", 1, 1,
		    "is larger than 64 bits; write it in decimal digits" },
		{ "[!!str 5]", 1, 2, "must stand without a tag or an anchor; a text in quotes" },
		{ "!!int \"5\"", 1, 1, "must stand without a tag or an anchor; a text in quotes" },
		{ "! 5", 1, 1, "must stand without a tag or an anchor; a text in quotes" },
		{ "!!set {a: ~}", 1, 1, "must stand without a tag or an anchor; a text in quotes" },
		{ "[&x true]", 1, 2, "must stand without a tag or an anchor; a text in quotes" },
		{ "&x [*x]", 1, 1, "is nested too deep" },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 1, 33,
		    "is nested too deep" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct literal_fault fault;
		unsigned at[2];
		struct buf out;

		assert_int_equal(write_out(rows[i].yaml, &out, &fault, at), LITERAL_E_WRONG);
		if (strcmp(fault.why, rows[i].why) != 0 || at[0] != rows[i].line ||
		    at[1] != rows[i].column)
			fail_msg("%s: %u:%u: %s", rows[i].yaml, at[0], at[1], fault.why);
		buf_done(&out);
	}
}

/* What aliases make of a few lines has a bound too. */
static void
a_value_has_a_bound(void **state)
{
	struct literal_fault fault;
	struct buf yaml, out;
	unsigned at[2];

	(void)state;
	buf_init(&yaml, LITERAL_MAX);
	assert_int_equal(buf_add_str(&yaml, "- &a0 [x, x]\n"), 0);
	for (unsigned i = 1; i < 30; i++)
		assert_int_equal(buf_addf(&yaml, "- &a%u [*a%u, *a%u]\n", i, i - 1, i - 1), 0);
	assert_int_equal(buf_add(&yaml, (struct bytes){ "", 1 }), 0);
	assert_int_equal(write_out(buf_bytes(&yaml).ptr, &out, &fault, at), LITERAL_E_WRONG);
	assert_string_equal(fault.why, "is too large: at most 64kB of JSON");
	assert_true(buf_len(&out) <= LITERAL_MAX);
	buf_done(&out);
	buf_done(&yaml);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_become_json),
		cmocka_unit_test(what_json_cannot_say_is_told_with_its_place),
		cmocka_unit_test(a_value_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
