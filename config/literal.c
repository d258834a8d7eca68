/* SPDX-License-Identifier: MIT */
/*
 * literal.c - YAML's core schema (YAML 1.2.2, 10.3.2) written down as JSON.
 */
#include "config/literal.h"

#include <inttypes.h>
#include <string.h>

#include "config/tree.h"

#define NO_NUMBER	"is no number that JSON can hold"
#define DIGITS		"0123456789"
#define EXPONENT_LEN_MAX 10	/* its letter included; far beyond what anyone reads */
#define HEX_DIGITS	DIGITS "abcdefABCDEF"

struct writer {
	struct buf		*out;
	struct literal_fault	*fault;
};

static int
wrong(struct writer *w, const struct tree_node *node, const char *why)
{
	*w->fault = (struct literal_fault){ node, why };
	return LITERAL_E_WRONG;
}

/* What did not fit. */
static int
check(struct writer *w, const struct tree_node *node, int r)
{
	return r == 0 ? 0 : wrong(w, node, "is too large: at most 64kB of JSON");
}

int
literal_add_string(struct buf *out, struct bytes text)
{
	int r = buf_add_str(out, "\"");

	for (size_t i = 0; r == 0 && i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c == '"' || c == '\\')
			r = buf_addf(out, "\\%c", c);
		else if (c < ' ')
			r = buf_addf(out, "\\u%04x", c);
		else
			r = buf_add(out, (struct bytes){ text.ptr + i, 1 });
	}
	return r == 0 ? buf_add_str(out, "\"") : r;
}

/* JSON's word for TEXT, if it is one of the core schema; else NULL. */
static const char *
word_of(const char *text)
{
	static const struct {
		const char	*word;
		const char	*json;
	} words[] = {
		{ "", "null" }, { "~", "null" }, { "null", "null" }, { "Null", "null" },
		{ "NULL", "null" }, { "true", "true" }, { "True", "true" }, { "TRUE", "true" },
		{ "false", "false" }, { "False", "false" }, { "FALSE", "false" },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(text, words[i].word) == 0)
			return words[i].json;
	return NULL;
}

static const char *
skip_sign(const char *text)
{
	return text + (*text == '-' || *text == '+');
}

/* Infinity, or no number. */
static bool
is_beyond_json(const char *text)
{
	static const char *const words[] = { ".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN" };
	const char *rest = skip_sign(text);

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(i < 3 ? rest : text, words[i]) == 0)
			return true;
	return false;
}

/* The number of BASE after its "0x" or "0o"; false if it is larger than 64 bits. */
static bool
parse_based(const char *digits, unsigned base, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (; *digits != '\0'; digits++) {
		unsigned digit = *digits <= '9' ? (unsigned)(*digits - '0') :
		    (unsigned)((*digits | ' ') - 'a') + 10;

		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}
	*ret_value = value;
	return true;
}

static bool
is_based(const char *text)
{
	const char *digits;

	if (text[0] != '0' || (text[1] != 'x' && text[1] != 'o'))
		return false;
	digits = text[1] == 'x' ? HEX_DIGITS : "01234567";
	return text[2] != '\0' && text[2 + strspn(text + 2, digits)] == '\0';
}

/* The parts of a decimal number: digits, perhaps a point and more of them, an exponent. */
struct decimal {
	bool		is_negative;
	struct bytes	whole;
	bool		has_point;
	struct bytes	fraction;
	struct bytes	exponent;	/* its letter included */
};

static struct bytes
take_digits(const char **at)
{
	struct bytes digits = { *at, strspn(*at, DIGITS) };

	*at += digits.len;
	return digits;
}

static bool
read_decimal(const char *text, struct decimal *d)
{
	const char *at = skip_sign(text), *start;

	*d = (struct decimal){ .is_negative = *text == '-', .whole = take_digits(&at) };
	d->has_point = *at == '.';
	at += d->has_point;
	if (d->has_point)
		d->fraction = take_digits(&at);
	if (d->whole.len + d->fraction.len == 0)
		return false;
	start = at;
	if (*at == 'e' || *at == 'E') {
		at = skip_sign(at + 1);
		if (take_digits(&at).len == 0)
			return false;
	}
	d->exponent = (struct bytes){ start, (size_t)(at - start) };
	return *at == '\0';
}

/* JSON has no zeros in front, and digits on both sides of a point. */
static int
add_decimal(struct buf *out, const struct decimal *d)
{
	struct bytes whole = d->whole;

	while (whole.len > 1 && whole.ptr[0] == '0')
		whole = bytes_skip(whole, 1);
	return buf_addf(out, "%s%.*s%s%s%.*s%s%.*s", d->is_negative ? "-" : "", BYTES_ARG(whole),
	    whole.len == 0 ? "0" : "", d->has_point ? "." : "", BYTES_ARG(d->fraction),
	    d->has_point && d->fraction.len == 0 ? "0" : "", BYTES_ARG(d->exponent));
}

static int
add_plain(struct writer *w, const struct tree_node *node)
{
	const char *text = node->text, *word = word_of(text);
	struct decimal decimal;
	uint64_t value;

	if (is_beyond_json(text))
		return wrong(w, node, NO_NUMBER);
	if (word != NULL)
		return check(w, node, buf_add_str(w->out, word));
	if (is_based(text)) {
		if (!parse_based(text + 2, text[1] == 'x' ? 16 : 8, &value))
			return wrong(w, node, "is larger than 64 bits; write it in decimal digits");
		return check(w, node, buf_addf(w->out, "%" PRIu64, value));
	}
	if (!read_decimal(text, &decimal))
		return check(w, node, literal_add_string(w->out, bytes_str(text)));
	if (decimal.exponent.len > EXPONENT_LEN_MAX)
		return wrong(w, node, NO_NUMBER);
	return check(w, node, add_decimal(w->out, &decimal));
}

static int add_value(struct writer *w, const struct tree_node *node, unsigned depth);

static int
add_members(struct writer *w, const struct tree_node *node, unsigned depth)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < node->n; i++) {
		const struct tree_node *key = node->pairs[i].key;

		if (i > 0)
			r = check(w, node, buf_add_str(w->out, ","));
		if (r == 0 && key != NULL)
			r = check(w, key, literal_add_string(w->out, bytes_str(key->text)));
		if (r == 0 && key != NULL)
			r = check(w, key, buf_add_str(w->out, ":"));
		if (r == 0)
			r = add_value(w, node->pairs[i].value, depth + 1);
	}
	return r;
}

static int
add_value(struct writer *w, const struct tree_node *node, unsigned depth)
{
	bool is_map = node->kind == TREE_MAP;
	int r;

	/* What a tag makes of a value is not looked at, so none may seem to count. */
	if (!node->is_bare)
		return wrong(w, node, "must stand without a tag or an anchor; a text in quotes");
	if (node->kind == TREE_SCALAR && node->is_plain)
		return add_plain(w, node);
	if (node->kind == TREE_SCALAR)
		return check(w, node, literal_add_string(w->out, bytes_str(node->text)));
	if (depth == LITERAL_DEPTH_MAX)	/* or an alias of what it lies in */
		return wrong(w, node, "is nested too deep");
	r = check(w, node, buf_add_str(w->out, is_map ? "{" : "["));
	if (r == 0)
		r = add_members(w, node, depth);
	return r == 0 ? check(w, node, buf_add_str(w->out, is_map ? "}" : "]")) : r;
}

int
literal_add(const struct tree_node *node, struct buf *out, struct literal_fault *ret_fault)
{
	struct writer w = { .out = out, .fault = ret_fault };

	return add_value(&w, node, 0);
}
