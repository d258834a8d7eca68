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
	uint64_t	 n;
};

struct tally {
	struct slot	 slots[SLOTS];
	size_t		 n_models;
	uint64_t	 total;
};

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
tally_add(struct tally *tally, struct bytes model, uint64_t n)
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
	slot->n += n;
	tally->total += n;
}

void
tally_move(struct tally *to, struct tally *from)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &from->slots[i];

		if (slot->n > 0)
			tally_add(to, (struct bytes){ slot->model, slot->len }, slot->n);
		slot->n = 0;
	}
	from->total = 0;
}

bool
tally_is_empty(const struct tally *tally)
{
	return tally->total == 0;
}

uint64_t
tally_get(const struct tally *tally, struct bytes model)
{
	return tally->slots[find_slot(tally, bytes_first(model, MODEL_MAX))].n;
}

uint64_t
tally_total(const struct tally *tally)
{
	return tally->total;
}

void
tally_each(const struct tally *tally, tally_fn *fn, void *arg)
{
	for (size_t i = 0; i < SLOTS; i++) {
		const struct slot *slot = &tally->slots[i];

		if (slot->n > 0)
			fn(arg, (struct bytes){ slot->model, slot->len }, slot->n);
	}
}

void
tally_read(struct tally *tally, struct bytes text)
{
	while (text.len > 0) {
		struct bytes line = bytes_cut(&text, '\n');
		struct bytes digits = bytes_cut(&line, ' ');
		uint64_t n;

		if (num_parse_u64(digits, &n) == 0 && n > 0)
			tally_add(tally, line, n);
	}
}

int
tally_write(const struct tally *tally, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < SLOTS; i++) {
		const struct slot *slot = &tally->slots[i];

		if (slot->n > 0)
			r = buf_addf(out, "%" PRIu64 " %.*s\n", slot->n, (int)slot->len,
			    slot->model);
	}
	return r;
}
