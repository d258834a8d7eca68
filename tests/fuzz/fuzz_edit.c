/* SPDX-License-Identifier: MIT */
/*
 * fuzz_edit.c - any bytes as the YAML of a value, and as a body that is edited: a value is
 * JSON, an edited body is strict JSON with the members that it should have, and each of
 * the others stands in it as it stood, in its order, to the byte.
 *
 * The first byte says which of the members "a" to "d" are set, stripped or put in; a zero
 * byte ends the YAML.
 */
#include <string.h>

#include "base/mem.h"
#include "cache/canon.h"
#include "cache/spell.h"
#include "config/tree.h"
#include "proxy/dialect/json_walk.h"
#include "proxy/edit_body.h"

#define ARENA_SIZE	((size_t)64 << 20)
#define N_NAMES		4

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_strict(struct bytes text, struct arena *arena, enum canon_type *ret_type)
{
	struct canon canon;

	if (canon_make(text, NULL, arena, &canon) != 0)
		return false;
	*ret_type = canon.type;
	return true;
}

/* Edits of members "a" to "d", two bits of HOW each. */
static void
choose_edits(unsigned how, const struct tree_node *value, struct config_edits *edits)
{
	static const char *const names[N_NAMES] = { "a", "b", "c", "d" };
	struct literal_fault fault;

	for (size_t i = 0; i < N_NAMES; i++, how >>= 2) {
		struct tree_node name = { .kind = TREE_SCALAR, .text = names[i] };

		if (how % 4 < 3)
			assert(edits_add(edits, how % 4, &name,
			    how % 4 == CONFIG_EDIT_STRIP ? NULL : value, &fault) == 0);
	}
}

/* A topmost member and its value, as they stand there. */
struct member {
	const struct config_edit *edit;
	struct bytes		 text;
	struct bytes		 value;
};

/* The next member of WALK; false after the last. */
static bool
next_member(struct json_walk *walk, const struct config_edits *edits, struct arena *arena,
    struct member *ret_member)
{
	struct json_item item, first;
	struct bytes name;
	const char *end;

	assert(json_walk_next(walk, &first) == 0);
	if (first.depth == 0)
		return false;
	item = first;
	while (item.depth > 1 || item.type == JSON_WALK_OBJECT || item.type == JSON_WALK_ARRAY)
		assert(json_walk_next(walk, &item) == 0);
	end = item.raw.ptr + item.raw.len;
	assert(spell_unescape(first.name, false, arena, &name) == 0);
	*ret_member = (struct member){
		.text = { first.start, (size_t)(end - first.start) },
		.value = { first.raw.ptr, (size_t)(end - first.raw.ptr) },
	};
	for (size_t i = 0; i < edits->n; i++)
		if (bytes_eq_str(name, edits->list[i].name))
			ret_member->edit = &edits->list[i];
	return true;
}

static void
begin(struct json_walk *walk, struct bytes text)
{
	struct json_item item;

	json_walk_init(walk, text);
	assert(json_walk_next(walk, &item) == 0 && item.type == JSON_WALK_OBJECT);
}

/* Each member of BODY stands in TEXT in its turn, or is gone, or has its new value. */
static void
check_members(const struct config_edits *edits, struct bytes body, struct bytes text,
    struct arena *arena)
{
	struct json_walk before, after;
	struct member was, is;
	uint32_t seen = 0;

	begin(&before, body);
	begin(&after, text);
	while (next_member(&before, edits, arena, &was)) {
		if (was.edit != NULL)
			seen |= UINT32_C(1) << (was.edit - edits->list);
		if (was.edit != NULL && was.edit->kind == CONFIG_EDIT_STRIP)
			continue;
		assert(next_member(&after, edits, arena, &is));
		if (was.edit == NULL || was.edit->kind == CONFIG_EDIT_DEFAULT) {
			assert(bytes_eq(was.text, is.text));
		} else {
			assert(is.edit == was.edit && bytes_eq_str(is.value, is.edit->value));
			assert(bytes_eq(bytes_first(was.text, was.text.len - was.value.len),
			    bytes_first(is.text, is.text.len - is.value.len)));
		}
	}
	for (size_t i = 0; i < edits->n; i++)
		if ((seen >> i & 1) == 0 && edits->list[i].kind != CONFIG_EDIT_STRIP)
			assert(next_member(&after, edits, arena, &is) &&
			    bytes_eq_str(is.text, edits->list[i].member));
	assert(!next_member(&after, edits, arena, &is));
}

static void
check_body(const struct config_edits *edits, struct bytes body)
{
	struct arena *arena = arena_new(ARENA_SIZE);
	enum canon_type type = CANON_ABSENT;
	struct edited edited, again;
	bool is_object = is_strict(body, arena, &type) && type == CANON_OBJECT;
	int r = edit_body(edits, body, arena, &edited);

	assert(r >= 0);
	if (is_object) {
		assert(r == 0);
		assert(is_strict(edited.text, arena, &type) && type == CANON_OBJECT);
		check_members(edits, body, edited.text, arena);
		assert(edit_body(edits, edited.text, arena, &again) == 0);
		assert(again.made == 0 && again.text.ptr == edited.text.ptr);
	}
	arena_free(arena);
}

/* TEXT as a value; whatever comes of it is strict JSON. */
static void
check_value(unsigned how, struct bytes yaml, struct bytes body)
{
	struct arena *arena = arena_new(ARENA_SIZE);
	struct config_edits edits = { 0 };
	struct literal_fault fault;
	struct tree_error error;
	enum canon_type type;
	struct tree *tree;
	struct buf out;

	buf_init(&out, LITERAL_MAX);
	if (tree_read(yaml, &tree, &error) == 0) {
		/* What the body takes beside its names has to fit in as well. */
		if (tree_root(tree) != NULL && literal_add(tree_root(tree), &out, &fault) == 0 &&
		    buf_len(&out) < LITERAL_MAX / 2) {
			assert(is_strict(buf_bytes(&out), arena, &type));
			choose_edits(how, tree_root(tree), &edits);
			check_body(&edits, body);
			edits_done(&edits);
		}
		tree_free(tree);
	}
	buf_done(&out);
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest, yaml;

	if (size < 2)
		return 0;
	rest = (struct bytes){ (const char *)data + 1, size - 1 };
	yaml = bytes_cut(&rest, '\0');
	check_value(data[0], yaml, rest);
	return 0;
}
