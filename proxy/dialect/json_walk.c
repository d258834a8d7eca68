/* SPDX-License-Identifier: MIT */
/*
 * json_walk.c - one look at each byte, and one bit for each array or object not yet
 * ended: which of the two it is.
 */
#include "proxy/dialect/json_walk.h"

#include <string.h>

/* Of a value, by its first byte. */
static const enum json_walk_type types[256] = {
	['n'] = JSON_WALK_NULL,
	['f'] = JSON_WALK_FALSE,
	['t'] = JSON_WALK_TRUE,
	['-'] = JSON_WALK_NUMBER,
	['0' ... '9'] = JSON_WALK_NUMBER,
	['"'] = JSON_WALK_STRING,
	['['] = JSON_WALK_ARRAY,
	['{'] = JSON_WALK_OBJECT,
};

static const char *const words[] = {
	[JSON_WALK_NULL] = "null", [JSON_WALK_FALSE] = "false", [JSON_WALK_TRUE] = "true",
};

void
json_walk_init(struct json_walk *walk, struct bytes text)
{
	const char *at = text.ptr != NULL ? text.ptr : "";

	*walk = (struct json_walk){ .at = at, .end = at + text.len };
}

/* What comes next; NUL, which nothing begins with, at the end. */
static char
peek(const struct json_walk *walk)
{
	return walk->at < walk->end ? *walk->at : '\0';
}

/* What comes next that is no white space. */
static char
peek_past_space(struct json_walk *walk)
{
	char c = peek(walk);

	while (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
		walk->at++;
		c = peek(walk);
	}
	return c;
}

static bool
take(struct json_walk *walk, char c)
{
	if (walk->at == walk->end || *walk->at != c)
		return false;
	walk->at++;
	return true;
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | ' ') >= 'a' && (c | ' ') <= 'f');
}

/* What a backslash begins. */
static bool
walk_escape(struct json_walk *walk)
{
	char c;

	walk->at++;
	c = peek(walk);
	if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL)
		return false;
	walk->at++;
	for (int i = 0; c == 'u' && i < 4; i++, walk->at++)
		if (!is_hex(peek(walk)))
			return false;
	return true;
}

/* To the next byte of a string that does not just stand for itself. */
static char
peek_past_plain(struct json_walk *walk)
{
	const char *at = walk->at;

	while (at < walk->end && *at != '"' && *at != '\\' && (unsigned char)*at >= ' ')
		at++;
	walk->at = at;
	return peek(walk);
}

static bool
walk_string(struct json_walk *walk)
{
	if (!take(walk, '"'))
		return false;
	while (peek_past_plain(walk) == '\\')
		if (!walk_escape(walk))
			return false;
	return take(walk, '"');
}

/* One digit at least. */
static bool
walk_digits(struct json_walk *walk)
{
	const char *start = walk->at;

	while (peek(walk) >= '0' && peek(walk) <= '9')
		walk->at++;
	return walk->at > start;
}

static bool
walk_number(struct json_walk *walk)
{
	take(walk, '-');
	if (!take(walk, '0') && !walk_digits(walk))
		return false;
	if (take(walk, '.') && !walk_digits(walk))
		return false;
	if (!take(walk, 'e') && !take(walk, 'E'))
		return true;
	if (!take(walk, '+'))
		take(walk, '-');
	return walk_digits(walk);
}

static bool
walk_word(struct json_walk *walk, const char *word)
{
	struct bytes rest = { walk->at, (size_t)(walk->end - walk->at) };

	if (!bytes_has_prefix(rest, word))
		return false;
	walk->at += strlen(word);
	return true;
}

static bool
is_in_object(const struct json_walk *walk)
{
	size_t n = walk->depth - 1;

	return walk->depth > 0 && (walk->objects[n / 64] >> n % 64 & 1) != 0;
}

static bool
walk_opening(struct json_walk *walk, bool is_object)
{
	uint64_t bit = (uint64_t)1 << walk->depth % 64;
	uint64_t *objects = &walk->objects[walk->depth / 64];

	if (walk->depth == JSON_WALK_DEPTH_MAX)
		return false;
	*objects = is_object ? *objects | bit : *objects & ~bit;
	walk->depth++;
	walk->at++;
	return true;
}

static bool
walk_value(struct json_walk *walk, enum json_walk_type type)
{
	switch (type) {
	case JSON_WALK_ARRAY:
	case JSON_WALK_OBJECT:
		return walk_opening(walk, type == JSON_WALK_OBJECT);
	case JSON_WALK_STRING:
		return walk_string(walk);
	case JSON_WALK_NUMBER:
		return walk_number(walk);
	case JSON_WALK_NULL:
	case JSON_WALK_FALSE:
	case JSON_WALK_TRUE:
		return walk_word(walk, words[type]);
	default:
		return false;
	}
}

/* The name of a member and its colon. */
static bool
walk_name(struct json_walk *walk, struct bytes *ret_name)
{
	const char *start = walk->at;

	if (!walk_string(walk))
		return false;
	*ret_name = (struct bytes){ start + 1, (size_t)(walk->at - start) - 2 };
	peek_past_space(walk);
	return take(walk, ':');
}

static bool
walk_item(struct json_walk *walk, struct json_item *item)
{
	const char *start;

	if (is_in_object(walk) && !walk_name(walk, &item->name))
		return false;
	item->type = types[(unsigned char)peek_past_space(walk)];
	start = walk->at;
	if (!walk_value(walk, item->type))
		return false;
	item->raw = (struct bytes){ start, (size_t)(walk->at - start) };
	walk->has_item = item->type != JSON_WALK_ARRAY && item->type != JSON_WALK_OBJECT;
	return true;
}

static void
walk_closing(struct json_walk *walk, struct json_item *ret_item)
{
	*ret_item = (struct json_item){
		.type = JSON_WALK_CLOSE,
		.depth = walk->depth - 1,
		.start = walk->at,
		.raw = { walk->at, 1 },
	};
	walk->at++;
	walk->depth--;
	walk->has_item = true;
}

int
json_walk_next(struct json_walk *walk, struct json_item *ret_item)
{
	struct json_item item = { .depth = walk->depth };
	const char *before = walk->at;
	char c = peek_past_space(walk);

	if (walk->depth == 0 && walk->has_item)
		return walk->at == walk->end ? JSON_WALK_E_END : JSON_WALK_E_BAD;
	if (walk->depth > 0 && c == (is_in_object(walk) ? '}' : ']')) {
		walk_closing(walk, ret_item);
		return 0;
	}
	if (walk->has_item) {
		if (!take(walk, ','))
			return JSON_WALK_E_BAD;
		item.comma = (struct bytes){ before, (size_t)(walk->at - before) };
		peek_past_space(walk);
	}
	item.start = walk->at;
	if (!walk_item(walk, &item))
		return JSON_WALK_E_BAD;
	*ret_item = item;
	return 0;
}
