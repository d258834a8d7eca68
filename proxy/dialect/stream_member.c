/* SPDX-License-Identifier: MIT */
/*
 * stream_member.c - the ways in which members of many events become one, and who of
 * those that an answer consists of has begun and ended.
 */
#include <errno.h>
#include <string.h>

#include "proxy/dialect/stream_priv.h"

int
member_put_all(json_t *to, json_t *from, const struct member_row *rows)
{
	const char *name;
	json_t *value;
	int r = 0;

	json_object_foreach(from, name, value) {
		const struct member_row *row = rows;

		while (row->name != NULL && strcmp(row->name, name) != 0)
			row++;
		r = row->put(to, name, value);
		if (r != 0)
			break;
	}
	return r;
}

int
member_set(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new_nocheck(object, name, value) == 0 ? 0 : -ENOMEM;
}

int
member_drop(json_t *to, const char *name, json_t *value)
{
	(void)to, (void)name, (void)value;
	return 0;
}

int
member_refuse(json_t *to, const char *name, json_t *value)
{
	(void)to, (void)name;
	return json_says_something(value) ? STREAM_E_CANNOT : 0;
}

int
member_keep_first(json_t *to, const char *name, json_t *value)
{
	const json_t *there = json_object_get(to, name);
	bool is_zero = json_is_integer(there) && json_integer_value(there) == 0;
	bool has_said = json_says_something(there) && !is_zero;

	if (there != NULL && (has_said || !json_says_something(value)))
		return 0;
	return member_set(to, name, json_incref(value));
}

int
member_keep_last(json_t *to, const char *name, json_t *value)
{
	if (json_is_null(value) && json_object_get(to, name) != NULL)
		return 0;
	return member_set(to, name, json_incref(value));
}

int
member_keep_same(json_t *to, const char *name, json_t *value)
{
	const json_t *there = json_object_get(to, name);

	if (!json_says_something(there))
		return member_set(to, name, json_incref(value));
	return !json_says_something(value) || json_equal(there, value) ? 0 : STREAM_E_CANNOT;
}

int
member_keep_object(json_t *to, const char *name, json_t *value)
{
	static const struct member_row rows[] = { { NULL, member_keep_last } };
	json_t *there = json_object_get(to, name);

	if (!json_is_object(there) || !json_is_object(value))
		return member_keep_last(to, name, value);
	return member_put_all(there, value, rows);
}

json_t *
member_array(json_t *to, const char *name)
{
	json_t *there = json_object_get(to, name);

	if (there == NULL || json_is_null(there)) {
		if (member_set(to, name, json_array()) != 0)
			return NULL;
		there = json_object_get(to, name);
	}
	return json_is_array(there) ? there : NULL;
}

int
member_add_text(json_t *to, const char *name, json_t *value)
{
	json_t *pieces;

	if (json_is_null(value))
		return member_keep_last(to, name, value);
	pieces = exact_json_is_string(value) ? member_array(to, name) : NULL;
	if (pieces == NULL)
		return STREAM_E_CANNOT;
	return json_array_append(pieces, value) == 0 ? 0 : -ENOMEM;
}

int
member_add_items(json_t *to, const char *name, json_t *value)
{
	json_t *items;

	if (json_is_null(value))
		return member_keep_last(to, name, value);
	items = json_is_array(value) ? member_array(to, name) : NULL;
	if (items == NULL)
		return STREAM_E_CANNOT;
	return json_array_extend(items, value) == 0 ? 0 : -ENOMEM;
}

json_t *
member_slot(json_t *array, const json_t *index)
{
	json_int_t n = json_integer_value(index);
	json_t *item;

	if (!json_is_integer(index) || n < 0 || n >= STREAM_ITEMS_MAX)
		return NULL;
	while (json_array_size(array) <= (size_t)n)
		if (json_array_append_new(array, json_null()) != 0)
			return NULL;
	item = json_array_get(array, (size_t)n);
	if (json_is_null(item) && json_array_set_new(array, (size_t)n, json_object()) != 0)
		return NULL;
	return json_array_get(array, (size_t)n);
}

int
text_join(const json_t *array, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_array_size(array); i++)
		r = buf_add(out, exact_json_text(json_array_get(array, i)));
	return r;
}

int
member_join(json_t *object, const char *name)
{
	const json_t *pieces = json_object_get(object, name);
	struct buf text;
	int r;

	if (!json_is_array(pieces))
		return 0;
	buf_init(&text, SIZE_MAX / 4);	/* what was read has its ceiling already */
	r = text_join(pieces, &text);
	if (r == 0)
		r = member_set(object, name, exact_json_string(buf_bytes(&text)));
	buf_done(&text);
	return r;
}

struct bytes
type_text(const json_t *value)
{
	return exact_json_text(json_object_get(value, "type"));
}

bool
type_is(const json_t *value, const char *type)
{
	return bytes_eq_str(type_text(value), type);
}

static bool
is_index(const json_t *index)
{
	return json_is_integer(index) && json_integer_value(index) >= 0 &&
	    json_integer_value(index) < STREAM_ITEMS_MAX;
}

static uint64_t
bit_of(const json_t *index)
{
	return (uint64_t)1 << (json_integer_value(index) % 64);
}

static size_t
word_of(const json_t *index)
{
	return (size_t)json_integer_value(index) / 64;
}

bool
facts_has_seen(const struct stream_facts *facts, const json_t *index)
{
	return is_index(index) && (facts->seen[word_of(index)] & bit_of(index)) != 0;
}

bool
facts_is_open(const struct stream_facts *facts, const json_t *index)
{
	return facts_has_seen(facts, index) &&
	    (facts->finished[word_of(index)] & bit_of(index)) == 0;
}

bool
facts_open(struct stream_facts *facts, const json_t *index)
{
	if (!is_index(index) || facts_has_seen(facts, index))
		return false;
	facts->seen[word_of(index)] |= bit_of(index);
	facts->n_open++;
	return true;
}

bool
facts_close(struct stream_facts *facts, const json_t *index)
{
	if (!facts_is_open(facts, index))
		return false;
	facts->finished[word_of(index)] |= bit_of(index);
	facts->n_open--;
	return true;
}
