/* SPDX-License-Identifier: MIT */
/*
 * error_body.c - errors in four shapes, and JSON strings that survive every
 * client's line reader.
 */
#include "proxy/http/error_body.h"

#include <string.h>

struct type_row {
	int		 status;	/* 0: every other */
	const char	*type;
};

/* PROTOCOLS.md 7 and 8: the names that the SDKs know. */
static const struct type_row openai_types[] = {
	{ 401, "authentication_error" },
	{ 403, "permission_error" },
	{ 404, "not_found_error" },
	{ 429, "rate_limit_error" },
	{ 500, "server_error" },
	{ 502, "server_error" },
	{ 503, "server_error" },
	{ 504, "server_error" },
	{ 0, "invalid_request_error" },
};

static const struct type_row anthropic_types[] = {
	{ 401, "authentication_error" },
	{ 403, "permission_error" },
	{ 404, "not_found_error" },
	{ 408, "timeout_error" },
	{ 413, "request_too_large" },
	{ 429, "rate_limit_error" },
	{ 500, "api_error" },
	{ 502, "api_error" },
	{ 503, "overloaded_error" },
	{ 504, "timeout_error" },
	{ 529, "overloaded_error" },
	{ 0, "invalid_request_error" },
};

static const char *
type_of(const struct type_row *row, int status)
{
	while (row->status != 0 && row->status != status)
		row++;
	return row->type;
}

/* The length of the UTF-8 sequence at P (at most LEN bytes), 0 if it is none. */
static size_t
utf8_len(const unsigned char *p, size_t len)
{
	static const unsigned char second_min[] = { [0] = 0xa0, [0x10] = 0x90 };
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 :
	    p[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if (n >= 3 && (size_t)(p[0] - 0xe0) < sizeof(second_min) && p[1] < second_min[p[0] - 0xe0])
		return 0;
	if ((p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/* How many of the first bytes stand for themselves in a JSON string. */
static size_t
plain_len(struct bytes text)
{
	size_t n = 0;

	while (n < text.len && text.ptr[n] >= 0x20 && text.ptr[n] < 0x7f &&
	    text.ptr[n] != '"' && text.ptr[n] != '\\')
		n++;
	return n;
}

/* A byte of ASCII that does not stand for itself. */
static int
add_escape(struct buf *out, unsigned char c)
{
	return buf_addf(out, c == '"' || c == '\\' ? "\\%c" : "\\u%04x", c);
}

static int
add_sequence(struct buf *out, struct bytes sequence)
{
	static const struct {
		const char	*utf8;
		const char	*escape;
	} line_ends[] = {
		{ "\xc2\x85", "\\u0085" },
		{ "\xe2\x80\xa8", "\\u2028" },
		{ "\xe2\x80\xa9", "\\u2029" },
	};

	for (size_t i = 0; i < ARRAY_LEN(line_ends); i++)
		if (bytes_eq_str(sequence, line_ends[i].utf8))
			return buf_add_str(out, line_ends[i].escape);
	return buf_add(out, sequence);
}

/* The character that TEXT begins with; *RET_LEN says how many bytes it has. */
static int
add_character(struct buf *out, struct bytes text, size_t *ret_len)
{
	size_t n = utf8_len((const unsigned char *)text.ptr, text.len);

	*ret_len = n > 0 ? n : 1;
	if (n == 0)
		return buf_add_str(out, "\xef\xbf\xbd");
	if (n == 1)
		return add_escape(out, (unsigned char)text.ptr[0]);
	return add_sequence(out, bytes_first(text, n));
}

int
json_add_string(struct buf *out, struct bytes text)
{
	int r = buf_add_str(out, "\"");

	while (r == 0 && text.len > 0) {
		size_t n = plain_len(text);

		r = n > 0 ? buf_add(out, bytes_first(text, n)) : add_character(out, text, &n);
		text = bytes_skip(text, n);
	}
	return r == 0 ? buf_add_str(out, "\"") : r;
}

/* BEFORE, MESSAGE as a JSON string, AFTER. */
static int
add_message(struct buf *out, const char *before, struct bytes message, const char *after)
{
	int r = buf_add_str(out, before);

	if (r == 0)
		r = json_add_string(out, message);
	return r == 0 ? buf_add_str(out, after) : r;
}

static int
add_openai(struct buf *out, int status, const char *code, struct bytes message)
{
	int r = add_message(out, "{\"error\":{\"message\":", message, ",\"type\":\"");

	return r == 0 ? buf_addf(out, "%s\",\"param\":null,\"code\":\"%s\"}}\n",
	    type_of(openai_types, status), code) : r;
}

static int
add_anthropic(struct buf *out, int status, struct bytes message)
{
	int r = buf_addf(out, "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":",
	    type_of(anthropic_types, status));

	return r == 0 ? add_message(out, "", message, "}}\n") : r;
}

static int
add_hf(struct buf *out, const char *code, struct bytes message)
{
	int r = add_message(out, "{\"error\":", message, ",\"error_type\":\"");

	return r == 0 ? buf_addf(out, "%s\"}\n", code) : r;
}

int
error_body(struct buf *out, enum error_shape shape, int status, const char *code,
    struct bytes message)
{
	switch (shape) {
	case ERROR_SHAPE_HF:
		return add_hf(out, code, message);
	case ERROR_SHAPE_OPENAI:
		return add_openai(out, status, code, message);
	case ERROR_SHAPE_ANTHROPIC:
		return add_anthropic(out, status, message);
	case ERROR_SHAPE_OLLAMA:
		return add_message(out, "{\"error\":", message, "}\n");
	}
	unreachable("an error shape");
}
