/* SPDX-License-Identifier: MIT */
/*
 * test_canon.c - the same value gives the same bytes and nothing else merges:
 * by tables, and by documents made at random and respelled at random.
 */
#include "cache/canon.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"

#include <cmocka.h>

#define ARENA_MAX	((size_t)256 << 20)
#define JANSSON_FLAGS	(JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL)
#define N_DOCUMENTS	2000

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(ARENA_MAX);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena = arena_free(arena);
	return 0;
}

static struct canon
make(struct bytes body, const struct canon_rules *rules)
{
	struct canon canon;
	int r = canon_make(body, rules, arena, &canon);

	if (r != 0)
		fail_msg("%d for %.*s", r, BYTES_ARG(body));
	return canon;
}

static void
expect(const char *body, const struct canon_rules *rules, const char *want)
{
	struct bytes text = make(bytes_str(body), rules).text;

	if (!bytes_eq_str(text, want))
		fail_msg("%s: %.*s, not %s", body, BYTES_ARG(text), want);
}

static int
outcome(struct bytes body)
{
	struct canon canon;

	return canon_make(body, NULL, arena, &canon);
}

static void
spellings_of_one_value_are_one(void **state)
{
	static const struct {
		const char *body, *text;
	} rows[] = {
		{ " {\r\n\t} ", "{}" },
		{ "[ ]", "[]" },
		{ "[ null , true,false ]", "[null,true,false]" },
		{ "{\"b\": 1, \"a\": 2}", "{\"a\":2,\"b\":1}" },
		{ "{\"b\":1,\"\\u0061\":2}", "{\"a\":2,\"b\":1}" },
		{ "{\"b\": [{\"d\": 1, \"c\": 2}], \"a\": 3}",
		    "{\"a\":3,\"b\":[{\"c\":2,\"d\":1}]}" },
		{ "[{\"b\":{},\"a\":[]},{\"d\":{\"f\":0,\"e\":0},\"c\":0}]",
		    "[{\"a\":[],\"b\":{}},{\"c\":0,\"d\":{\"e\":0,\"f\":0}}]" },
		{ "{\"ab\":1,\"a\":2,\"\":3}", "{\"\":3,\"a\":2,\"ab\":1}" },
		{ "\"\\u00e9\\/\\u000A\"", "\"\303\251/\\n\"" },
		{ "-0", "0" },
		{ "[1.0,10e-1,0.1E1]", "[1e0,1e0,1e0]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect(rows[i].body, NULL, rows[i].text);
}

static void
names_are_sorted_as_unescaped_bytes(void **state)
{
	(void)state;
	/* Escaped, a line feed would sort behind "a". */
	expect("{\"a\":1,\"\\n\":2}", NULL, "{\"\\n\":2,\"a\":1}");
	expect("{\"\\ud800\":1,\"z\":2}", NULL, "{\"z\":2,\"\\ud800\":1}");
	/* U+FFFF before U+10000, though not in UTF-16. */
	expect("{\"\\ud800\\udc00\":1,\"\\uffff\":2}", NULL,
	    "{\"\357\277\277\":2,\"\360\220\200\200\":1}");
}

static void
different_values_stay_apart(void **state)
{
	static const char *const pairs[][2] = {
		{ "1", "1.0" },
		{ "0", "-0.0" },
		{ "1", "\"1\"" },
		{ "9007199254740993", "9007199254740992" },
		{ "10000000000000000999", "10000000000000001000" },
		{ "1e400", "1e401" },
		{ "0.1", "0.10000000000000001" },
		{ "[1,2]", "[2,1]" },
		{ "[]", "{}" },
		{ "{}", "{\"a\":null}" },
		{ "[[],1]", "[[1]]" },
		{ "\"\\ud800\"", "\"\\ufffd\"" },
		{ "\"\\ud800\"", "\"\\\\ud800\"" },
		{ "\"\303\251\"", "\"e\314\201\"" },
		{ "{\"\\u0000\":1}", "{\"\":1}" },
		{ "\"a\"", "\"A\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct bytes a = make(bytes_str(pairs[i][0]), NULL).text;
		struct bytes b = make(bytes_str(pairs[i][1]), NULL).text;

		if (bytes_eq(a, b))
			fail_msg("%s and %s are one", pairs[i][0], pairs[i][1]);
	}
}

static void
what_is_not_one_strict_text_is_refused(void **state)
{
	static const char *const bodies[] = {
		"", " ", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{\"a\"}",
		"{\"a\":}", "{\"a\":1", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{a:1}", "{1:1}", "[1}",
		"{\"a\":1]", "nul", "nulll", "True", "NaN", "Infinity", "-", "-Infinity", "01",
		"-01", "1.", ".1", "1e", "1e+", "+1", "0x1", "1 1", "{} {}", "[]]", "\"", "\"\\\"",
		"\"\\", "\"\\x\"", "\"\\u\"", "\"\\u12\"", "\"\\u123g\"", "\"a\nb\"", "\"\t\"",
		"'a'", "\xef\xbb\xbf{}", "{}\f", "\v{}", "\xc2\xa0{}", "[1]/*a*/", "# a\n1",
		"\"\x80\"", "\"\xc0\x80\"", "\"\xc1\xbf\"", "\"\xe0\x80\x80\"", "\"\xe0\x9f\xbf\"",
		"\"\xed\xa0\x80\"", "\"\xf0\x80\x80\x80\"", "\"\xf4\x90\x80\x80\"",
		"\"\xf5\x80\x80\x80\"", "\"\xff\"", "\"\xc3\"", "\"\xe2\x82\"", "\"\xe2\x82",
		"{\"a\":1,\"a\":1}", "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":1,\"\\u0061\":1}",
		"[{\"b\":{\"c\":1,\"c\":2}}]", "1e99999999999999999999", "1e-99999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		if (outcome(bytes_str(bodies[i])) != CANON_E_NOT_JSON)
			fail_msg("taken: %s", bodies[i]);
	assert_int_equal(outcome(BYTES_NONE), CANON_E_NOT_JSON);
	assert_int_equal(outcome(BYTES_LIT("{}\0")), CANON_E_NOT_JSON);
	assert_int_equal(outcome(BYTES_LIT("\"\0\"")), CANON_E_NOT_JSON);
}

/* N opening brackets and, if CLOSED, as many closing ones. */
static struct bytes
nested(size_t n, bool closed)
{
	char *text = arena_alloc(arena, 2 * n);

	assert_non_null(text);
	memset(text, '[', n);
	memset(text + n, ']', n);
	return (struct bytes){ text, closed ? 2 * n : n };
}

static void
depth_512_is_the_last(void **state)
{
	(void)state;
	assert_int_equal(outcome(nested(CANON_DEPTH_MAX, true)), 0);
	assert_int_equal(outcome(nested(CANON_DEPTH_MAX + 1, true)), CANON_E_TOO_DEEP);
	assert_int_equal(outcome(nested(10000, true)), CANON_E_TOO_DEEP);
	assert_int_equal(outcome(nested(CANON_DEPTH_MAX, false)), CANON_E_NOT_JSON);
}

static void
a_full_arena_is_told(void **state)
{
	static const char body[] = "{\"b\":[{\"d\":1.5,\"c\":\"\\u00e9\"}],\"a\":{\"\\n\":0}}";
	struct bytes want = make(BYTES_LIT(body), NULL).text;
	size_t max = 0;
	int r;

	(void)state;
	do {
		struct arena *small = arena_new(max++);
		struct canon canon;

		r = canon_make(BYTES_LIT(body), NULL, small, &canon);
		if (r == 0)
			assert_true(bytes_eq(canon.text, want));
		else
			assert_int_equal(r, -E2BIG);
		arena_free(small);
	} while (r != 0 && max < 100000);
	assert_int_equal(r, 0);
}

static void
neutral_members_are_left_out(void **state)
{
	static const char *const neutral[] = {
		"/stream", "/user", "/options/wait", "/messages/*/cache_control", "/a~1b~0c",
		"/l/1", NULL,
	};
	static const struct canon_rules rules = { .neutral = neutral };
	static const char *const rows[][2] = {
		{ "{\"stream\":true}", "{}" },
		{ "{\"stream\":true,\"a\":1}", "{\"a\":1}" },
		{ "{\"a\":1,\"stream\":true}", "{\"a\":1}" },
		{ "{\"z\":1,\"stream\":{\"y\":1,\"x\":[{\"w\":1,\"v\":1}]},"
		    "\"a\":{\"c\":1,\"b\":1}}",
		    "{\"a\":{\"b\":1,\"c\":1},\"z\":1}" },
		{ "{\"user\":1,\"a\":2,\"stream\":3}", "{\"a\":2}" },
		{ "{\"options\":{\"wait\":true}}", "{\"options\":{}}" },
		{ "{\"options\":{\"options\":{\"wait\":1}}}",
		    "{\"options\":{\"options\":{\"wait\":1}}}" },
		{ "{\"messages\":[{\"cache_control\":1,\"role\":\"\"}]}",
		    "{\"messages\":[{\"role\":\"\"}]}" },
		{ "{\"messages\":{\"x\":{\"cache_control\":1}}}", "{\"messages\":{\"x\":{}}}" },
		{ "{\"messages\":[{\"a\":{\"cache_control\":1}}]}",
		    "{\"messages\":[{\"a\":{\"cache_control\":1}}]}" },
		{ "{\"a/b~c\":1,\"d\":2}", "{\"d\":2}" },
		{ "{\"strea\":1,\"streams\":2}", "{\"strea\":1,\"streams\":2}" },
		{ "{\"str\\u0065am\":1}", "{}" },
		{ "[{\"stream\":1}]", "[{\"stream\":1}]" },
		{ "{\"l\":[1,2,3]}", "{\"l\":[1,2,3]}" },	/* an element stays */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect(rows[i][0], &rules, rows[i][1]);
}

static void
neutral_members_are_still_checked(void **state)
{
	static const char *const neutral[] = { "/stream", NULL };
	static const struct canon_rules rules = { .neutral = neutral };
	static const char *const bodies[] = {
		"{\"stream\":tru}",
		"{\"stream\":{\"a\":1,\"a\":2}}",
		"{\"stream\":1,\"stream\":1}",
		"{\"stream\":1,\"b\":0,\"a\":0,\"stream\":1}",
	};
	struct canon canon;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		assert_int_equal(canon_make(bytes_str(bodies[i]), &rules, arena, &canon),
		    CANON_E_NOT_JSON);
}

static void
real_places_take_an_integer_for_a_real(void **state)
{
	static const char *const real[] = { "/temperature", "/p/*/x", NULL };
	static const struct canon_rules rules = { .real = real };
	static const char *const zeros[] = { "0", "-0", "0.0", "-0.0", "0e5", "0.00E-7" };
	char body[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(zeros); i++) {
		snprintf(body, sizeof(body), "{\"temperature\": %s}", zeros[i]);
		expect(body, &rules, "{\"temperature\":0e0}");
	}
	expect("{\"temperature\":1}", &rules, "{\"temperature\":1e0}");
	expect("{\"temperature\":-100}", &rules, "{\"temperature\":-1e2}");
	expect("{\"temperature\":[1],\"n\":1}", &rules, "{\"n\":1,\"temperature\":[1]}");
	expect("{\"temperature\":\"1\"}", &rules, "{\"temperature\":\"1\"}");
	expect("{\"p\":[{\"x\":10,\"y\":10}]}", &rules, "{\"p\":[{\"x\":1e1,\"y\":10}]}");
}

static void
watched_values_are_reported(void **state)
{
	static const char *const watched[] = {
		"/model", "/stream", "/absent", "/a/1/b", "", "/list", "/lone", "/l/*", NULL,
	};
	static const char *const neutral[] = { "/stream", NULL };
	static const struct canon_rules rules = { .watched = watched, .neutral = neutral };
	static const char body[] = " {\"model\": \"a\\/\\u00e9\", \"stream\" : true, "
	    "\"lone\":\"\\ud800x\","
	    "\"a\":[0,{\"b\":-1.50}],\"list\": [ 1, {} ] ,\"l\":[null,1]} ";
	static const struct {
		enum canon_type type;
		const char *raw, *text;
	} want[] = {
		{ CANON_STRING, "\"a\\/\\u00e9\"", "a/\303\251" },
		{ CANON_TRUE, "true", "true" },
		{ CANON_ABSENT, "", "" },
		{ CANON_NUMBER, "-1.50", "-1.50" },
		{ CANON_OBJECT, NULL, NULL },
		{ CANON_ARRAY, "[ 1, {} ]", "[ 1, {} ]" },
		{ CANON_STRING, "\"\\ud800x\"", "\357\277\275x" },
		{ CANON_NULL, "null", "null" },	/* the first of several */
	};
	struct canon canon = make(BYTES_LIT(body), &rules);

	(void)state;
	assert_int_equal(canon.type, CANON_OBJECT);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_int_equal(canon.watched[i].type, want[i].type);
		if (want[i].raw == NULL)
			continue;
		assert_true(bytes_eq_str(canon.watched[i].raw, want[i].raw));
		assert_true(bytes_eq_str(canon.watched[i].text, want[i].text));
	}
	assert_ptr_equal(canon.watched[4].raw.ptr, body + 1);
	assert_int_equal(canon.watched[4].raw.len, sizeof(body) - 3);
	assert_int_equal(bytes_find_str(canon.text, "stream"), canon.text.len);
}

static void
a_failed_call_leaves_its_result_alone(void **state)
{
	struct canon canon = { .type = CANON_TRUE, .text = BYTES_LIT("mine") };

	(void)state;
	assert_int_equal(canon_make(BYTES_LIT("{\"b\":1"), NULL, arena, &canon), CANON_E_NOT_JSON);
	assert_int_equal(canon.type, CANON_TRUE);
	assert_true(bytes_eq_str(canon.text, "mine"));
}

static void
a_hundred_thousand_members_are_sorted(void **state)
{
	struct buf body;
	struct bytes text;
	const size_t n = 100000;

	(void)state;
	buf_init(&body, 16 << 20);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_addf(&body, "%s\"%06zu\":%zu", i == 0 ? "{" : ",",
		    (n - i) * 7 % n, i), 0);
	assert_int_equal(buf_add_str(&body, "}"), 0);
	text = make(buf_bytes(&body), NULL).text;
	assert_int_equal(text.len, buf_len(&body));
	for (size_t i = 0, at = 1; i < n; i++) {
		uint64_t name;

		assert_int_equal(num_parse_u64((struct bytes){ text.ptr + at + 1, 6 }, &name), 0);
		assert_int_equal(name, i);
		at += bytes_find_char(bytes_skip(text, at), ',') + 1;
	}
	buf_done(&body);
}

/* Unsorted at every level around a long string: each byte may move but twice. */
static void
nested_unsorted_objects_are_sorted(void **state)
{
	const int depth = CANON_DEPTH_MAX;
	struct buf body, want;

	(void)state;
	buf_init(&body, 1 << 20);
	buf_init(&want, 1 << 20);
	for (int i = 0; i < depth; i++) {
		assert_int_equal(buf_add_str(&body, "{\"b\":"), 0);
		assert_int_equal(buf_add_str(&want, "{\"a\":0,\"b\":"), 0);
	}
	assert_int_equal(buf_addf(&body, "\"%0100000d\"", 7), 0);
	assert_int_equal(buf_addf(&want, "\"%0100000d\"", 7), 0);
	for (int i = 0; i < depth; i++) {
		assert_int_equal(buf_add_str(&body, ",\"a\":0}"), 0);
		assert_int_equal(buf_add_str(&want, "}"), 0);
	}
	assert_true(bytes_eq(make(buf_bytes(&body), NULL).text, buf_bytes(&want)));
	buf_done(&body);
	buf_done(&want);
}

/* A generator that is the same everywhere (Steele, Lea and Flood's splitmix). */
static uint64_t seed;

static unsigned int
draw(unsigned int n)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned int)((z ^ z >> 31) % n);
}

static json_t *
draw_string(void)
{
	static const char *const pieces[] = {
		"a", "b", "model", " ", "\"", "\\", "/", "\n", "\x01", "\x7f", "\303\251",
		"\342\202\254", "\360\237\230\200", "\357\277\277", "\\u0041", "0", "1.0",
		"a run of plain bytes that takes more than one step",
	};
	char text[2048] = "";
	size_t len = 0;

	for (unsigned int n = draw(draw(8) == 0 ? 40 : 6); n > 0; n--) {
		const char *piece = pieces[draw(ARRAY_LEN(pieces))];

		memcpy(text + len, piece, strlen(piece));
		len += strlen(piece);
	}
	return json_stringn(text, len);
}

/* Reals are of few digits, so that a double holds what was written. */
static json_t *
draw_number(void)
{
	static const double powers[] = { 1, 0.5, 0.25, 1024, 1048576 };

	if (draw(2) == 0)
		return json_integer((json_int_t)draw(2000) - 1000);
	return json_real(((double)draw(64) - 32) * powers[draw(ARRAY_LEN(powers))]);
}

static json_t *
draw_value(int depth)
{
	json_t *value, *name;

	switch (draw(depth > 0 ? 7 : 5)) {
	case 0:
		return json_null();
	case 1:
		return json_boolean(draw(2));
	case 2:
	case 3:
		return draw_number();
	case 4:
		return draw_string();
	case 5:
		value = json_array();
		for (unsigned int n = draw(5); n > 0; n--)
			json_array_append_new(value, draw_value(depth - 1));
		return value;
	default:
		value = json_object();
		for (unsigned int n = draw(draw(50) == 0 ? 60 : 6); n > 0; n--) {
			name = draw_string();
			json_object_set_new(value, json_string_value(name), draw_value(depth - 1));
			json_decref(name);
		}
		return value;
	}
}

static void spell(struct buf *out, const json_t *value);

static void
add(struct buf *out, const char *text)
{
	assert_int_equal(buf_add_str(out, text), 0);
}

static void
spell_space(struct buf *out)
{
	static const char *const spaces[] = { "", "", "", " ", "\n", "\t\r\n  " };

	add(out, spaces[draw(ARRAY_LEN(spaces))]);
}

/* With json_dumps() when it has a say on escapes, else in \u alone. */
static void
spell_string(struct buf *out, const json_t *value)
{
	static const size_t flags[] = { 0, JSON_ENSURE_ASCII, JSON_ESCAPE_SLASH };
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);
	char *dump;

	if (draw(4) == 0 && strspn(text, "abcdelmo \"\\/\n\x01\x7fu0149.") == len) {
		add(out, "\"");
		for (size_t i = 0; i < len; i++)
			assert_int_equal(buf_addf(out, draw(2) != 0 ? "\\u%04x" : "\\u%04X",
			    (unsigned int)text[i]), 0);
		add(out, "\"");
		return;
	}
	dump = json_dumps(value, JSON_ENCODE_ANY | flags[draw(ARRAY_LEN(flags))]);
	assert_non_null(dump);
	add(out, dump);
	xfree(dump);
}

static void
spell_real(struct buf *out, double real)
{
	int shift = (int)draw(9) - 4;
	char digits[64];

	switch (real != 0 ? draw(3) : 0) {
	case 0:
		assert_int_equal(buf_addf(out, "%.*f", 5 + (int)draw(4), real), 0);
		return;
	case 1:
		assert_int_equal(buf_addf(out, draw(2) != 0 ? "%.15e" : "%.17E", real), 0);
		return;
	default:
		/* Digits for a power of ten that moves their point. */
		snprintf(digits, sizeof(digits), "%.2f", real);
		if (shift < 0)
			assert_int_equal(buf_addf(out, "%.0f%0*de%d", real * 100, -shift, 0,
			    shift - 2), 0);
		else
			assert_int_equal(buf_addf(out, "%se%s0", digits, shift % 2 ? "+" : ""), 0);
	}
}

static void
spell_array(struct buf *out, const json_t *value)
{
	add(out, "[");
	for (size_t i = 0; i < json_array_size(value); i++) {
		add(out, i > 0 ? "," : "");
		spell_space(out);
		spell(out, json_array_get(value, i));
		spell_space(out);
	}
	add(out, "]");
}

/* The members from a random one on, then those before it. */
static void
spell_object(struct buf *out, json_t *value)
{
	size_t n = json_object_size(value), at = 0, from = n > 0 ? draw((unsigned int)n) : 0;
	const char *name;
	json_t *member;

	add(out, "{");
	for (size_t i = 0; i < n; i++) {
		at = 0;
		json_object_foreach(value, name, member) {
			json_t *string = json_string(name);

			if (at++ == (from + i) % n) {
				add(out, i > 0 ? "," : "");
				spell_space(out);
				spell_string(out, string);
				spell_space(out);
				add(out, ":");
				spell_space(out);
				spell(out, member);
			}
			json_decref(string);
		}
	}
	add(out, "}");
}

/* Write VALUE in one of the many ways. */
static void
spell(struct buf *out, const json_t *value)
{
	spell_space(out);
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		spell_object(out, json_incref((json_t *)(uintptr_t)value));
		json_decref((json_t *)(uintptr_t)value);
		break;
	case JSON_ARRAY:
		spell_array(out, value);
		break;
	case JSON_STRING:
		spell_string(out, value);
		break;
	case JSON_REAL:
		spell_real(out, json_real_value(value));
		break;
	case JSON_INTEGER:
		assert_int_equal(buf_addf(out, "%lld", (long long)json_integer_value(value)), 0);
		break;
	default:
		add(out, json_is_null(value) ? "null" : json_is_true(value) ? "true" : "false");
	}
	spell_space(out);
}

/* VALUE in one spelling, canonical. */
static struct bytes
respelled(const json_t *value)
{
	struct buf out;
	struct bytes text;

	buf_init(&out, 1 << 24);
	spell(&out, value);
	text = make(buf_bytes(&out), NULL).text;
	buf_done(&out);
	return text;
}

static void
equal_documents_give_equal_bytes_and_others_do_not(void **state)
{
	struct bytes last = BYTES_NONE;
	json_t *before = NULL;

	(void)state;
	seed = 1;
	for (int i = 0; i < N_DOCUMENTS; i++) {
		json_t *value = draw_value(4);
		struct bytes a = respelled(value), b = respelled(value);

		if (!bytes_eq(a, b))
			fail_msg("%.*s\n%.*s", BYTES_ARG(a), BYTES_ARG(b));
		if (before != NULL && bytes_eq(a, last) != json_equal(value, before))
			fail_msg("%.*s\n%.*s", BYTES_ARG(a), BYTES_ARG(last));
		json_decref(before);
		before = value;
		last = a;
	}
	json_decref(before);
}

/* Change one value somewhere in VALUE; false if there is none to change. */
static bool
change(json_t *value)
{
	const char *name;
	json_t *member;

	switch (json_typeof(value)) {
	case JSON_INTEGER:
		return json_integer_set(value, json_integer_value(value) + 1) == 0;
	case JSON_REAL:
		return json_real_set(value, json_real_value(value) + 0.5) == 0;
	case JSON_STRING:
		return json_string_set(value, json_string_length(value) == 0 ? "a" : "") == 0;
	case JSON_ARRAY:
		return json_array_append_new(value, json_null()) == 0;
	case JSON_OBJECT:
		json_object_foreach(value, name, member)
			if (change(member))
				return true;
		return json_object_set_new(value, "new", json_null()) == 0;
	default:
		return false;
	}
}

static void
a_changed_document_gives_other_bytes(void **state)
{
	int n_changed = 0;

	(void)state;
	seed = 2;
	for (int i = 0; i < N_DOCUMENTS; i++) {
		json_t *value = draw_value(4);
		struct bytes before = respelled(value);

		if (change(value)) {
			assert_false(bytes_eq(respelled(value), before));
			n_changed++;
		}
		json_decref(value);
	}
	assert_true(n_changed > N_DOCUMENTS / 2);
}

static void
a_canonical_form_is_its_own_and_jansson_reads_the_same_in_it(void **state)
{
	(void)state;
	seed = 3;
	for (int i = 0; i < N_DOCUMENTS; i++) {
		json_t *value = draw_value(4), *read;
		struct bytes text = respelled(value);

		assert_true(bytes_eq(make(text, NULL).text, text));
		read = json_loadb(text.ptr, text.len, JANSSON_FLAGS, NULL);
		assert_true(json_equal(read, value));
		json_decref(read);
		json_decref(value);
	}
}

/* What jansson refuses and we take. */
static bool
is_too_much_for_jansson(const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
	    strstr(error->text, "invalid Unicode") != NULL;
}

static void
damaged_texts_are_taken_as_jansson_takes_them(void **state)
{
	static const char marks[] = "\"\\{}[],:0e.-u \n\x80\xc3t1";
	int n_taken = 0;

	(void)state;
	seed = 4;
	for (int i = 0; i < 10 * N_DOCUMENTS; i++) {
		json_t *value = draw_value(3), *read;
		json_error_t error;
		struct buf out;
		int r;

		buf_init(&out, 1 << 24);
		spell(&out, value);
		out.mem[out.head + draw((unsigned int)buf_len(&out))] =
		    marks[draw(sizeof(marks) - 1)];
		r = outcome(buf_bytes(&out));
		read = json_loadb(out.mem + out.head, buf_len(&out), JANSSON_FLAGS, &error);
		if ((r == 0) != (read != NULL) && !(r == 0 && is_too_much_for_jansson(&error)))
			fail_msg("%d: %.*s", r, BYTES_ARG(buf_bytes(&out)));
		n_taken += r == 0;
		json_decref(read);
		json_decref(value);
		buf_done(&out);
	}
	assert_true(n_taken > N_DOCUMENTS / 2);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(spellings_of_one_value_are_one),
		TEST(names_are_sorted_as_unescaped_bytes),
		TEST(different_values_stay_apart),
		TEST(what_is_not_one_strict_text_is_refused),
		TEST(depth_512_is_the_last),
		TEST(a_full_arena_is_told),
		TEST(neutral_members_are_left_out),
		TEST(neutral_members_are_still_checked),
		TEST(real_places_take_an_integer_for_a_real),
		TEST(watched_values_are_reported),
		TEST(a_failed_call_leaves_its_result_alone),
		TEST(a_hundred_thousand_members_are_sorted),
		TEST(nested_unsorted_objects_are_sorted),
		TEST(equal_documents_give_equal_bytes_and_others_do_not),
		TEST(a_changed_document_gives_other_bytes),
		TEST(a_canonical_form_is_its_own_and_jansson_reads_the_same_in_it),
		TEST(damaged_texts_are_taken_as_jansson_takes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
