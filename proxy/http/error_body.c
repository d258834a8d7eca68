/* SPDX-License-Identifier: MIT */
/*
 * error_body.c - errors in four shapes, and JSON strings that survive every
 * client's line reader.
 */
#include "proxy/http/error_body.h"

#include <string.h>

#include "base/json_text.h"

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

/* The character that TEXT begins with; *RET_LEN says how many bytes it has. */
static int
add_character(struct buf *out, struct bytes text, size_t *ret_len)
{
	char character[JSON_CHARACTER_MAX];
	size_t len;

	*ret_len = json_put_character(character, text, &len);
	return buf_add(out, (struct bytes){ character, len });
}

int
json_add_string(struct buf *out, struct bytes text)
{
	int r = buf_add_str(out, "\"");

	while (r == 0 && text.len > 0) {
		size_t n = json_plain_len(text);

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
