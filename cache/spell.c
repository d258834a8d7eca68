/* SPDX-License-Identifier: MIT */
/*
 * spell.c - runs of plain bytes are copied, everything else is read and
 * written anew.
 */
#include "cache/spell.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"

#define ROOM		64	/* in OUT past what is left of the text, at least */
#define REAL_EXTRA	24	/* what a real is longer than it came, at most */
#define FEW		32	/* digits that are copied in one step */

/*
 * Past this an exponent is refused.  What the place of the point adds to one is
 * less than 2^32, so one that read_exponent() cut short is refused too.
 */
#define EXPONENT_MAX	INT64_C(10000000000000000)
#define EXPONENT_STOP	INT64_C(100000000000000000)

struct escape {
	uint32_t	code;
	uint32_t	len;	/* as it stands in the text */
};

struct number {
	bool		is_negative;
	struct bytes	whole, fraction;	/* digits alone */
	int64_t		exponent;
};

/* What a letter behind a backslash stands for, and which letter stands for a code. */
static const unsigned char codes[256] = {
	['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n',
	['r'] = '\r', ['t'] = '\t',
};
static const char letters[128] = {
	['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
	['\t'] = 't',
};

/* Make room for LEN bytes more. */
static int
reserve(struct spell *s, size_t len)
{
	size_t used = (size_t)(s->to - s->out), size = s->out_size + s->out_size / 2;
	char *mem;

	if (len <= s->out_size - used)
		return 0;
	if (size < used + len)
		size = used + len;
	if (size > UINT32_MAX)
		return -E2BIG;
	mem = arena_alloc(s->arena, size);
	if (mem == NULL)
		return -E2BIG;
	if (used > 0)
		memcpy(mem, s->out, used);
	s->out = mem;
	s->to = mem + used;
	s->out_size = size;
	return 0;
}

int
spell_init(struct spell *s, struct bytes text, struct arena *arena)
{
	struct spell spell = {
		.arena = arena,
		.copy_plain = run_way(0),
		.at = text.ptr,
		.end = text.ptr + text.len,
	};
	int r;

	if (text.len > UINT32_MAX / 8 * 7)
		return -E2BIG;
	r = reserve(&spell, text.len + text.len / 8 + ROOM);
	if (r < 0)
		return r;
	*s = spell;
	return 0;
}

static const char *
skip_space(const char *p, const char *end)
{
	while (p < end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

char
spell_skip_space(struct spell *s)
{
	s->at = skip_space(s->at, s->end);
	return s->at < s->end ? *s->at : '\0';
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

/* Read the escape at P, a pair of surrogates as one; its LEN is 0 if there is none. */
static struct escape
read_escape(const char *p, const char *end)
{
	uint32_t high, low;

	if (end - p < 2 || *p != '\\')
		return (struct escape){ 0 };
	if (codes[(unsigned char)p[1]] != 0)
		return (struct escape){ codes[(unsigned char)p[1]], 2 };
	if (!read_unit(p, end, &high))
		return (struct escape){ 0 };
	if (high >= 0xd800 && high <= 0xdbff && read_unit(p + 6, end, &low) &&
	    low >= 0xdc00 && low <= 0xdfff)
		return (struct escape){ 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), 12 };
	return (struct escape){ high, 6 };
}

/* Write a character that came as an escape at TO in the one spelling it has here. */
static size_t
put_code(char *to, uint32_t code)
{
	static const char hex[] = "0123456789abcdef";

	if (code < sizeof(letters) && letters[code] != 0) {
		to[0] = '\\';
		to[1] = letters[code];
		return 2;
	}
	if (code >= 0x20 && !utf8_is_surrogate(code))
		return utf8_put(to, code);
	to[0] = '\\';
	to[1] = 'u';
	for (int i = 0; i < 4; i++)
		to[2 + i] = hex[code >> (12 - 4 * i) & 0xf];
	return 6;
}

/* Copy the escapes in a row at FROM that are those of their code; returns how much. */
static size_t
copy_escapes(char *to, const char *from, const char *end)
{
	const char *p = from;

	for (; end - p >= 2 && *p == '\\'; p += 2, to += 2) {
		unsigned char code = codes[(unsigned char)p[1]];

		if (code == 0 || letters[code] == 0)
			break;
		memcpy(to, p, 2);
	}
	return (size_t)(p - from);
}

int
spell_string(struct spell *s)
{
	const char *at = s->at + 1, *end = s->end, *odd;
	char *to = s->to;
	bool is_plain = true;

	*to++ = '"';
	while ((odd = s->copy_plain(to, at, end)) < end && *odd != '"') {
		size_t n;

		to += odd - at;
		n = *odd == '\\' ? copy_escapes(to, odd, end) : utf8_copy(to, odd, end);
		to += n;
		at = odd + n;
		is_plain &= *odd != '\\';
		if (n == 0) {
			struct escape escape = read_escape(at, end);

			if (escape.len == 0)
				return SPELL_E_BAD;
			at += escape.len;
			to += put_code(to, escape.code);
		}
	}
	if (odd == end)
		return SPELL_E_BAD;
	to += odd - at;
	*to++ = '"';
	s->at = odd + 1;
	s->to = to;
	s->is_plain = is_plain;
	return 0;
}

int
spell_unescape(struct bytes raw, bool mend, struct arena *arena, struct bytes *ret_text)
{
	const char *p = raw.ptr, *end = raw.ptr + raw.len;
	char *text = arena_alloc(arena, raw.len + 1);
	size_t len = 0;

	if (text == NULL)
		return -E2BIG;
	while (p < end) {
		size_t run = bytes_find_char((struct bytes){ p, (size_t)(end - p) }, '\\');
		struct escape escape;

		memcpy(text + len, p, run);
		len += run;
		p += run;
		if (p == end)
			break;
		escape = read_escape(p, end);
		assert(escape.len > 0);
		p += escape.len;
		len += utf8_put(text + len,
		    mend && utf8_is_surrogate(escape.code) ? 0xfffd : escape.code);
	}
	text[len] = '\0';
	*ret_text = (struct bytes){ text, len };
	return 0;
}

/* The first byte in memory whose top bit is set in TOPS, which is not 0. */
static size_t
first_top(uint64_t tops)
{
	const bool is_little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	return (size_t)(is_little ? __builtin_ctzll(tops) : __builtin_clzll(tops)) / 8;
}

/* The top bit of each byte of WORD that is no digit. */
static uint64_t
not_digits(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;

	word ^= ones * '0';
	return (word | ((word & ~tops) + ones * (0x80 - 10))) & tops;
}

/* The first byte from P that is no digit. */
static inline const char *
skip_digits(const char *p, const char *end)
{
	uint64_t word, odd;

	for (; end - p >= (ptrdiff_t)sizeof(word); p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		odd = not_digits(word);
		if (odd != 0)
			return p + first_top(odd);
	}
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Copy the LEN digits at FROM to TO, which has room for FEW in any case. */
static char *
put_digits(char *to, const char *from, size_t len, const char *end)
{
	if (len <= FEW && end - from >= FEW)
		memcpy(to, from, FEW);
	else
		memcpy(to, from, len);
	return to + len;
}

/*
 * Read the exponent at *AT, if there is one: exact below EXPONENT_STOP and else
 * at least that.
 */
static int
read_exponent(const char **at, const char *end, int64_t *ret_exponent)
{
	const char *p = *at, *past;
	bool is_negative;
	int64_t value = 0;

	*ret_exponent = 0;
	if (p == end || (*p != 'e' && *p != 'E'))
		return 0;
	p++;
	is_negative = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	past = skip_digits(p, end);
	if (past == p)
		return SPELL_E_BAD;
	for (; p < past && value < EXPONENT_STOP; p++)
		value = value * 10 + (*p - '0');
	*at = past;
	*ret_exponent = is_negative ? -value : value;
	return 0;
}

static struct bytes
take_digits(const char **at, const char *end)
{
	const char *start = *at;

	*at = skip_digits(start, end);
	return (struct bytes){ start, (size_t)(*at - start) };
}

/* Take the zeros off both ends of NUMBER's digits; the exponent makes up for them. */
static void
trim_zeros(struct number *number)
{
	struct bytes *whole = &number->whole, *fraction = &number->fraction;

	while (fraction->len > 0 && fraction->ptr[fraction->len - 1] == '0')
		fraction->len--;
	number->exponent -= (int64_t)fraction->len;
	if (whole->ptr[0] == '0') {
		whole->len = 0;
		while (fraction->len > 0 && fraction->ptr[0] == '0')
			*fraction = (struct bytes){ fraction->ptr + 1, fraction->len - 1 };
	}
	while (fraction->len == 0 && whole->len > 0 && whole->ptr[whole->len - 1] == '0') {
		whole->len--;
		number->exponent++;
	}
}

static char *
put_exponent(char *to, int64_t exponent)
{
	uint64_t left = (uint64_t)(exponent < 0 ? -exponent : exponent);
	char digits[20], *p = digits + sizeof(digits);

	*to++ = 'e';
	if (exponent < 0)
		*to++ = '-';
	if (left < 100) {
		if (left >= 10)
			*to++ = (char)('0' + left / 10);
		*to++ = (char)('0' + left % 10);
		return to;
	}
	do
		*--p = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	while (p < digits + sizeof(digits))
		*to++ = *p++;
	return to;
}

/* Read the number that starts at START and has the digits WHOLE, and write it as a real. */
static int
spell_real(struct spell *s, const char *start, struct bytes whole)
{
	struct number number = { .is_negative = *start == '-', .whole = whole };
	const char *p = whole.ptr + whole.len, *end = s->end;
	char *to;
	int r;

	number.fraction = (struct bytes){ p, 0 };
	if (p < end && *p == '.') {
		p++;
		number.fraction = take_digits(&p, end);
		if (number.fraction.len == 0)
			return SPELL_E_BAD;
	}
	r = read_exponent(&p, end, &number.exponent);
	if (r == 0)
		r = reserve(s, (size_t)(end - start) + REAL_EXTRA + ROOM);
	if (r != 0)
		return r;
	trim_zeros(&number);
	s->at = p;
	if (number.whole.len + number.fraction.len == 0) {
		s->to = mempcpy(s->to, "0e0", 3);
		return 0;
	}
	if (number.exponent > EXPONENT_MAX || number.exponent < -EXPONENT_MAX)
		return SPELL_E_BAD;
	*s->to = '-';
	to = put_digits(s->to + number.is_negative, number.whole.ptr, number.whole.len, end);
	to = put_digits(to, number.fraction.ptr, number.fraction.len, end);
	s->to = put_exponent(to, number.exponent);
	return 0;
}

int
spell_number(struct spell *s, bool is_real)
{
	const char *start = s->at, *p = start + (*start == '-');
	struct bytes whole = take_digits(&p, s->end);

	if (whole.len == 0 || (whole.len > 1 && whole.ptr[0] == '0'))
		return SPELL_E_BAD;
	if (is_real || (p < s->end && (*p == '.' || *p == 'e' || *p == 'E')))
		return spell_real(s, start, whole);
	if (whole.ptr[0] == '0')
		start = whole.ptr;
	s->to = put_digits(s->to, start, (size_t)(p - start), s->end);
	s->at = p;
	return 0;
}

/* Read an integer of few digits that is canonical as it stands; false if it is not so. */
static bool
copy_short(struct spell *s)
{
	const char *p = s->at;
	uint64_t word, odd;
	size_t len;

	if (s->end - p < (ptrdiff_t)sizeof(word))
		return false;
	memcpy(&word, p, sizeof(word));
	odd = not_digits(word);
	len = odd != 0 ? first_top(odd) : 0;
	if (len == 0 || (*p == '0' && len > 1) || p[len] == '.' || (p[len] | 0x20) == 'e')
		return false;
	memcpy(s->to, &word, sizeof(word));
	s->to += len;
	s->at += len;
	return true;
}

/* Where a number begins behind white space and a comma, if so it goes on from P; else NULL. */
static const char *
next_number(const char *p, const char *end)
{
	p = skip_space(p, end);
	if (p == end || *p != ',')
		return NULL;
	p = skip_space(p + 1, end);
	return p < end && (*p == '-' || (*p >= '0' && *p <= '9')) ? p : NULL;
}

int
spell_numbers(struct spell *s, size_t *n)
{
	const char *next;

	for (;;) {
		int r = copy_short(s) ? 0 : spell_number(s, false);

		if (r != 0)
			return r;
		++*n;
		next = next_number(s->at, s->end);
		if (next == NULL)
			return 0;
		s->at = next;
		*s->to++ = ',';
	}
}

int
spell_word(struct spell *s, struct bytes word)
{
	if ((size_t)(s->end - s->at) < word.len || memcmp(s->at, word.ptr, word.len) != 0)
		return SPELL_E_BAD;
	s->to = mempcpy(s->to, word.ptr, word.len);
	s->at += word.len;
	return 0;
}
