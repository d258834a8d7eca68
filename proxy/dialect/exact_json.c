/* SPDX-License-Identifier: MIT */
/*
 * exact_json.c - numbers carried through jansson as marked strings.
 *
 * The mark is U+0001, which JSON can only spell \u0001.  Before jansson reads a
 * text, each number that it would change becomes a string, and a string that
 * happens to begin with the mark gets another one:
 *
 *	text		[0.10, "a", "\u0001b", 7]
 *	for jansson	["\u00010.10", "a", "\u0001\u0001b", 7]
 *
 * What is no JSON before must be none after: a number is only touched if it is
 * well formed, and never in the place of a name.
 */
#include "proxy/dialect/exact_json.h"

#include <errno.h>
#include <string.h>

#include "proxy/http/error_body.h"

#define MARK		'\x01'
#define MARK_SPELLED	"\\u0001"
#define LOAD_FLAGS	(JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL)

/* Integers of so many digits are jansson's own. */
#define PLAIN_DIGITS_MAX	18

/* "-0" between commas, the shortest that is marked, becomes less than four times as long. */
#define GROWTH_MAX	4

struct scan {
	const char	*at, *end;
	const char	*copied;	/* up to here the text is in OUT */
	struct buf	 out;
};

static struct bytes
between(const char *from, const char *to)
{
	return (struct bytes){ from, (size_t)(to - from) };
}

static const char *
skip_digits(const char *at, const char *end)
{
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

/* The end of a fraction or exponent whose digits begin at AT; NULL if there are none. */
static const char *
skip_some_digits(const char *at, const char *end)
{
	const char *past = skip_digits(at, end);

	return past > at ? past : NULL;
}

/*
 * The end of the number that begins at AT; NULL if it is none.  *RET_IS_PLAIN: will
 * jansson write it as it stands here?
 */
static const char *
find_number_end(const char *at, const char *end, bool *ret_is_plain)
{
	bool is_negative = *at == '-';
	const char *digits = at + is_negative;

	at = skip_some_digits(digits, end);
	if (at == NULL || (*digits == '0' && at - digits > 1))
		return NULL;
	*ret_is_plain = at - digits <= PLAIN_DIGITS_MAX && !(is_negative && *digits == '0');
	if (at < end && *at == '.') {
		*ret_is_plain = false;
		at = skip_some_digits(at + 1, end);
	}
	if (at != NULL && at < end && (*at == 'e' || *at == 'E')) {
		*ret_is_plain = false;
		at++;
		if (at < end && (*at == '+' || *at == '-'))
			at++;
		at = skip_some_digits(at, end);
	}
	return at;
}

/* Past the string that begins at AT; END if it has no end. */
static const char *
find_string_end(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\' && end - at > 1)
			at++;
	return at < end ? at + 1 : end;
}

static bool
is_before_colon(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
		at++;
	return at < end && *at == ':';
}

/* Put WHAT at the place AT of the text. */
static int
put(struct scan *scan, const char *at, const char *what)
{
	int r = buf_add(&scan->out, between(scan->copied, at));

	scan->copied = at;
	return r == 0 ? buf_add_str(&scan->out, what) : r;
}

static int
scan_string(struct scan *scan)
{
	const char *start = scan->at;

	scan->at = find_string_end(start, scan->end);
	if (!bytes_has_prefix(between(start + 1, scan->end), MARK_SPELLED) ||
	    is_before_colon(scan->at, scan->end))
		return 0;
	return put(scan, start + 1, MARK_SPELLED);
}

static int
scan_number(struct scan *scan)
{
	const char *start = scan->at;
	bool is_plain = true;
	const char *past = find_number_end(start, scan->end, &is_plain);
	int r;

	scan->at = past != NULL ? past : start + 1;
	if (past == NULL || is_plain || is_before_colon(past, scan->end))
		return 0;
	r = put(scan, start, "\"" MARK_SPELLED);
	return r == 0 ? put(scan, past, "\"") : r;
}

/* What jansson is to read: in SCAN's buffer, which stays empty if it is the text itself. */
static int
scan_text(struct scan *scan)
{
	int r = 0;

	while (r == 0 && scan->at < scan->end) {
		char c = *scan->at;

		if (c == '"')
			r = scan_string(scan);
		else if (c == '-' || (c >= '0' && c <= '9'))
			r = scan_number(scan);
		else
			scan->at++;
	}
	if (r == 0 && buf_len(&scan->out) > 0)
		r = buf_add(&scan->out, between(scan->copied, scan->end));
	return r;
}

int
exact_json_load(struct bytes text, json_t **ret_value)
{
	struct scan scan = { .at = text.ptr, .end = text.ptr + text.len, .copied = text.ptr };
	json_error_t error;
	json_t *value;
	int r;

	if (text.len == 0)
		return EXACT_JSON_E_BAD;
	buf_init(&scan.out, GROWTH_MAX * text.len + sizeof("\"" MARK_SPELLED "\""));
	r = scan_text(&scan);
	if (r < 0) {
		buf_done(&scan.out);
		return r;
	}
	if (buf_len(&scan.out) > 0)
		text = buf_bytes(&scan.out);
	value = json_loadb(text.ptr, text.len, LOAD_FLAGS, &error);
	buf_done(&scan.out);
	if (value == NULL)
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM :
		    EXACT_JSON_E_BAD;
	*ret_value = value;
	return 0;
}

static struct bytes
marked_text(const json_t *value)
{
	return (struct bytes){ json_string_value(value), json_string_length(value) };
}

static bool
is_marked(struct bytes text)
{
	return text.len > 0 && text.ptr[0] == MARK;
}

/* A number marked: digits or a sign follow where a string has the mark again. */
static bool
is_number(struct bytes text)
{
	return is_marked(text) && (text.len < 2 || text.ptr[1] != MARK);
}

bool
exact_json_is_string(const json_t *value)
{
	return json_is_string(value) && !is_number(marked_text(value));
}

struct bytes
exact_json_text(const json_t *value)
{
	struct bytes text;

	if (!exact_json_is_string(value))
		return BYTES_NONE;
	text = marked_text(value);
	return is_marked(text) ? bytes_skip(text, 1) : text;
}

json_t *
exact_json_string(struct bytes text)
{
	struct buf marked;
	json_t *value = NULL;

	if (!is_marked(text))
		return json_stringn_nocheck(text.len > 0 ? text.ptr : "", text.len);
	buf_init(&marked, text.len + 1);
	if (buf_add(&marked, (struct bytes){ (const char[]){ MARK }, 1 }) == 0 &&
	    buf_add(&marked, text) == 0)
		value = json_stringn_nocheck(buf_bytes(&marked).ptr, buf_len(&marked));
	buf_done(&marked);
	return value;
}

static int
dump_string(const json_t *value, struct buf *out)
{
	struct bytes text = marked_text(value);

	if (is_number(text))
		return buf_add(out, bytes_skip(text, 1));
	return json_add_string(out, exact_json_text(value));
}

static int
dump_array(const json_t *array, struct buf *out)
{
	int r = buf_add_str(out, "[");

	for (size_t i = 0; r == 0 && i < json_array_size(array); i++) {
		if (i > 0)
			r = buf_add_str(out, ",");
		if (r == 0)
			r = exact_json_dump(json_array_get(array, i), out);
	}
	return r == 0 ? buf_add_str(out, "]") : r;
}

static int
dump_member(void *iter, struct buf *out)
{
	const struct bytes name = { json_object_iter_key(iter), json_object_iter_key_len(iter) };
	int r = json_add_string(out, name);

	if (r == 0)
		r = buf_add_str(out, ":");
	return r == 0 ? exact_json_dump(json_object_iter_value(iter), out) : r;
}

static int
dump_object(json_t *object, struct buf *out)
{
	void *iter = json_object_iter(object);
	int r = buf_add_str(out, "{");

	for (bool is_first = true; r == 0 && iter != NULL; is_first = false) {
		if (!is_first)
			r = buf_add_str(out, ",");
		if (r == 0)
			r = dump_member(iter, out);
		iter = json_object_iter_next(object, iter);
	}
	return r == 0 ? buf_add_str(out, "}") : r;
}

int
exact_json_dump(json_t *value, struct buf *out)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return dump_object(value, out);
	case JSON_ARRAY:
		return dump_array(value, out);
	case JSON_STRING:
		return dump_string(value, out);
	case JSON_INTEGER:
		return buf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	case JSON_REAL:
		break;
	case JSON_TRUE:
		return buf_add_str(out, "true");
	case JSON_FALSE:
		return buf_add_str(out, "false");
	case JSON_NULL:
		return buf_add_str(out, "null");
	}
	unreachable("a real number in an exact tree");
}
