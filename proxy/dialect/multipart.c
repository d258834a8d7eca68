/* SPDX-License-Identifier: MIT */
/*
 * multipart.c - cut at the boundary, head and data of each part.
 */
#include "proxy/dialect/multipart.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BOUNDARY_MAX	70	/* RFC 2046, 5.1.1 */

/* The value of the parameter NAME of a header field, without its quotes. */
static bool
get_parameter(struct bytes field, const char *name, struct bytes *ret_value)
{
	bytes_cut(&field, ';');
	while (field.len > 0) {
		struct bytes value = bytes_cut(&field, ';');
		struct bytes found = bytes_trim(bytes_cut(&value, '='));

		value = bytes_trim(value);
		if (!bytes_eq_str_nocase(found, name))
			continue;
		if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
			value = bytes_first(bytes_skip(value, 1), value.len - 2);
		*ret_value = value;
		return true;
	}
	return false;
}

static int
read_part_field(struct bytes line, struct multipart_part *part)
{
	struct bytes value = line, name = bytes_cut(&value, ':');

	value = bytes_trim(value);
	if (bytes_eq_str_nocase(name, "content-disposition")) {
		if (!bytes_has_prefix_nocase(value, "form-data") ||
		    !get_parameter(value, "name", &part->name))
			return MULTIPART_E_BAD;
		get_parameter(value, "filename", &part->filename);
	} else if (bytes_eq_str_nocase(name, "content-type")) {
		part->type = value;
	}
	return 0;
}

/* A part between two delimiters: fields, an empty line, data. */
static int
read_part(struct bytes text, struct multipart_part *ret_part)
{
	struct multipart_part part = { 0 };
	size_t head = bytes_find_str(text, "\r\n\r\n");
	struct bytes fields = bytes_first(text, head);

	if (head == text.len)
		return MULTIPART_E_BAD;
	part.data = bytes_skip(text, head + strlen("\r\n\r\n"));
	while (fields.len > 0) {
		struct bytes line = bytes_cut(&fields, '\n');

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (read_part_field(line, &part) != 0)
			return MULTIPART_E_BAD;
	}
	if (part.name.ptr == NULL)
		return MULTIPART_E_BAD;
	*ret_part = part;
	return 0;
}

int
multipart_read(struct bytes content_type, struct bytes body, struct multipart *ret_multipart)
{
	char delimiter[BOUNDARY_MAX + 5];	/* CR LF "--" boundary */
	struct multipart m = { .n = 0 };
	struct bytes boundary, rest;
	size_t len;

	if (!bytes_has_prefix_nocase(content_type, "multipart/form-data") ||
	    !get_parameter(content_type, "boundary", &boundary) || boundary.len == 0 ||
	    boundary.len > BOUNDARY_MAX)
		return MULTIPART_E_BAD;
	len = (size_t)snprintf(delimiter, sizeof(delimiter), "\r\n--%.*s", BYTES_ARG(boundary));
	if (!bytes_has_prefix(body, delimiter + 2))
		return MULTIPART_E_BAD;
	for (rest = bytes_skip(body, len - 2); bytes_has_prefix(rest, "\r\n");) {
		size_t end;

		rest = bytes_skip(rest, 2);
		end = bytes_find_str(rest, delimiter);
		if (end == rest.len || m.n == MULTIPART_PARTS_MAX ||
		    read_part(bytes_first(rest, end), &m.parts[m.n]) != 0)
			return MULTIPART_E_BAD;
		m.n++;
		rest = bytes_skip(rest, end + len);
	}
	if (!bytes_eq_str(rest, "--") && !bytes_eq_str(rest, "--\r\n"))
		return MULTIPART_E_BAD;
	*ret_multipart = m;
	return 0;
}

struct bytes
multipart_get(const struct multipart *multipart, const char *name)
{
	for (size_t i = 0; i < multipart->n; i++)
		if (bytes_eq_str(multipart->parts[i].name, name))
			return multipart->parts[i].data;
	return BYTES_NONE;
}

static struct bytes
ending_of(struct bytes filename)
{
	struct bytes rest = filename, ending = BYTES_NONE;

	while (bytes_find_char(rest, '.') < rest.len) {
		bytes_cut(&rest, '.');
		ending = rest;
	}
	return ending;
}

static char *
put(char *to, struct bytes b)
{
	for (int i = 0; i < 4; i++)
		*to++ = (char)(b.len >> (8 * i) & 0xff);
	if (b.len > 0)
		memcpy(to, b.ptr, b.len);
	return to + b.len;
}

int
multipart_key(const struct multipart *multipart, struct arena *arena, struct bytes *ret_text)
{
	size_t len = 0;
	char *text, *to;

	for (size_t i = 0; i < multipart->n; i++) {
		const struct multipart_part *part = &multipart->parts[i];

		len += 16 + part->name.len + ending_of(part->filename).len + part->type.len +
		    part->data.len;
	}
	text = to = arena_alloc(arena, len);
	if (text == NULL)
		return -E2BIG;
	for (size_t i = 0; i < multipart->n; i++) {
		const struct multipart_part *part = &multipart->parts[i];

		to = put(to, part->name);
		to = put(to, ending_of(part->filename));
		to = put(to, part->type);
		to = put(to, part->data);
	}
	*ret_text = (struct bytes){ text, len };
	return 0;
}
