/* SPDX-License-Identifier: MIT */
/*
 * quota.h - how much memory the process spends on what its peers send and take, and the
 * bound of that.  Shared by all threads; whoever charges gives back the same.
 *
 * Only buffers of some size are charged: the small ones are bounded by the number of
 * connections, and a hit that fits in them touches nothing that others write.
 */
#ifndef BASE_QUOTA_H
#define BASE_QUOTA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUOTA_FREE	((size_t)16 << 10)	/* a buffer up to here is free of charge */

struct quota {
	_Atomic uint64_t	used;
	_Atomic uint64_t	max;	/* 0: no bound */
};

/* Charge LEN bytes if there is room for them; for none there is always.  QUOTA may be NULL. */
bool	quota_take(struct quota *quota, size_t len);

/* Charge them whether there is room or not. */
void	quota_add(struct quota *quota, size_t len);

void	quota_give_back(struct quota *quota, size_t len);

/* Would there be room for LEN bytes? */
bool	quota_has_room(const struct quota *quota, uint64_t len);

uint64_t	quota_used(const struct quota *quota);
void		quota_set_max(struct quota *quota, uint64_t max);

#endif
