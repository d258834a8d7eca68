/* SPDX-License-Identifier: MIT */
/*
 * test_spell.c - each kind of token in its one spelling.
 */
#include "cache/spell.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ARENA_MAX	((size_t)1 << 20)

enum kind { STRING, INTEGER_OR_REAL, REAL };

/* Read TEXT as a token of KIND; the outcome, and what was written. */
static int
read_token(struct arena *arena, const char *text, enum kind kind, struct bytes *ret_out)
{
	struct spell spell;
	struct bytes raw;
	int r;

	assert_int_equal(spell_init(&spell, bytes_str(text), arena), 0);
	if (kind == STRING)
		r = spell_string(&spell, &raw);
	else
		r = spell_number(&spell, kind == REAL);
	if (r != 0)
		return r;
	assert_ptr_equal(spell.at, spell.end);
	*ret_out = (struct bytes){ spell.out, spell.out_len };
	return 0;
}

static void
expect(enum kind kind, const char *text, const char *want)
{
	struct arena *arena = arena_new(ARENA_MAX);
	struct bytes out;
	int r = read_token(arena, text, kind, &out);

	if (r != 0 || !bytes_eq_str(out, want))
		fail_msg("%s: %d, %.*s, not %s", text, r, BYTES_ARG(r == 0 ? out : BYTES_NONE),
		    want);
	arena_free(arena);
}

static void
numbers_are_exact_decimals(void **state)
{
	static const char *const rows[][2] = {
		{ "0", "0" },
		{ "-0", "0" },
		{ "-7", "-7" },
		{ "100", "100" },
		{ "123456789012345678901234567890", "123456789012345678901234567890" },
		{ "0.0", "0e0" },
		{ "-0.0", "0e0" },
		{ "0e5", "0e0" },
		{ "0e99999999999999999999999", "0e0" },
		{ "1.0", "1e0" },
		{ "1e2", "1e2" },
		{ "100.00", "1e2" },
		{ "1E+2", "1e2" },
		{ "0.10", "1e-1" },
		{ "-1.50", "-15e-1" },
		{ "0.00012", "12e-5" },
		{ "120.0340e-1", "120034e-4" },
		{ "1e0002", "1e2" },
		{ "1e-400", "1e-400" },
		{ "0.10000000000000001", "10000000000000001e-17" },
		{ "1e10000000000000000", "1e10000000000000000" },
		{ "0.1e10000000000000001", "1e10000000000000000" },
		{ "10e-10000000000000001", "1e-10000000000000000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect(INTEGER_OR_REAL, rows[i][0], rows[i][1]);
}

static void
an_integer_can_be_asked_for_as_a_real(void **state)
{
	(void)state;
	expect(REAL, "0", "0e0");
	expect(REAL, "-0", "0e0");
	expect(REAL, "-10", "-1e1");
	expect(REAL, "1.5", "15e-1");
}

static void
exponents_out_of_reach_are_refused(void **state)
{
	static const char *const rows[] = {
		"1e10000000000000001", "10e10000000000000000", "1e-10000000000000001",
		"0.1e-10000000000000000", "1e99999999999999999999999999", "-1e999999999999999999",
	};
	struct arena *arena = arena_new(ARENA_MAX);
	struct bytes out;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(read_token(arena, rows[i], INTEGER_OR_REAL, &out), SPELL_E_BAD);
	arena_free(arena);
}

static void
strings_have_the_fewest_escapes(void **state)
{
	static const char *const rows[][2] = {
		{ "\"\"", "\"\"" },
		{ "\"plain text of more than eight bytes\"",
		    "\"plain text of more than eight bytes\"" },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
		{ "\"\\u0022\\u005C\\u002f\"", "\"\\\"\\\\/\"" },
		{ "\"\\u0008\\u000c\\u000a\\u000D\\u0009\"", "\"\\b\\f\\n\\r\\t\"" },
		{ "\"\\u0000\\u001F\\u007F\"", "\"\\u0000\\u001f\x7f\"" },
		{ "\"\\u0041\\u00e9\\u20AC\\uffff\"", "\"A\303\251\342\202\254\357\277\277\"" },
		{ "\"\\ud83d\\uDE00\"", "\"\360\237\230\200\"" },
		{ "\"\\uD83D\"", "\"\\ud83d\"" },
		{ "\"\\uDE00\\uD83D\"", "\"\\ude00\\ud83d\"" },
		{ "\"\\uD83D\\uD83D\\uDE00\"", "\"\\ud83d\360\237\230\200\"" },
		{ "\"\\u5c5c\\u0122\"", "\"\345\261\234\304\242\"" },
		{ "\"\302\200\337\277\340\240\200\355\237\277"
		    "\356\200\200\360\220\200\200\364\217\277\277\"",
		    "\"\302\200\337\277\340\240\200\355\237\277"
		    "\356\200\200\360\220\200\200\364\217\277\277\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect(STRING, rows[i][0], rows[i][1]);
}

/* Every byte at every offset, so that no step of eight overlooks it. */
static void
every_odd_byte_is_seen_wherever_it_stands(void **state)
{
	struct arena *arena = arena_new(ARENA_MAX);
	struct bytes out;
	char text[32];

	(void)state;
	for (int c = 1; c < 256; c++) {
		for (size_t at = 1; at < 20; at++) {
			bool is_fine = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';

			memset(text, 'x', sizeof(text));
			text[0] = text[20] = '"';
			text[21] = '\0';
			text[at] = (char)c;
			if (c == '"' || (c == '\\' && at == 19))
				continue;
			assert_int_equal(read_token(arena, text, STRING, &out),
			    is_fine ? 0 : SPELL_E_BAD);
		}
	}
	arena_free(arena);
}

static void
unescaped_text_is_utf8(void **state)
{
	static const struct {
		const char	*raw;
		bool		 mend;
		const char	*text;
	} rows[] = {
		{ "", true, "" },
		{ "plain", true, "plain" },
		{ "a\\/b\\u00e9c\\n", true, "a/b\303\251c\n" },
		{ "\\ud83d\\ude00", true, "\360\237\230\200" },
		{ "x\\ud83d", true, "x\357\277\275" },
		{ "x\\ud83d", false, "x\355\240\275" },
	};
	struct arena *arena = arena_new(ARENA_MAX);
	struct bytes text;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(spell_unescape(bytes_str(rows[i].raw), rows[i].mend, arena, &text),
		    0);
		assert_true(bytes_eq_str(text, rows[i].text));
	}
	arena_free(arena);
}

static void
words_and_spaces_are_read_whole(void **state)
{
	struct arena *arena = arena_new(ARENA_MAX);
	struct spell spell;

	(void)state;
	assert_int_equal(spell_init(&spell, BYTES_LIT(" \t\r\n true,\ftru"), arena), 0);
	spell_skip_space(&spell);
	assert_int_equal(spell_word(&spell, "true"), 0);
	assert_false(spell_take(&spell, ':'));
	assert_true(spell_take(&spell, ','));
	assert_int_equal(spell_put(&spell, ','), 0);
	spell_skip_space(&spell);
	assert_true(spell_take(&spell, '\f'));
	assert_int_equal(spell_word(&spell, "true"), SPELL_E_BAD);
	assert_true(bytes_eq_str((struct bytes){ spell.out, spell.out_len }, "true,"));
	arena_free(arena);
}

/* Reals can be longer than they came: "1," is two bytes, "1e0," four. */
static void
what_is_written_may_outgrow_the_text(void **state)
{
	enum { N = 1000 };
	struct arena *arena = arena_new(ARENA_MAX);
	struct spell spell;
	char text[2 * N];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 == 0 ? '1' : ',';
	assert_int_equal(spell_init(&spell, (struct bytes){ text, sizeof(text) }, arena), 0);
	while (spell.at < spell.end) {
		assert_int_equal(spell_number(&spell, true), 0);
		assert_true(spell_take(&spell, ','));
		assert_int_equal(spell_put(&spell, ','), 0);
	}
	assert_int_equal(spell.out_len, 4 * N);
	for (size_t i = 0; i < 4 * N; i++)
		assert_int_equal(spell.out[i], "1e0,"[i % 4]);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_exact_decimals),
		cmocka_unit_test(an_integer_can_be_asked_for_as_a_real),
		cmocka_unit_test(exponents_out_of_reach_are_refused),
		cmocka_unit_test(strings_have_the_fewest_escapes),
		cmocka_unit_test(every_odd_byte_is_seen_wherever_it_stands),
		cmocka_unit_test(unescaped_text_is_utf8),
		cmocka_unit_test(words_and_spaces_are_read_whole),
		cmocka_unit_test(what_is_written_may_outgrow_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
