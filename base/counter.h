/* SPDX-License-Identifier: MIT */
/*
 * counter.h - what one thread at a time counts, and any may look at: plain loads and
 * stores, without a locked instruction.
 */
#ifndef BASE_COUNTER_H
#define BASE_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

static inline uint64_t
counter_get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* For the one who counts; a negative N takes away. */
static inline void
counter_add(_Atomic uint64_t *counter, int64_t n)
{
	atomic_store_explicit(counter, counter_get(counter) + (uint64_t)n, memory_order_relaxed);
}

#endif
