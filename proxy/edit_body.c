/* SPDX-License-Identifier: MIT */
/*
 * edit_body.c - one walk over the topmost members, and one splice.
 *
 *	{ "a": 1, "b": [2], "c": 3 }	strip b, set c: 4, default d: 5
 *	        ^^^^^^^^^^      ^ ^
 *	        gone            4 ,"d":5
 *
 * A member goes with the comma before it; where only such as go stand before it, with
 * what is between it and the next.  What is put in goes to the end.
 */
#include "proxy/edit_body.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "cache/spell.h"
#include "proxy/dialect/json_walk.h"
#include "proxy/splice.h"

#define ADDED_MAX	(CONFIG_EDITS_MAX * (LITERAL_MAX + 1))

/* What is known of the object as far as it was walked. */
struct scan {
	const struct config_edits *edits;
	struct arena	*arena;
	struct edit	 list[CONFIG_EDITS_MAX + 1];	/* the last is for what is put in */
	size_t		 n;
	uint32_t	 seen;		/* edits whose member is there */
	uint32_t	 made;
	bool		 has_kept;	/* a member that stays */
	const char	*leading;	/* where those begin that go before any is kept; or NULL */
	const char	*end;		/* of the last member, or of the brace before the first */
};

static const struct config_edit *
find_edit(const struct scan *scan, struct bytes name)
{
	for (size_t i = 0; i < scan->edits->n; i++)
		if (bytes_eq_str(name, scan->edits->list[i].name))
			return &scan->edits->list[i];
	return NULL;
}

/* The edit of the member whose name is written as RAW. */
static int
edit_of(const struct scan *scan, struct bytes raw, const struct config_edit **ret_edit)
{
	struct bytes name = raw;
	int r = 0;

	if (bytes_find_char(raw, '\\') < raw.len)
		r = spell_unescape(raw, false, scan->arena, &name);
	if (r != 0)
		return r < 0 ? r : EDIT_BODY_E_BAD;
	*ret_edit = find_edit(scan, name);
	return 0;
}

static void
add_edit(struct scan *scan, const char *start, const char *end, const char *text)
{
	scan->list[scan->n++] = (struct edit){
		{ start, (size_t)(end - start) }, bytes_str(text),
	};
}

/* A member that goes ends at END. */
static void
strip(struct scan *scan, const struct json_item *member, const char *end)
{
	if (scan->has_kept)
		add_edit(scan, member->comma.ptr, end, NULL);
	else if (scan->leading == NULL)
		scan->leading = member->start;
}

/* A member that stays: those before the first such go up to it. */
static void
keep(struct scan *scan, const struct json_item *member)
{
	if (scan->leading != NULL && !scan->has_kept)
		add_edit(scan, scan->leading, member->start, NULL);
	scan->has_kept = true;
}

/* With MEMBER walked to its END: what becomes of it? */
static int
take_member(struct scan *scan, const struct json_item *member, const char *end)
{
	struct bytes value = { member->raw.ptr, (size_t)(end - member->raw.ptr) };
	const struct config_edit *edit = NULL;
	uint32_t bit = 0;
	int r = edit_of(scan, member->name, &edit);

	if (r != 0)
		return r;
	if (edit != NULL)
		bit = UINT32_C(1) << (edit - scan->edits->list);
	if ((scan->seen & bit) != 0)
		return EDIT_BODY_E_BAD;
	scan->seen |= bit;
	scan->end = end;
	if (edit != NULL && edit->kind == CONFIG_EDIT_STRIP) {
		scan->made |= bit;
		strip(scan, member, end);
		return 0;
	}
	keep(scan, member);
	if (edit != NULL && edit->kind == CONFIG_EDIT_SET && !bytes_eq_str(value, edit->value)) {
		scan->made |= bit;
		add_edit(scan, value.ptr, end, edit->value);
	}
	return 0;
}

/* Walk the object from behind its brace to its end. */
static int
walk_members(struct scan *scan, struct json_walk *walk)
{
	struct json_item member = { 0 }, item;
	int r = json_walk_next(walk, &item);

	while (r == 0 && item.depth > 0) {
		bool is_opening = item.type == JSON_WALK_OBJECT || item.type == JSON_WALK_ARRAY;

		if (item.depth == 1 && item.type != JSON_WALK_CLOSE)
			member = item;
		if (item.depth == 1 && !is_opening)
			r = take_member(scan, &member, item.raw.ptr + item.raw.len);
		if (r == 0)
			r = json_walk_next(walk, &item) == 0 ? 0 : EDIT_BODY_E_BAD;
	}
	if (r != 0)
		return r < 0 ? r : EDIT_BODY_E_BAD;
	return json_walk_next(walk, &item) == JSON_WALK_E_END ? 0 : EDIT_BODY_E_BAD;
}

/* What is to be there and is not, one behind the other. */
static int
write_missing(struct scan *scan, struct buf *out)
{
	bool needs_comma = scan->has_kept;
	int r = 0;

	for (size_t i = 0; r == 0 && i < scan->edits->n; i++) {
		const struct config_edit *edit = &scan->edits->list[i];
		uint32_t bit = UINT32_C(1) << i;

		if (edit->kind == CONFIG_EDIT_STRIP || (scan->seen & bit) != 0)
			continue;
		scan->made |= bit;
		if (needs_comma)
			r = buf_add_str(out, ",");
		if (r == 0)
			r = buf_add_str(out, edit->member);
		needs_comma = true;
	}
	return r;
}

/* Where no member stays, those that go leave their place to what is put in. */
static int
add_missing(struct scan *scan)
{
	bool has_only_gone = scan->leading != NULL && !scan->has_kept;
	struct bytes text = BYTES_NONE;
	struct buf out;
	int r;

	buf_init(&out, ADDED_MAX);
	r = write_missing(scan, &out);
	if (r == 0 && buf_len(&out) > 0)
		r = arena_copy(scan->arena, buf_bytes(&out), &text);
	buf_done(&out);
	if (r < 0)
		return -E2BIG;
	if (text.len == 0 && !has_only_gone)
		return 0;
	add_edit(scan, has_only_gone ? scan->leading : scan->end, scan->end, NULL);
	scan->list[scan->n - 1].text = text;
	return 0;
}

int
edit_body(const struct config_edits *edits, struct bytes body, struct arena *arena,
    struct edited *ret_edited)
{
	struct scan scan = { .edits = edits, .arena = arena };
	struct json_walk walk;
	struct json_item item;
	int r;

	json_walk_init(&walk, body);
	if (json_walk_next(&walk, &item) != 0 || item.type != JSON_WALK_OBJECT)
		return EDIT_BODY_E_BAD;
	scan.end = item.raw.ptr + item.raw.len;
	r = walk_members(&scan, &walk);
	if (r == 0)
		r = add_missing(&scan);
	if (r != 0)
		return r;
	*ret_edited = (struct edited){ body, scan.made };
	return scan.n == 0 ? 0 : splice(body, scan.list, scan.n, arena, &ret_edited->text);
}
