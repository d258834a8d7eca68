/* SPDX-License-Identifier: MIT */
/*
 * keyring.c - a table of sums, found by their first bytes, which are as good as
 * drawn by chance; at least half of it is free, so that a few steps end at a free
 * slot.
 */
#include "config/keyring.h"

#include <string.h>

#include "base/mem.h"
#include "base/num.h"

#define PREFIX		"sha256:"
#define SLOTS_FIRST	((size_t)16)	/* a power of two, as all that follow */
#define DIGITS		16		/* that one number of them has */

struct slot {
	unsigned char	sum[KEYRING_SUM_LEN];
	size_t		owner;
	bool		is_taken;
};

struct keyring {
	struct slot	*slots;
	size_t		 n_slots;
	size_t		 n;
};

struct keyring *
keyring_new(void)
{
	struct keyring *ring = xcalloc(1, sizeof(*ring));

	ring->n_slots = SLOTS_FIRST;
	ring->slots = xcalloc(ring->n_slots, sizeof(*ring->slots));
	return ring;
}

struct keyring *
keyring_free(struct keyring *ring)
{
	if (ring == NULL)
		return NULL;
	xfree(ring->slots);
	return xfree(ring);
}

bool
keyring_parse(struct bytes text, char ret_sum[KEYRING_SUM_LEN])
{
	struct bytes digits = bytes_skip(text, strlen(PREFIX));
	char sum[KEYRING_SUM_LEN];
	uint64_t number;

	if (!bytes_has_prefix(text, PREFIX) || digits.len != 2 * sizeof(sum))
		return false;
	for (size_t at = 0; at < sizeof(sum); at += sizeof(number)) {
		if (num_parse_hex64(bytes_first(digits, DIGITS), &number) != 0)
			return false;
		number = __builtin_bswap64(number);
		memcpy(sum + at, &number, sizeof(number));
		digits = bytes_skip(digits, DIGITS);
	}
	memcpy(ret_sum, sum, sizeof(sum));
	return true;
}

/* All of both is looked at, whatever differs. */
static bool
is_same(const unsigned char *a, const unsigned char *b)
{
	unsigned differing = 0;

	for (size_t i = 0; i < KEYRING_SUM_LEN; i++)
		differing |= a[i] ^ b[i];
	return differing == 0;
}

/* Where SUM is, or would be. */
static struct slot *
slot_of(const struct keyring *ring, const unsigned char *sum)
{
	struct slot *slot;
	uint64_t at;

	memcpy(&at, sum, sizeof(at));
	do {
		slot = &ring->slots[at++ & (ring->n_slots - 1)];
	} while (slot->is_taken && !is_same(slot->sum, sum));
	return slot;
}

static void
grow(struct keyring *ring)
{
	struct keyring larger = { .n_slots = 2 * ring->n_slots, .n = ring->n };

	larger.slots = xcalloc(larger.n_slots, sizeof(*larger.slots));
	for (size_t i = 0; i < ring->n_slots; i++)
		if (ring->slots[i].is_taken)
			*slot_of(&larger, ring->slots[i].sum) = ring->slots[i];
	xfree(ring->slots);
	*ring = larger;
}

int
keyring_add(struct keyring *ring, const char sum[KEYRING_SUM_LEN], size_t owner,
    size_t *ret_other)
{
	struct slot *slot;

	if (2 * (ring->n + 1) > ring->n_slots)
		grow(ring);
	slot = slot_of(ring, (const unsigned char *)sum);
	if (slot->is_taken) {
		*ret_other = slot->owner;
		return KEYRING_E_TAKEN;
	}
	memcpy(slot->sum, sum, sizeof(slot->sum));
	slot->owner = owner;
	slot->is_taken = true;
	ring->n++;
	return 0;
}

bool
keyring_find(const struct keyring *ring, const char sum[KEYRING_SUM_LEN], size_t *ret_owner)
{
	const struct slot *slot = slot_of(ring, (const unsigned char *)sum);

	if (slot->is_taken)
		*ret_owner = slot->owner;
	return slot->is_taken;
}
