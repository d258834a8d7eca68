/* SPDX-License-Identifier: MIT */
/*
 * spell.c - runs of plain bytes are copied, everything else is read and
 * written anew.
 */
#include "cache/spell.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OUT_SLACK	64	/* so that a short text of numbers needs no second try */

/*
 * Past this an exponent is refused.  What the place of the point adds to one is
 * less than 2^32, so one that read_exponent() cut short is refused too.
 */
#define EXPONENT_MAX	INT64_C(10000000000000000)
#define EXPONENT_STOP	INT64_C(100000000000000000)

struct number {
	bool		is_negative;
	bool		is_real;
	bool		is_exponent_negative;
	struct bytes	whole, fraction, exponent;	/* digits alone */
};

static int
reserve(struct spell *s, size_t len)
{
	size_t size;
	char *mem;

	if (len <= s->out_size - s->out_len)
		return 0;
	size = s->out_size + s->out_size / 2 + len;
	if (size > UINT32_MAX)
		return -E2BIG;
	mem = arena_alloc(s->arena, size);
	if (mem == NULL)
		return -E2BIG;
	if (s->out_len > 0)
		memcpy(mem, s->out, s->out_len);
	s->out = mem;
	s->out_size = size;
	return 0;
}

int
spell_init(struct spell *s, struct bytes text, struct arena *arena)
{
	struct spell spell = { .arena = arena, .at = text.ptr, .end = text.ptr + text.len };
	int r;

	if (text.len > UINT32_MAX - OUT_SLACK)
		return -E2BIG;
	r = reserve(&spell, text.len + OUT_SLACK);
	if (r < 0)
		return r;
	*s = spell;
	return 0;
}

static int
put(struct spell *s, const char *p, size_t len)
{
	int r = reserve(s, len);

	if (r < 0)
		return r;
	memcpy(s->out + s->out_len, p, len);
	s->out_len += len;
	return 0;
}

int
spell_put(struct spell *s, char c)
{
	return put(s, &c, 1);
}

void
spell_skip_space(struct spell *s)
{
	while (s->at < s->end &&
	    (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

bool
spell_take(struct spell *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static struct bytes
take_digits(struct spell *s)
{
	const char *start = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return (struct bytes){ start, (size_t)(s->at - start) };
}

static bool
is_surrogate(uint32_t code)
{
	return code >= 0xd800 && code <= 0xdfff;
}

static size_t
encode_utf8(char *to, uint32_t code)
{
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = len - 1; i > 0; i--) {
		to[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	to[0] = (char)(lead[len] | code);
	return len;
}

/* The length of the UTF-8 sequence at P, which is not ASCII; 0 if it is none. */
static size_t
utf8_len(const char *p, const char *end)
{
	unsigned char lead = (unsigned char)p[0], second;
	size_t len = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

	if (lead < 0xc2 || lead > 0xf4 || (size_t)(end - p) < len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
	second = (unsigned char)p[1];
	if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second >= 0xa0) ||
	    (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second >= 0x90))
		return 0;
	return len;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Read the \uXXXX at P; false if there is none. */
static bool
read_unit(const char *p, const char *end, uint32_t *ret_unit)
{
	uint32_t unit = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return false;
	for (int i = 2; i < 6; i++) {
		int digit = hex_digit(p[i]);

		if (digit < 0)
			return false;
		unit = unit << 4 | (uint32_t)digit;
	}
	*ret_unit = unit;
	return true;
}

/* Read the escape at *AT, a pair of surrogates as one, and go past it. */
static int
read_escape(const char **at, const char *end, uint32_t *ret_code)
{
	static const char letters[] = "\"\\/bfnrt", codes[] = "\"\\/\b\f\n\r\t";
	const char *letter;
	uint32_t high, low;

	if (end - *at < 2)
		return SPELL_E_BAD;
	letter = memchr(letters, (*at)[1], sizeof(letters) - 1);
	if (letter != NULL) {
		*ret_code = (unsigned char)codes[letter - letters];
		*at += 2;
		return 0;
	}
	if (!read_unit(*at, end, &high))
		return SPELL_E_BAD;
	*at += 6;
	*ret_code = high;
	if (high >= 0xd800 && high <= 0xdbff && read_unit(*at, end, &low) &&
	    low >= 0xdc00 && low <= 0xdfff) {
		*at += 6;
		*ret_code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	}
	return 0;
}

/* Write a character that came as an escape in the one spelling it has here. */
static int
put_code(struct spell *s, uint32_t code)
{
	static const char codes[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *at = memchr(codes, (int)(code & 0xff), sizeof(codes) - 1);
	char text[8];

	if (at != NULL && code < 0x80)
		return put(s, (char[]){ '\\', letters[at - codes] }, 2);
	if (code >= 0x20 && !is_surrogate(code))
		return put(s, text, encode_utf8(text, code));
	snprintf(text, sizeof(text), "\\u%04x", (unsigned int)(code & 0xffff));
	return put(s, text, 6);
}

static bool
is_plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* The first byte from P that is_plain() does not hold for; eight at a time. */
static const char *
skip_plain(const char *p, const char *end)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;

	for (; end - p >= 8; p += 8) {
		uint64_t word, odd;

		memcpy(&word, p, sizeof(word));
		odd = word | (word - ones * 0x20);
		odd |= (word ^ ones * '"') - ones;
		odd |= (word ^ ones * '\\') - ones;
		if ((odd & tops) != 0)
			break;
	}
	while (p < end && is_plain(*p))
		p++;
	return p;
}

int
spell_string(struct spell *s, struct bytes *ret_raw)
{
	const char *start = s->at, *run = start, *p;
	uint32_t code;
	int r;

	if (!spell_take(s, '"'))
		return SPELL_E_BAD;
	for (p = skip_plain(s->at, s->end); p < s->end && *p != '"'; p = skip_plain(p, s->end)) {
		if ((unsigned char)*p >= 0x80) {
			size_t len = utf8_len(p, s->end);

			if (len == 0)
				return SPELL_E_BAD;
			p += len;
			continue;
		}
		r = put(s, run, (size_t)(p - run));
		if (r != 0)
			return r;
		r = *p == '\\' ? read_escape(&p, s->end, &code) : SPELL_E_BAD;
		if (r != 0)
			return r;
		r = put_code(s, code);
		if (r != 0)
			return r;
		run = p;
	}
	if (p == s->end)
		return SPELL_E_BAD;
	s->at = p + 1;
	*ret_raw = (struct bytes){ start + 1, (size_t)(p - start - 1) };
	return put(s, run, (size_t)(s->at - run));
}

int
spell_unescape(struct bytes raw, bool mend, struct arena *arena, struct bytes *ret_text)
{
	const char *p = raw.ptr, *end = raw.ptr + raw.len;
	char *text = arena_alloc(arena, raw.len + 1);
	size_t len = 0;
	uint32_t code;

	if (text == NULL)
		return -E2BIG;
	while (p < end) {
		size_t run = bytes_find_char((struct bytes){ p, (size_t)(end - p) }, '\\');
		int r;

		memcpy(text + len, p, run);
		len += run;
		p += run;
		if (p == end)
			break;
		r = read_escape(&p, end, &code);
		assert(r == 0);
		len += encode_utf8(text + len, mend && is_surrogate(code) ? 0xfffd : code);
	}
	text[len] = '\0';
	*ret_text = (struct bytes){ text, len };
	return 0;
}

static int
read_number(struct spell *s, struct number *ret_number)
{
	struct number number = { .is_negative = spell_take(s, '-') };

	number.whole = take_digits(s);
	if (number.whole.len == 0 || (number.whole.len > 1 && number.whole.ptr[0] == '0'))
		return SPELL_E_BAD;
	if (spell_take(s, '.')) {
		number.is_real = true;
		number.fraction = take_digits(s);
		if (number.fraction.len == 0)
			return SPELL_E_BAD;
	}
	if (spell_take(s, 'e') || spell_take(s, 'E')) {
		number.is_real = true;
		number.is_exponent_negative = spell_take(s, '-');
		if (!number.is_exponent_negative)
			spell_take(s, '+');
		number.exponent = take_digits(s);
		if (number.exponent.len == 0)
			return SPELL_E_BAD;
	}
	*ret_number = number;
	return 0;
}

/* The exponent of NUMBER, exact below EXPONENT_STOP and else at least that. */
static int64_t
read_exponent(const struct number *number)
{
	int64_t value = 0;

	for (size_t i = 0; i < number->exponent.len && value < EXPONENT_STOP; i++)
		value = value * 10 + (number->exponent.ptr[i] - '0');
	return number->is_exponent_negative ? -value : value;
}

/* Write NUMBER as its digits, without zeros at either end, and a power of ten. */
static int
put_real(struct spell *s, const struct number *number)
{
	size_t n = number->whole.len + number->fraction.len, n_zero = 0;
	int64_t exponent = read_exponent(number) - (int64_t)number->fraction.len;
	int r = reserve(s, n + 32);
	char *digits;

	if (r < 0)
		return r;
	digits = s->out + s->out_len + number->is_negative;
	memcpy(digits, number->whole.ptr, number->whole.len);
	if (number->fraction.len > 0)
		memcpy(digits + number->whole.len, number->fraction.ptr, number->fraction.len);
	for (; n > 0 && digits[n - 1] == '0'; n--)
		exponent++;
	if (n == 0)
		return put(s, "0e0", 3);
	if (exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX)
		return SPELL_E_BAD;
	while (digits[n_zero] == '0')
		n_zero++;
	n -= n_zero;
	memmove(digits, digits + n_zero, n);
	if (number->is_negative)
		digits[-1] = '-';
	n += (size_t)snprintf(digits + n, 24, "e%" PRId64, exponent);
	s->out_len += n + number->is_negative;
	return 0;
}

int
spell_number(struct spell *s, bool is_real)
{
	const char *start = s->at;
	struct number number;
	int r = read_number(s, &number);

	if (r != 0)
		return r;
	if (is_real || number.is_real)
		return put_real(s, &number);
	if (number.whole.ptr[0] == '0')
		return spell_put(s, '0');
	return put(s, start, (size_t)(s->at - start));
}

int
spell_word(struct spell *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
		return SPELL_E_BAD;
	s->at += len;
	return put(s, word, len);
}
