/* SPDX-License-Identifier: MIT */
/*
 * tally.h - how often each model's answers were given from the cache, and what that
 * saved.  Bounded: what comes past TALLY_MODELS_MAX models counts as "other".  As
 * text, a line each: "hits input output cost model\n".
 */
#ifndef CACHE_TALLY_H
#define CACHE_TALLY_H

#include <stdbool.h>

#include "base/buf.h"

#define TALLY_NAME		"saved"	/* of the value in the store */
#define TALLY_OLD_NAME		"hits"	/* of the one before: "hits model\n" */
#define TALLY_MODELS_MAX	1000
#define TALLY_TEXT_MAX		((size_t)1 << 20)

struct tally;

/* What answers were that took no call of their own, and saved. */
struct saved {
	uint64_t	hits;		/* how many of them the cache gave */
	uint64_t	input, output;	/* tokens */
	uint64_t	cost;		/* pico (base/money.h) */
};

void	saved_add(struct saved *to, const struct saved *more);

struct tally	*tally_new(void);
struct tally	*tally_free(struct tally *tally);

/* N more hits for MODEL; or all of SAVED. */
void	tally_add(struct tally *tally, struct bytes model, uint64_t n);
void	tally_save(struct tally *tally, struct bytes model, const struct saved *saved);

/* Add all of FROM to TO, and empty FROM. */
void	tally_move(struct tally *to, struct tally *from);

bool		tally_is_empty(const struct tally *tally);
uint64_t	tally_get(const struct tally *tally, struct bytes model);	/* hits */
uint64_t	tally_total(const struct tally *tally);
struct saved	tally_saved(const struct tally *tally, struct bytes model);

/* Call FN for each model that was counted, in no order. */
typedef void tally_fn(void *arg, struct bytes model, const struct saved *saved);
void	tally_each(const struct tally *tally, tally_fn *fn, void *arg);

/* Add the counts of TEXT, or of one as it was before; lines that are none are passed over. */
void	tally_read(struct tally *tally, struct bytes text);
void	tally_read_old(struct tally *tally, struct bytes text);
int	tally_write(const struct tally *tally, struct buf *out) MUST_USE;

#endif
