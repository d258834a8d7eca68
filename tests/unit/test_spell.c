/* SPDX-License-Identifier: MIT */
/*
 * test_spell.c - each kind of token in its one spelling.
 */
#include "cache/spell.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ARENA_MAX	((size_t)1 << 20)

static const char plain[] = "The quick brown fox jumps over the lazy dog, then it does so "
    "again and again until there is no end.";

enum kind { STRING, INTEGER_OR_REAL, REAL };

/* Read TEXT as a token of KIND; the outcome, and what was written. */
static int
read_token(struct arena *arena, const char *text, enum kind kind, struct bytes *ret_out)
{
	struct spell spell;
	int r;

	assert_int_equal(spell_init(&spell, bytes_str(text), arena), 0);
	if (kind == STRING)
		r = spell_string(&spell);
	else
		r = spell_number(&spell, kind == REAL);
	if (r != 0)
		return r;
	assert_ptr_equal(spell.at, spell.end);
	*ret_out = (struct bytes){ spell.out, spell_written(&spell) };
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
		{ "-0.00693357735872268676757812500", "-6933577358722686767578125e-27" },
		{ "3.141592653589793238462643383279502884197169399",
		    "3141592653589793238462643383279502884197169399e-45" },
		{ "12000000000000000000000000000000000.000", "12e33" },
		{ "0.00000000000000000000000000000000000012", "12e-38" },
		{ "1.5e-98", "15e-99" },
		{ "1.5e-99", "15e-100" },
		{ "1e-9", "1e-9" },
		{ "1e-10", "1e-10" },
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
	const struct bytes word = BYTES_LIT("true");
	struct arena *arena = arena_new(ARENA_MAX);
	struct spell spell;

	(void)state;
	assert_int_equal(spell_init(&spell, BYTES_LIT(" \t\r\n true , \n \ftru"), arena), 0);
	assert_int_equal(spell_next(&spell), 't');
	assert_int_equal(spell_word(&spell, word), 0);
	assert_int_equal(spell_next(&spell), ',');
	assert_int_equal(spell_past(&spell, ','), '\f');
	assert_int_equal(spell_past(&spell, '_'), 't');
	assert_int_equal(spell_word(&spell, word), SPELL_E_BAD);
	spell.at = spell.end;
	assert_int_equal(spell_next(&spell), '\0');
	assert_true(bytes_eq_str((struct bytes){ spell.out, spell_written(&spell) }, "true,_"));
	arena_free(arena);
}

static void
numbers_in_a_row_are_read_as_far_as_they_go(void **state)
{
	static const struct {
		const char	*text, *out;
		size_t		 n;
		const char	*rest;
	} rows[] = {
		{ "1", "1", 1, "" },
		{ "1,2,3]", "1,2,3", 3, "]" },
		{ "1 , 2\n,\t3 ]", "1,2,3", 3, " ]" },
		{ "-0,0,-7,00001", NULL, 0, NULL },
		{ "1234567,12345678,123456789,1]", "1234567,12345678,123456789,1", 4, "]" },
		{ "1,2.50,-3e0,4E1,0.0,5", "1,25e-1,-3e0,4e1,0e0,5", 6, "" },
		{ "1.,2", NULL, 0, NULL },
		{ "1,-]", NULL, 0, NULL },
		{ "1,\"a\"]", "1", 1, ",\"a\"]" },
		{ "1,]", "1", 1, ",]" },
		{ "1,", "1", 1, "," },
		{ "1 2", "1", 1, " 2" },
		{ "7x", "7", 1, "x" },
	};
	struct arena *arena = arena_new(ARENA_MAX);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spell spell;
		size_t n = 0;
		int r;

		assert_int_equal(spell_init(&spell, bytes_str(rows[i].text), arena), 0);
		r = spell_numbers(&spell, &n);
		assert_int_equal(r, rows[i].out != NULL ? 0 : SPELL_E_BAD);
		if (r != 0)
			continue;
		assert_int_equal(n, rows[i].n);
		assert_true(bytes_eq_str((struct bytes){ spell.out, spell_written(&spell) },
		    rows[i].out));
		assert_string_equal(spell.at, rows[i].rest);
	}
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
		assert_int_equal(spell_next(&spell), ',');
		spell_past(&spell, ',');
	}
	assert_int_equal(spell_written(&spell), 4 * N);
	for (size_t i = 0; i < 4 * N; i++)
		assert_int_equal(spell.out[i], "1e0,"[i % 4]);
	arena_free(arena);
}

/*
 * Read PIECE at every place of a string of plain bytes, LEN in all, with every way
 * there is: written is WANT in its stead, or when that is NULL nothing is taken.
 */
static void
expect_in_long(const char *piece, const char *want, size_t len)
{
	struct arena *arena = arena_new((size_t)16 << 20);
	char text[256], out[256];
	run_copy_fn *copy;

	for (size_t at = 0; at <= len; at++) {
		int n = snprintf(text, sizeof(text), "\"%.*s%s%.*s\"", (int)at, plain, piece,
		    (int)(len - at), plain);

		snprintf(out, sizeof(out), "\"%.*s%s%.*s\"", (int)at, plain,
		    want != NULL ? want : "", (int)(len - at), plain);
		for (size_t way = 0; (copy = run_way(way)) != NULL; way++) {
			struct spell spell;

			assert_int_equal(spell_init(&spell, (struct bytes){ text, (size_t)n },
			    arena), 0);
			spell.copy_plain = copy;
			assert_int_equal(spell_string(&spell), want != NULL ? 0 : SPELL_E_BAD);
			if (want != NULL && !bytes_eq_str((struct bytes){ spell.out,
			    spell_written(&spell) }, out))
				fail_msg("way %zu: %s", way, text);
		}
	}
	arena_free(arena);
}

static void
what_is_odd_is_read_wherever_a_step_ends(void **state)
{
	static const char *const rows[][2] = {
		{ "\303\251", "\303\251" },
		{ "\342\202\254", "\342\202\254" },
		{ "\360\237\230\200\342\202\254\303\251", "\360\237\230\200\342\202\254\303\251" },
		{ "\\n", "\\n" },
		{ "\\\\\\\"", "\\\\\\\"" },
		{ "\\/", "/" },
		{ "\\u0041\\u00e9", "A\303\251" },
		{ "\\ud83d\\ude00", "\360\237\230\200" },
		{ "\\uDe00", "\\ude00" },
		{ "\n", NULL },
		{ "\x1f", NULL },
		{ "\200", NULL },
		{ "\303", NULL },
		{ "\303\303\251", NULL },
		{ "\342\202", NULL },
		{ "\342\202\303\251", NULL },
		{ "\355\240\200", NULL },
		{ "\360\237\230", NULL },
		{ "\364\220\200\200", NULL },
		{ "\377", NULL },
		{ "\\x", NULL },
		{ "\\u12", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		expect_in_long(rows[i][0], rows[i][1], 13);
		expect_in_long(rows[i][0], rows[i][1], 70);
		expect_in_long(rows[i][0], rows[i][1], 100);
	}
}

static void
a_string_says_whether_it_had_escapes(void **state)
{
	static const struct {
		const char	*text;
		bool		 is_plain;
	} rows[] = {
		{ "\"\"", true }, { "\"\303\251\"", true }, { "\"\\n\"", false },
		{ "\"a\\u0041\"", false }, { "\"a\\n\303\251b\"", false },
	};
	struct arena *arena = arena_new(ARENA_MAX);
	struct spell spell;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(spell_init(&spell, bytes_str(rows[i].text), arena), 0);
		assert_int_equal(spell_string(&spell), 0);
		assert_int_equal(spell.is_plain, rows[i].is_plain);
	}
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
		cmocka_unit_test(numbers_in_a_row_are_read_as_far_as_they_go),
		cmocka_unit_test(what_is_written_may_outgrow_the_text),
		cmocka_unit_test(what_is_odd_is_read_wherever_a_step_ends),
		cmocka_unit_test(a_string_says_whether_it_had_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
