/* SPDX-License-Identifier: MIT */
/*
 * field.c - lists of header fields, and what may stand in them.
 */
#include "proxy/http/field.h"

#include <errno.h>
#include <string.h>

#define FIRST_SIZE	16

int
fields_add(struct fields *fields, struct arena *arena, struct bytes name, struct bytes value)
{
	if (fields->n == FIELDS_MAX)
		return -E2BIG;
	if (fields->n == fields->size) {
		size_t size = fields->size > 0 ? fields->size * 2 : FIRST_SIZE;
		struct field *list = arena_alloc(arena, size * sizeof(*list));

		if (list == NULL)
			return -E2BIG;
		if (fields->n > 0)
			memcpy(list, fields->list, fields->n * sizeof(*list));
		fields->list = list;
		fields->size = size;
	}
	fields->list[fields->n++] = (struct field){ name, value };
	return 0;
}

struct bytes
fields_get(const struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->n; i++)
		if (bytes_eq_str_nocase(fields->list[i].name, name))
			return fields->list[i].value;
	return BYTES_NONE;
}

size_t
fields_count(const struct fields *fields, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < fields->n; i++)
		n += bytes_eq_str_nocase(fields->list[i].name, name);
	return n;
}

static bool
list_has_token(struct bytes list, struct bytes token)
{
	while (list.len > 0) {
		struct bytes element = bytes_cut(&list, ',');

		if (bytes_eq_nocase(bytes_trim(bytes_cut(&element, ';')), token))
			return true;
	}
	return false;
}

static bool
has_token(const struct fields *fields, const char *name, struct bytes token)
{
	for (size_t i = 0; i < fields->n; i++)
		if (bytes_eq_str_nocase(fields->list[i].name, name) &&
		    list_has_token(fields->list[i].value, token))
			return true;
	return false;
}

bool
fields_has_token(const struct fields *fields, const char *name, const char *token)
{
	return has_token(fields, name, bytes_str(token));
}

static bool
is_token_char(unsigned char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

bool
field_name_is_valid(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!is_token_char((unsigned char)name.ptr[i]))
			return false;
	return name.len > 0;
}

bool
field_value_is_valid(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

bool
field_is_hop_by_hop(const struct fields *fields, struct bytes name)
{
	static const char *const names[] = {
		"connection", "keep-alive", "proxy-connection", "te", "trailer",
		"transfer-encoding", "upgrade", "proxy-authenticate", "proxy-authorization",
		"proxy-authentication-info",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (bytes_eq_str_nocase(name, names[i]))
			return true;
	return has_token(fields, "connection", name);
}
