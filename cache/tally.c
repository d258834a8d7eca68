/* SPDX-License-Identifier: MIT */
/*
 * tally.c - an open table of models; it only ever grows, up to its bound.
 */
#include "cache/tally.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

#define SLOTS		2048	/* a power of two, twice the models there may be */
#define MODEL_MAX	200

struct slot {
	char		*model;		/* NULL: free */
	size_t		 len;
	struct saved	 saved;
};

struct tally {
	struct slot	 slots[SLOTS];
	size_t		 n_models;
	struct saved	 total;
};

void
saved_add(struct saved *to, const struct saved *more)
{
	to->hits += more->hits;
	to->input += more->input;
	to->output += more->output;
	to->cost += more->cost;
}

static bool
is_nothing(const struct saved *saved)
{
	return (saved->hits | saved->input | saved->output | saved->cost) == 0;
}

struct tally *
tally_new(void)
{
	return xcalloc(1, sizeof(struct tally));
}

struct tally *
tally_free(struct tally *tally)
{
	if (tally == NULL)
		return NULL;
	for (size_t i = 0; i < SLOTS; i++)
		xfree(tally->slots[i].model);
	return xfree(tally);
}

/* FNV-1a: the models of a table are few and bounded, so nobody gains by collisions. */
static size_t
slot_of(struct bytes model)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < model.len; i++)
		hash = (hash ^ (unsigned char)model.ptr[i]) * 16777619u;
	return hash % SLOTS;
}

/* The slot of MODEL, or the free one where it would go. */
static size_t
find_slot(const struct tally *tally, struct bytes model)
{
	size_t i = slot_of(model);

	for (;;) {
		const struct slot *slot = &tally->slots[i];

		if (slot->model == NULL ||
		    bytes_eq((struct bytes){ slot->model, slot->len }, model))
			return i;
		i = (i + 1) % SLOTS;
	}
}

void
tally_save(struct tally *tally, struct bytes model, const struct saved *saved)
{
	struct slot *slot;

	model = bytes_first(model, MODEL_MAX);
	slot = &tally->slots[find_slot(tally, model)];
	if (slot->model == NULL && tally->n_models >= TALLY_MODELS_MAX)
		model = BYTES_LIT("other");
	slot = &tally->slots[find_slot(tally, model)];
	if (slot->model == NULL) {
		slot->model = xstrndup(model.len > 0 ? model.ptr : "", model.len);
		slot->len = model.len;
		tally->n_models++;
	}
	saved_add(&slot->saved, saved);
	saved_add(&tally->total, saved);
}

void
tally_add(struct tally *tally, struct bytes model, uint64_t n)
{
	tally_save(tally, model, &(struct saved){ .hits = n });
}

void
tally_move(struct tally *to, struct tally *from)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &from->slots[i];

		if (!is_nothing(&slot->saved))
			tally_save(to, (struct bytes){ slot->model, slot->len }, &slot->saved);
		slot->saved = (struct saved){ 0 };
	}
	from->total = (struct saved){ 0 };
}

bool
tally_is_empty(const struct tally *tally)
{
	return is_nothing(&tally->total);
}

uint64_t
tally_get(const struct tally *tally, struct bytes model)
{
	return tally_saved(tally, model).hits;
}

struct saved
tally_saved(const struct tally *tally, struct bytes model)
{
	return tally->slots[find_slot(tally, bytes_first(model, MODEL_MAX))].saved;
}

uint64_t
tally_total(const struct tally *tally)
{
	return tally->total.hits;
}

void
tally_each(const struct tally *tally, tally_fn *fn, void *arg)
{
	for (size_t i = 0; i < SLOTS; i++) {
		const struct slot *slot = &tally->slots[i];

		if (!is_nothing(&slot->saved))
			fn(arg, (struct bytes){ slot->model, slot->len }, &slot->saved);
	}
}

/* A line of NUMBERS, a space behind each, and the model; false if it is none. */
static bool
read_line(struct bytes *line, uint64_t *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (num_parse_u64(bytes_cut(line, ' '), &numbers[i]) != 0)
			return false;
	return true;
}

void
tally_read(struct tally *tally, struct bytes text)
{
	while (text.len > 0) {
		struct bytes line = bytes_cut(&text, '\n');
		uint64_t n[4];
		struct saved saved;

		if (!read_line(&line, n, ARRAY_LEN(n)))
			continue;
		saved = (struct saved){ n[0], n[1], n[2], n[3] };
		if (!is_nothing(&saved))
			tally_save(tally, line, &saved);
	}
}

void
tally_read_old(struct tally *tally, struct bytes text)
{
	while (text.len > 0) {
		struct bytes line = bytes_cut(&text, '\n');
		uint64_t n;

		if (read_line(&line, &n, 1) && n > 0)
			tally_add(tally, line, n);
	}
}

int
tally_write(const struct tally *tally, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < SLOTS; i++) {
		const struct slot *slot = &tally->slots[i];
		const struct saved *s = &slot->saved;

		if (!is_nothing(s))
			r = buf_addf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %.*s\n",
			    s->hits, s->input, s->output, s->cost, (int)slot->len, slot->model);
	}
	return r;
}
