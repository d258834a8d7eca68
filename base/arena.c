/* SPDX-License-Identifier: MIT */
/*
 * arena.c - a chain of blocks, each twice the one before up to a bound.
 */
#include "base/arena.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/quota.h"

#define BLOCK_SIZE_MIN	2048
#define BLOCK_SIZE_MAX	65536

struct block {
	struct block	*next;
	size_t		 used;
	size_t		 size;
	_Alignas(max_align_t) char mem[];
};

struct arena {
	struct block	*blocks;	/* newest first */
	size_t		 left;		/* until the ceiling */
	struct quota	*quota;		/* borrowed: outlives us; NULL: nobody counts */
	bool		 is_starved;
};

struct arena *
arena_new(size_t max)
{
	struct arena *arena = xcalloc(1, sizeof(*arena));

	arena->left = max;
	return arena;
}

void
arena_charge(struct arena *arena, struct quota *quota)
{
	assert(arena->blocks == NULL);
	arena->quota = quota;
}

bool
arena_is_starved(const struct arena *arena)
{
	return arena->is_starved;
}

static size_t
charge_of(size_t size)
{
	return size > QUOTA_FREE ? size : 0;
}

struct arena *
arena_free(struct arena *arena)
{
	if (arena == NULL)
		return NULL;
	while (arena->blocks != NULL) {
		struct block *block = arena->blocks;

		arena->blocks = block->next;
		quota_give_back(arena->quota, charge_of(block->size));
		xfree(block);
	}
	return xfree(arena);
}

static struct block *
add_block(struct arena *arena, size_t need)
{
	size_t size = arena->blocks != NULL ? arena->blocks->size * 2 : BLOCK_SIZE_MIN;
	struct block *block;

	if (size > BLOCK_SIZE_MAX)
		size = BLOCK_SIZE_MAX;
	if (size < need)
		size = need;
	if (size > BLOCK_SIZE_MAX && !quota_has_room(arena->quota, size)) {
		arena->is_starved = true;
		return NULL;
	}
	block = mem_try_realloc(NULL, sizeof(*block) + size);
	if (block == NULL)
		return NULL;
	quota_add(arena->quota, charge_of(size));
	*block = (struct block){ .next = arena->blocks, .size = size };
	arena->blocks = block;
	return block;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct block *block = arena->blocks;
	void *p;

	if (size > arena->left || size > SIZE_MAX - align)
		return NULL;
	size = (size + align - 1) / align * align;
	if (block == NULL || block->size - block->used < size)
		block = add_block(arena, size);
	if (block == NULL)
		return NULL;
	p = block->mem + block->used;
	block->used += size;
	arena->left -= size < arena->left ? size : arena->left;
	return p;
}

int
arena_copy(struct arena *arena, struct bytes b, struct bytes *ret_copy)
{
	char *p = arena_alloc(arena, b.len + 1);

	if (p == NULL)
		return -E2BIG;
	if (b.len > 0)
		memcpy(p, b.ptr, b.len);
	p[b.len] = '\0';
	*ret_copy = (struct bytes){ p, b.len };
	return 0;
}

int
arena_join(struct arena *arena, const struct bytes *parts, size_t n, struct bytes *ret_text)
{
	size_t len = 0;
	char *p, *to;

	for (size_t i = 0; i < n; i++)
		len += parts[i].len;
	p = to = arena_alloc(arena, len + 1);
	if (p == NULL)
		return -E2BIG;
	for (size_t i = 0; i < n; i++)
		if (parts[i].len > 0)
			to = mempcpy(to, parts[i].ptr, parts[i].len);
	*to = '\0';
	*ret_text = (struct bytes){ p, len };
	return 0;
}

int
arena_printf(struct arena *arena, struct bytes *ret_text, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(len >= 0);
	p = arena_alloc(arena, (size_t)len + 1);
	if (p == NULL)
		return -E2BIG;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)len + 1, fmt, ap);
	va_end(ap);
	*ret_text = (struct bytes){ p, (size_t)len };
	return 0;
}
