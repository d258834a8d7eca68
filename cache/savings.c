/* SPDX-License-Identifier: MIT */
/*
 * savings.c - an open table of rows, half full at most; names are copied once for each
 * time it is handed on.
 */
#include "cache/savings.h"

#include <string.h>

#include "base/mem.h"

#define SLOTS		(2 * SAVINGS_MAX)	/* a power of two */

struct row {
	char		*names;		/* WHOSE and the model, one after another; NULL: free */
	size_t		 whose_len;
	size_t		 model_len;
	struct saved	 saved;
};

struct savings {
	struct row	 rows[SLOTS];
	size_t		 n;
};

struct savings *
savings_new(void)
{
	return xcalloc(1, sizeof(struct savings));
}

struct savings *
savings_free(struct savings *savings)
{
	if (savings == NULL)
		return NULL;
	for (size_t i = 0; i < SLOTS; i++)
		xfree(savings->rows[i].names);
	return xfree(savings);
}

static struct bytes
whose_of(const struct row *row)
{
	return (struct bytes){ row->names, row->whose_len };
}

static struct bytes
model_of(const struct row *row)
{
	return (struct bytes){ row->names + row->whose_len, row->model_len };
}

/* FNV-1a: rows are few, and gone in a moment. */
static uint32_t
hash_more(uint32_t hash, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		hash = (hash ^ (unsigned char)b.ptr[i]) * 16777619u;
	return hash;
}

/* The row of both, or the free one where it would be. */
static struct row *
find_row(struct savings *savings, struct bytes whose, struct bytes model)
{
	uint32_t i = hash_more(hash_more(2166136261u, model), whose);

	for (;; i++) {
		struct row *row = &savings->rows[i % SLOTS];

		if (row->names == NULL ||
		    (bytes_eq(model_of(row), model) && bytes_eq(whose_of(row), whose)))
			return row;
	}
}

static void
open_row(struct row *row, struct bytes whose, struct bytes model)
{
	row->names = xcalloc(1, whose.len + model.len + 1);
	row->whose_len = whose.len;
	row->model_len = model.len;
	if (whose.len > 0)
		memcpy(row->names, whose.ptr, whose.len);
	if (model.len > 0)
		memcpy(row->names + whose.len, model.ptr, model.len);
}

bool
savings_add(struct savings *savings, struct bytes whose, struct bytes model,
    const struct saved *saved)
{
	struct row *row = find_row(savings, whose, model);

	if (row->names == NULL) {
		if (savings->n == SAVINGS_MAX)
			return false;
		open_row(row, whose, model);
		savings->n++;
	}
	saved_add(&row->saved, saved);
	return true;
}

bool
savings_are_empty(const struct savings *savings)
{
	return savings->n == 0;
}

void
savings_take(struct savings *savings, savings_fn *fn, void *arg)
{
	for (size_t i = 0; savings->n > 0; i++) {
		struct row *row = &savings->rows[i];

		if (row->names == NULL)
			continue;
		fn(arg, whose_of(row), model_of(row), &row->saved);
		xfree(row->names);
		*row = (struct row){ 0 };
		savings->n--;
	}
}
