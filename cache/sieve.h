/* SPDX-License-Identifier: MIT */
/*
 * sieve.h - which entries were asked for since the hand last passed: the
 * memory of SIEVE eviction (Zhang et al., NSDI 2024).  One bit an entry, by
 * sequence number; a hit sets it and moves nothing.
 *
 * Any thread may visit; the hand belongs to whoever evicts.  Bits lie on a
 * ring of SIEVE_BITS, so entries that many numbers apart share one: the worst
 * of that is an entry spared once more than it deserved.
 */
#ifndef CACHE_SIEVE_H
#define CACHE_SIEVE_H

#include <stdbool.h>
#include <stdint.h>

#define SIEVE_BITS	(UINT64_C(1) << 27)

struct sieve;

/* No entry visited.  Memory is taken as bits are set, at most 16 MB. */
struct sieve	*sieve_new(void);
struct sieve	*sieve_free(struct sieve *sieve);

/* Entry SEQ was asked for.  Writes nothing when that was known. */
void	sieve_visit(struct sieve *sieve, uint64_t seq);

/* Was SEQ asked for since this was last called for it?  From now on it was not. */
bool	sieve_pass(struct sieve *sieve, uint64_t seq);

#endif
