/* SPDX-License-Identifier: MIT */
/*
 * savings.h - what one thread gave without a call since it last handed that on, by whom
 * it was for and model.  That thread's alone: no lock, no line shared with another.
 */
#ifndef CACHE_SAVINGS_H
#define CACHE_SAVINGS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "cache/tally.h"

#define SAVINGS_MAX	512	/* rows until they have to be handed on */

struct savings;

struct savings	*savings_new(void);
struct savings	*savings_free(struct savings *savings);

/* SAVED more for WHOSE, which may be empty, and MODEL; false if there is no row for it left. */
bool	savings_add(struct savings *savings, struct bytes whose, struct bytes model,
	    const struct saved *saved);

bool	savings_are_empty(const struct savings *savings);

/* Call FN for each row, and begin anew. */
typedef void savings_fn(void *arg, struct bytes whose, struct bytes model,
    const struct saved *saved);
void	savings_take(struct savings *savings, savings_fn *fn, void *arg);

#endif
