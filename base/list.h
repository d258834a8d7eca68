/* SPDX-License-Identifier: MIT */
/*
 * list.h - an array that grows in an arena.  Embedded by value, empty when
 * zeroed; it is taken back by lowering N, and its items move when it grows.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/arena.h"

struct list {
	void	*mem;
	size_t	 n;
	size_t	 size;		/* items it has room for */
};

/* Room for one more item; NULL when the arena is full. */
void	*list_grow(struct list *list, size_t item_size, struct arena *arena) MUST_USE;

/* One more item of ITEM_SIZE, as it was left there; NULL when the arena is full. */
static inline void *
list_add(struct list *list, size_t item_size, struct arena *arena)
{
	if (list->n == list->size && list_grow(list, item_size, arena) == NULL)
		return NULL;
	return (char *)list->mem + list->n++ * item_size;
}

#endif
