/* SPDX-License-Identifier: MIT */
/*
 * tally.h - how often each model's answers were given from the cache.  Bounded:
 * what comes past TALLY_MODELS_MAX models counts as "other".  As text, a line
 * each: "hits model\n".
 */
#ifndef CACHE_TALLY_H
#define CACHE_TALLY_H

#include <stdbool.h>

#include "base/buf.h"

#define TALLY_NAME		"hits"	/* of the value in the store */
#define TALLY_MODELS_MAX	1000
#define TALLY_TEXT_MAX		((size_t)1 << 20)

struct tally;

struct tally	*tally_new(void);
struct tally	*tally_free(struct tally *tally);

/* N more for MODEL. */
void	tally_add(struct tally *tally, struct bytes model, uint64_t n);

/* Add all of FROM to TO, and empty FROM. */
void	tally_move(struct tally *to, struct tally *from);

bool		tally_is_empty(const struct tally *tally);
uint64_t	tally_get(const struct tally *tally, struct bytes model);
uint64_t	tally_total(const struct tally *tally);

/* Call FN for each model that was counted, in no order. */
typedef void tally_fn(void *arg, struct bytes model, uint64_t n);
void	tally_each(const struct tally *tally, tally_fn *fn, void *arg);

/* Add the counts of TEXT; lines that are none are passed over. */
void	tally_read(struct tally *tally, struct bytes text);
int	tally_write(const struct tally *tally, struct buf *out) MUST_USE;

#endif
