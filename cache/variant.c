/* SPDX-License-Identifier: MIT */
/*
 * variant.c - a word a question: 32 bits of its key, a turn, and whether it is
 * settled.
 */
#include "cache/variant.h"

#include <stdatomic.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define APART	0x80		/* no variant has this bit */
#define SLOTS		4096
#define SETTLED		UINT64_C(1)
#define TURN_SHIFT	1
#define TURN_MASK	UINT64_C(0xffff)
#define TAG_SHIFT	32

struct variants {
	_Atomic uint64_t	slots[SLOTS];
};

struct variants *
variants_new(void)
{
	return xcalloc(1, sizeof(struct variants));
}

struct variants *
variants_free(struct variants *variants)
{
	return xfree(variants);
}

struct key
variant_key(const struct key *key, unsigned n)
{
	struct key other = *key;

	other.bytes[15] ^= (unsigned char)n;
	return other;
}

struct key
variant_apart(const struct key *key)
{
	struct key other = *key;

	other.bytes[15] ^= APART;
	return other;
}

static uint32_t
part_of(const struct key *key, size_t at)
{
	uint32_t part;

	memcpy(&part, key->bytes + at, sizeof(part));
	return part;
}

static _Atomic uint64_t *
slot_of(struct variants *variants, const struct key *key)
{
	return &variants->slots[part_of(key, 4) % SLOTS];
}

/* The word of KEY when SEEN stands in its slot: SEEN, or one that begins. */
static uint64_t
own_word(const struct key *key, uint64_t seen)
{
	uint64_t tag = part_of(key, 0);

	return seen >> TAG_SHIFT == tag ? seen : tag << TAG_SHIFT;
}

unsigned
variants_turn(struct variants *variants, const struct key *key, unsigned n)
{
	_Atomic uint64_t *slot = slot_of(variants, key);
	uint64_t seen = atomic_load_explicit(slot, memory_order_relaxed), word, turn;

	assert(n > 0);
	do {
		word = own_word(key, seen);
		turn = word >> TURN_SHIFT & TURN_MASK;
		word &= ~(TURN_MASK << TURN_SHIFT);
		word |= ((turn + 1) % n) << TURN_SHIFT;
	} while (!atomic_compare_exchange_weak_explicit(slot, &seen, word,
	    memory_order_relaxed, memory_order_relaxed));
	return (unsigned)(turn % n);
}

void
variants_settle(struct variants *variants, const struct key *key)
{
	_Atomic uint64_t *slot = slot_of(variants, key);
	uint64_t seen = atomic_load_explicit(slot, memory_order_relaxed);

	while (!atomic_compare_exchange_weak_explicit(slot, &seen, own_word(key, seen) | SETTLED,
	    memory_order_relaxed, memory_order_relaxed))
		;
}

bool
variants_are_settled(const struct variants *variants, const struct key *key)
{
	const _Atomic uint64_t *slot = &variants->slots[part_of(key, 4) % SLOTS];
	uint64_t seen = atomic_load_explicit(slot, memory_order_relaxed);

	return (own_word(key, seen) & SETTLED) != 0;
}
