/* SPDX-License-Identifier: MIT */
/*
 * quota.c - one counter and its bound.  No order is needed between it and anything else.
 */
#include "base/quota.h"

#include "base/err.h"

bool
quota_take(struct quota *quota, size_t len)
{
	if (len > 0 && !quota_has_room(quota, len))
		return false;
	quota_add(quota, len);
	return true;
}

void
quota_add(struct quota *quota, size_t len)
{
	if (quota != NULL && len > 0)
		atomic_fetch_add_explicit(&quota->used, len, memory_order_relaxed);
}

void
quota_give_back(struct quota *quota, size_t len)
{
	uint64_t used;

	if (quota == NULL || len == 0)
		return;
	used = atomic_fetch_sub_explicit(&quota->used, len, memory_order_relaxed);
	assert(used >= len);
}

/* Two who ask at once may both find it: the bound is passed by what a few buffers take. */
bool
quota_has_room(const struct quota *quota, uint64_t len)
{
	uint64_t max;

	if (quota == NULL)
		return true;
	max = atomic_load_explicit(&quota->max, memory_order_relaxed);
	return max == 0 || (len <= max && quota_used(quota) <= max - len);
}

uint64_t
quota_used(const struct quota *quota)
{
	return atomic_load_explicit(&quota->used, memory_order_relaxed);
}

void
quota_set_max(struct quota *quota, uint64_t max)
{
	atomic_store_explicit(&quota->max, max, memory_order_relaxed);
}
