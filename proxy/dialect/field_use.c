/* SPDX-License-Identifier: MIT */
/*
 * field_use.c - what becomes of a header field, on the way there and back.
 */
#include "base/buf.h"
#include "proxy/dialect/dialect.h"

#define KEY_MAX		((size_t)64 << 10)

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
	return bytes_find_str(value, "image/") < value.len ||
	    bytes_find_str(value, "audio/") < value.len;
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
	if (call->is_canonical)
		return BYTES_NONE;
	return bytes_has_prefix_nocase(value, "multipart/") ? bytes_cut(&rest, ';') : value;
}

static int
add_values(struct buf *out, const struct fields *fields, struct bytes name,
    const struct call *call)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < fields->n; i++) {
		struct bytes value;

		if (!bytes_eq_nocase(fields->list[i].name, name))
			continue;
		value = counted_value(name, fields->list[i].value, call);
		if (value.len > 0)
			r = buf_addf(out, "%.*s: %.*s\n", BYTES_ARG(name), BYTES_ARG(value));
	}
	return r;
}

int
field_key(const struct request_head *head, const struct call *call, struct arena *arena,
    struct bytes *ret_text)
{
	struct buf out;
	int r = 0;

	buf_init(&out, KEY_MAX);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(table); i++)
		if (table[i].use == FIELD_KEYED)
			r = add_values(&out, &head->fields, table[i].name, call);
	if (r == 0)
		r = arena_copy(arena, buf_bytes(&out), ret_text);
	buf_done(&out);
	return r;
}

bool
field_is_replayed(const struct fields *answer, struct bytes name)
{
	/* What says something about the answer; not about its request, its hour or its server. */
	static const char *const replayed[] = {
		"content-type", "content-language", "content-disposition", "x-compute-characters",
		"x-compute-tokens", "x-compute-images", "x-compute-audio-length", "x-prompt-tokens",
		"x-generated-tokens", "openai-model", "openai-version",
	};

	if (field_is_hop_by_hop(answer, name))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(replayed); i++)
		if (bytes_eq_str_nocase(name, replayed[i]))
			return true;
	return false;
}
