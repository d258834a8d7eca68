/* SPDX-License-Identifier: MIT */
/*
 * test_json_walk.c - JSON is walked to its end, anything else is not, and each item
 * says where it stands.
 */
#include "tests/unit/stream_fixture.h"

#include "proxy/dialect/json_walk.h"

/* Walk TEXT; how that ended. */
static int
walk_all(struct bytes text)
{
	struct json_walk walk;
	struct json_item item;
	int r;

	json_walk_init(&walk, text);
	while ((r = json_walk_next(&walk, &item)) == 0)
		assert_true(item.start >= text.ptr && item.raw.ptr >= item.start &&
		    item.raw.ptr + item.raw.len <= text.ptr + text.len);
	return r;
}

static void
json_is_walked_to_its_end(void **state)
{
	static const char *const texts[] = {
		"{}", "[]", " [ ] ", "null", "true", "false", "\t0\r\n", "-0", "1", "-12.50",
		"1e5", "1E+05", "0.0e-0", "12345678901234567890123", "''", "'a'",
		"'\\'\\\\\\/\\b\\f\\n\\r\\t\\u0aF9'", "'\xc3\xa9'", "'\x7f'", "[1,[2,{'a':[]}],{}]",
		"{'a':1,'a':2}", "{'':{'b' : [ null , true ]} , 'c':'}]'}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char *text = quoted(texts[i]);

		if (walk_all(bytes_str(text)) != JSON_WALK_E_END)
			fail_msg("%s", text);
		xfree(text);
	}
}

static void
anything_else_is_not(void **state)
{
	static const char *const texts[] = {
		"", " ", "{", "[", "}", "]", "[}", "{]", "[1", "[1,", "[1,]", "[,1]", "[1 2]",
		"[1]]", "{}{}", "1 2", "{'a'}", "{'a':}", "{'a':1,}", "{,}", "{'a' 1}",
		"{'a':1 'b':2}", "{a:1}", "{1:1}", "{'a':1]", "[1:2]", "nul", "nullx", "True",
		"NaN", "-", "+1", "01", "-01", ".5", "1.", "1.e5", "1e", "1e+", "0x1", "'",
		"'a", "'\\'", "'\\x'", "'\\u12'", "'\\u12g4'", "'\n'", "'\t'", "[1]x",
		"\xef\xbb\xbf{}", "/**/1", "\v1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char *text = quoted(texts[i]);

		if (walk_all(bytes_str(text)) != JSON_WALK_E_BAD)
			fail_msg("%s", text);
		xfree(text);
	}
	assert_int_equal(walk_all(BYTES_NONE), JSON_WALK_E_BAD);
	assert_int_equal(walk_all(BYTES_LIT("[\0]")), JSON_WALK_E_BAD);
	assert_int_equal(walk_all(BYTES_LIT("\"\\\0\"")), JSON_WALK_E_BAD);
	assert_int_equal(walk_all(BYTES_LIT("1\0")), JSON_WALK_E_BAD);
}

static void
each_item_says_where_it_stands(void **state)
{
	static const struct {
		enum json_walk_type	 type;
		size_t			 depth;
		const char		*comma, *name, *raw;
		size_t			 start;
	} rows[] = {
		{ JSON_WALK_OBJECT, 0, "", "", "{", 1 },
		{ JSON_WALK_STRING, 1, "", "a", "'x'", 3 },
		{ JSON_WALK_ARRAY, 1, " ,", "b", "[", 13 },
		{ JSON_WALK_NUMBER, 2, "", "", "-1.5", 18 },
		{ JSON_WALK_OBJECT, 2, ",", "", "{", 24 },
		{ JSON_WALK_CLOSE, 2, "", "", "}", 25 },
		{ JSON_WALK_CLOSE, 1, "", "", "]", 27 },
		{ JSON_WALK_NULL, 1, ",", "c", "null", 29 },
		{ JSON_WALK_CLOSE, 0, "", "", "}", 37 },
	};
	char *text = quoted(" { 'a': 'x' ,'b':[-1.5, {} ],'c':null}");
	struct json_walk walk;
	struct json_item item;

	(void)state;
	json_walk_init(&walk, bytes_str(text));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *raw = quoted(rows[i].raw);

		assert_int_equal(json_walk_next(&walk, &item), 0);
		assert_int_equal(item.type, rows[i].type);
		assert_int_equal(item.depth, rows[i].depth);
		assert_true(bytes_eq_str(item.comma, rows[i].comma));
		assert_true(bytes_eq_str(item.name, rows[i].name));
		assert_true(bytes_eq_str(item.raw, raw));
		assert_int_equal(item.start - text, rows[i].start);
		xfree(raw);
	}
	assert_int_equal(json_walk_next(&walk, &item), JSON_WALK_E_END);
	xfree(text);
}

/* N arrays in one another. */
static int
walk_arrays(size_t n)
{
	char text[2 * JSON_WALK_DEPTH_MAX + 2];

	memset(text, '[', n);
	memset(text + n, ']', n);
	return walk_all((struct bytes){ text, 2 * n });
}

static void
depth_has_a_limit(void **state)
{
	(void)state;
	assert_int_equal(walk_arrays(JSON_WALK_DEPTH_MAX), JSON_WALK_E_END);
	assert_int_equal(walk_arrays(JSON_WALK_DEPTH_MAX + 1), JSON_WALK_E_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_walked_to_its_end),
		cmocka_unit_test(anything_else_is_not),
		cmocka_unit_test(each_item_says_where_it_stands),
		cmocka_unit_test(depth_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
