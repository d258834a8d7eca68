/* SPDX-License-Identifier: MIT */
/*
 * list.c - twice the room each time.
 */
#include "base/list.h"

#include <string.h>

#define SIZE_MIN	16

void *
list_grow(struct list *list, size_t item_size, struct arena *arena)
{
	size_t size = list->size > 0 ? list->size * 2 : SIZE_MIN;
	void *mem = arena_alloc(arena, size * item_size);

	if (mem == NULL)
		return NULL;
	if (list->n > 0)
		memcpy(mem, list->mem, list->n * item_size);
	list->mem = mem;
	list->size = size;
	return mem;
}
