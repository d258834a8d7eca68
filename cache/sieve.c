/* SPDX-License-Identifier: MIT */
/*
 * sieve.c - a ring of bits in memory that costs nothing until it is touched.
 */
#include "cache/sieve.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "base/err.h"
#include "base/mem.h"

#define WORD_BITS	64
#define N_WORDS		(SIEVE_BITS / WORD_BITS)

struct sieve {
	_Atomic uint64_t	*words;
};

struct sieve *
sieve_new(void)
{
	struct sieve *sieve = xcalloc(1, sizeof(*sieve));

	sieve->words = mmap(NULL, N_WORDS * sizeof(uint64_t), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(sieve->words != MAP_FAILED);
	return sieve;
}

struct sieve *
sieve_free(struct sieve *sieve)
{
	if (sieve == NULL)
		return NULL;
	munmap(sieve->words, N_WORDS * sizeof(uint64_t));
	return xfree(sieve);
}

static _Atomic uint64_t *
word_of(struct sieve *sieve, uint64_t seq)
{
	return &sieve->words[seq % SIEVE_BITS / WORD_BITS];
}

static uint64_t
bit_of(uint64_t seq)
{
	return UINT64_C(1) << seq % WORD_BITS;
}

/* Looked at first: a cache line that all workers read is not fought over. */
void
sieve_visit(struct sieve *sieve, uint64_t seq)
{
	_Atomic uint64_t *word = word_of(sieve, seq);

	if ((atomic_load_explicit(word, memory_order_relaxed) & bit_of(seq)) == 0)
		atomic_fetch_or_explicit(word, bit_of(seq), memory_order_relaxed);
}

bool
sieve_pass(struct sieve *sieve, uint64_t seq)
{
	_Atomic uint64_t *word = word_of(sieve, seq);

	if ((atomic_load_explicit(word, memory_order_relaxed) & bit_of(seq)) == 0)
		return false;
	atomic_fetch_and_explicit(word, ~bit_of(seq), memory_order_relaxed);
	return true;
}
