/* SPDX-License-Identifier: MIT */
/*
 * field_use.c - what becomes of a header field, on the way there and back.
 */
#include <errno.h>
#include <string.h>

#include "proxy/dialect/dialect.h"

static const struct {
	struct bytes	name;
	enum field_use	use;
} table[] = {
#define FIELD(name, use) { { name, sizeof(name) - 1 }, use },
#include "proxy/dialect/field_tbl.h"
#undef FIELD
};

enum field_use
field_use(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (bytes_eq_nocase(table[i].name, name))
			return table[i].use;
	return FIELD_DROPPED;
}

/* Which kind of JSON client asks changes nothing; which kind of picture does. */
static bool
accept_counts(struct bytes value)
{
	while (value.len > 0) {
		struct bytes range = bytes_trim(bytes_cut(&value, ','));

		if (bytes_has_prefix_nocase(range, "image/") ||
		    bytes_has_prefix_nocase(range, "audio/"))
			return true;
	}
	return false;
}

/* The value as far as it counts; none if it does not. */
static struct bytes
counted_value(struct bytes name, struct bytes value, const struct call *call)
{
	struct bytes rest = value;

	if (bytes_eq_str(name, "accept"))
		return accept_counts(value) ? value : BYTES_NONE;
	if (!bytes_eq_str(name, "content-type"))
		return value;
	if (call->form == KEY_JSON)
		return BYTES_NONE;
	return bytes_has_prefix_nocase(value, "multipart/") ? bytes_cut(&rest, ';') : value;
}

/* Put B at AT of OUT, once there is an OUT; returns where the next goes. */
static size_t
put(char *out, size_t at, struct bytes b)
{
	if (out != NULL && b.len > 0)
		memcpy(out + at, b.ptr, b.len);
	return at + b.len;
}

static size_t
put_values(char *out, size_t at, struct bytes name, const struct fields *fields,
    const struct call *call)
{
	for (size_t i = 0; i < fields->n; i++) {
		struct bytes value;

		if (!bytes_eq_nocase(fields->list[i].name, name))
			continue;
		value = counted_value(name, fields->list[i].value, call);
		if (value.len == 0)
			continue;
		at = put(out, at, name);
		at = put(out, at, BYTES_LIT(": "));
		at = put(out, at, value);
		at = put(out, at, BYTES_LIT("\n"));
	}
	return at;
}

static size_t
put_all(char *out, const struct fields *fields, const struct call *call)
{
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].use == FIELD_KEYED)
			at = put_values(out, at, table[i].name, fields, call);
	return at;
}

int
field_raw_key(const struct request_head *head, struct arena *arena, struct bytes *ret_text)
{
	const struct fields *fields = &head->fields;
	struct bytes text = BYTES_NONE;
	size_t len = 0;
	char *to;

	for (size_t i = 0; i < fields->n; i++)
		len += fields->list[i].name.len + fields->list[i].value.len + 2;
	text.ptr = to = arena_alloc(arena, len);
	if (to == NULL)
		return -E2BIG;
	for (size_t i = 0; i < fields->n; i++) {
		if (field_use(fields->list[i].name) != FIELD_KEYED)
			continue;
		text.len = put(to, text.len, fields->list[i].name);
		text.len = put(to, text.len, BYTES_LIT(":"));
		text.len = put(to, text.len, fields->list[i].value);
		text.len = put(to, text.len, BYTES_LIT("\n"));
	}
	*ret_text = text;
	return 0;
}

int
field_key(const struct request_head *head, const struct call *call, struct arena *arena,
    struct bytes *ret_text)
{
	size_t len = put_all(NULL, &head->fields, call);
	char *text = NULL;

	if (len > 0) {
		text = arena_alloc(arena, len);
		if (text == NULL)
			return -E2BIG;
		put_all(text, &head->fields, call);
	}
	*ret_text = (struct bytes){ text, len };
	return 0;
}

bool
field_is_replayed(const struct fields *answer, struct bytes name)
{
	/* What says something about the answer; not about its request, its hour or its server. */
	static const char *const replayed[] = {
		"content-type", "content-language", "content-disposition", "x-compute-characters",
		"x-compute-tokens", "x-compute-images", "x-compute-audio-length", "x-prompt-tokens",
		"x-generated-tokens",
	};

	if (field_is_hop_by_hop(answer, name))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(replayed); i++)
		if (bytes_eq_str_nocase(name, replayed[i]))
			return true;
	return false;
}
