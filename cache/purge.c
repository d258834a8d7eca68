/* SPDX-License-Identifier: MIT */
/*
 * purge.c - the list of marks: read, asked, written anew.
 */
#include "cache/purge.h"

#include <errno.h>
#include <string.h>

#include "base/glob.h"
#include "base/mem.h"

#define HEAD_LEN	8
#define MARK_LEN	36
#define MARK_KEY	(1u << 0)
#define MARK_SCOPE	(1u << 1)
#define MARK_MODEL	(1u << 2)

struct purge {
	uint64_t		 generation;
	size_t			 n;
	struct purge_mark	*marks;		/* their texts are ours */
};

static uint64_t
get_number(const char *p, int len)
{
	uint64_t value = 0;

	while (--len >= 0)
		value = value << 8 | (unsigned char)p[len];
	return value;
}

static int
add_number(struct buf *out, uint64_t value, int len)
{
	char text[8];

	for (int i = 0; i < len; i++)
		text[i] = (char)(value >> (8 * i));
	return buf_add(out, (struct bytes){ text, (size_t)len });
}

uint64_t
purge_generation(struct bytes list)
{
	return list.len >= HEAD_LEN ? get_number(list.ptr, 8) : 0;
}

/* Take one mark off the front of *REST. */
static int
read_mark(struct bytes *rest, struct purge_mark *ret_mark)
{
	size_t model_len, scope_len;
	const char *p = rest->ptr, *texts;
	unsigned flags;

	if (rest->len < MARK_LEN)
		return PURGE_E_BAD;
	flags = (unsigned)get_number(p + 8, 4);
	model_len = (size_t)get_number(p + 28, 4);
	scope_len = (size_t)get_number(p + 32, 4);
	if (model_len > rest->len - MARK_LEN || scope_len > rest->len - MARK_LEN - model_len)
		return PURGE_E_BAD;
	texts = p + MARK_LEN;
	*ret_mark = (struct purge_mark){
		.before = (usec_t)get_number(p, 8),
		.has_key = (flags & MARK_KEY) != 0,
		.model = (flags & MARK_MODEL) != 0 ? xstrndup(texts, model_len) : NULL,
		.scope = (flags & MARK_SCOPE) != 0 ?
		    xstrndup(texts + model_len, scope_len) : NULL,
	};
	memcpy(ret_mark->key.bytes, p + 12, sizeof(ret_mark->key.bytes));
	*rest = bytes_skip(*rest, MARK_LEN + model_len + scope_len);
	return 0;
}

int
purge_new(struct bytes list, struct purge **ret_purge)
{
	struct purge *purge = xcalloc(1, sizeof(*purge));
	struct bytes rest = bytes_skip(list, HEAD_LEN);
	int r = list.len == 0 || list.len >= HEAD_LEN ? 0 : PURGE_E_BAD;

	purge->generation = purge_generation(list);
	while (r == 0 && rest.len > 0) {
		if (purge->n == PURGE_MARKS_MAX) {
			r = PURGE_E_BAD;
			break;
		}
		purge->marks = xreallocarray(purge->marks, purge->n + 1, sizeof(*purge->marks));
		r = read_mark(&rest, &purge->marks[purge->n]);
		purge->n += r == 0;
	}
	if (r != 0) {
		purge_free(purge);
		return r;
	}
	*ret_purge = purge;
	return 0;
}

struct purge *
purge_free(struct purge *purge)
{
	if (purge == NULL)
		return NULL;
	for (size_t i = 0; i < purge->n; i++) {
		xfree((char *)(uintptr_t)purge->marks[i].model);
		xfree((char *)(uintptr_t)purge->marks[i].scope);
	}
	xfree(purge->marks);
	return xfree(purge);
}

struct purge *
purge_everything(void)
{
	struct purge *purge = xcalloc(1, sizeof(*purge));

	purge->marks = xcalloc(1, sizeof(*purge->marks));
	purge->marks[0].before = INT64_MAX;
	purge->n = 1;
	return purge;
}

size_t
purge_count(const struct purge *purge)
{
	return purge->n;
}

/* A part that requests name for themselves lies in that of their team. */
static bool
is_in_scope(struct bytes scope, const char *within)
{
	struct bytes rest = bytes_skip(scope, strlen(within));

	return bytes_eq_str(scope, within) || (within[0] != '\0' &&
	    bytes_has_prefix(scope, within) && bytes_has_prefix(rest, " "));
}

bool
purge_mark_hits(const struct purge_mark *mark, const struct entry *entry)
{
	if (entry->made >= mark->before)
		return false;
	if (mark->has_key && memcmp(&mark->key, &entry->key, sizeof(mark->key)) != 0)
		return false;
	if (mark->scope != NULL && !is_in_scope(entry->scope, mark->scope))
		return false;
	return mark->model == NULL || glob_match(mark->model, entry->model);
}

bool
purge_hits(const struct purge *purge, const struct entry *entry)
{
	for (size_t i = 0; i < purge->n; i++)
		if (purge_mark_hits(&purge->marks[i], entry))
			return true;
	return false;
}

static bool
is_same_text(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static bool
is_same_but_for_time(const struct purge_mark *a, const struct purge_mark *b)
{
	return a->has_key == b->has_key && is_same_text(a->model, b->model) &&
	    is_same_text(a->scope, b->scope) &&
	    (!a->has_key || memcmp(&a->key, &b->key, sizeof(a->key)) == 0);
}

static int
add_mark(struct buf *out, const struct purge_mark *mark)
{
	struct bytes model = bytes_str(mark->model), scope = bytes_str(mark->scope);
	unsigned flags = (mark->has_key ? MARK_KEY : 0) |
	    (mark->scope != NULL ? MARK_SCOPE : 0) | (mark->model != NULL ? MARK_MODEL : 0);
	int r = add_number(out, (uint64_t)mark->before, 8);

	if (r == 0)
		r = add_number(out, flags, 4);
	if (r == 0)
		r = buf_add(out, (struct bytes){ (const char *)mark->key.bytes, 16 });
	if (r == 0)
		r = add_number(out, model.len, 4);
	if (r == 0)
		r = add_number(out, scope.len, 4);
	if (r == 0)
		r = buf_add(out, model);
	return r == 0 ? buf_add(out, scope) : r;
}

int
purge_add(const struct purge *purge, const struct purge_mark *mark, usec_t oldest,
    struct buf *out)
{
	struct purge_mark last = *mark;
	size_t n = 1;
	int r = add_number(out, purge->generation + 1, HEAD_LEN);

	for (size_t i = 0; r == 0 && i < purge->n; i++) {
		const struct purge_mark *old = &purge->marks[i];

		if (is_same_but_for_time(old, mark)) {
			last.before = old->before > last.before ? old->before : last.before;
		} else if (old->before > oldest) {
			r = add_mark(out, old);
			n++;
		}
	}
	if (r == 0 && n > PURGE_MARKS_MAX)
		return PURGE_E_FULL;
	return r == 0 ? add_mark(out, &last) : r;
}
