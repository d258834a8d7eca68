/* SPDX-License-Identifier: MIT */
/*
 * arena.h - memory that lives as long as one request and goes all at once.
 * Owned by the request.  It has a ceiling; past it, or without memory,
 * allocations return NULL and the caller reports -E2BIG.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/bytes.h"
#include "base/err.h"

struct arena;
struct quota;

/* An arena that hands out at most MAX bytes. */
struct arena	*arena_new(size_t max);
struct arena	*arena_free(struct arena *arena);

/*
 * From now on charge QUOTA for its larger blocks.  One that passes the bound is had no more,
 * if it is one for a single thing; arena_is_starved() then says that this was why.
 */
void	arena_charge(struct arena *arena, struct quota *quota);
bool	arena_is_starved(const struct arena *arena);

/* SIZE bytes, aligned for any type, not zeroed; NULL past the ceiling. */
void	*arena_alloc(struct arena *arena, size_t size) MUST_USE;

/* A copy of B, NUL-terminated behind its end. */
int	arena_copy(struct arena *arena, struct bytes b, struct bytes *ret_copy) MUST_USE;

/* The N PARTS one behind the other, NUL-terminated behind their end. */
int	arena_join(struct arena *arena, const struct bytes *parts, size_t n,
	    struct bytes *ret_text) MUST_USE;

/* The formatted text. */
int	arena_printf(struct arena *arena, struct bytes *ret_text, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4))) MUST_USE;

#endif
