/* SPDX-License-Identifier: MIT */
/*
 * print.c - sets of four slots; the oldest of a set goes.
 */
#include "cache/print.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/mem.h"
#include "cache/hash.h"

#define WAYS	4

struct slot {
	struct print	print;		/* of zeros: free */
	struct known	known;
};

struct set {
	struct slot	slots[WAYS];	/* newest first */
};

struct prints {
	unsigned char	 secrets[2][KEY_SECRET_LEN];
	size_t		 n_sets;
	struct set	*sets;
};

struct prints *
prints_new(size_t n)
{
	struct prints *prints = xcalloc(1, sizeof(*prints));
	ssize_t len = getrandom(prints->secrets, sizeof(prints->secrets), 0);

	assert(len == (ssize_t)sizeof(prints->secrets));
	prints->n_sets = (n + WAYS - 1) / WAYS;
	/* Takes memory as it is filled. */
	prints->sets = mmap(NULL, prints->n_sets * sizeof(struct set), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(prints->sets != MAP_FAILED);
	return prints;
}

struct prints *
prints_free(struct prints *prints)
{
	if (prints == NULL)
		return NULL;
	munmap(prints->sets, prints->n_sets * sizeof(struct set));
	explicit_bzero(prints->secrets, sizeof(prints->secrets));
	return xfree(prints);
}

/* Context and body are hashed apart, then their hashes: no byte moves between them. */
static XXH128_hash_t
hash(const unsigned char *secret, struct bytes context, struct bytes body)
{
	XXH128_hash_t parts[2] = {
		XXH3_128bits_withSecret(context.ptr, context.len, secret, KEY_SECRET_LEN),
		XXH3_128bits_withSecret(body.ptr, body.len, secret, KEY_SECRET_LEN),
	};

	return XXH3_128bits_withSecret(parts, sizeof(parts), secret, KEY_SECRET_LEN);
}

struct print
prints_make(const struct prints *prints, struct bytes context, struct bytes body)
{
	struct print print;

	for (size_t i = 0; i < 2; i++) {
		XXH128_hash_t h = hash(prints->secrets[i], context, body);

		memcpy(print.bytes + i * sizeof(h), &h, sizeof(h));
	}
	return print;
}

static struct set *
set_of(struct prints *prints, const struct print *print)
{
	uint64_t n;

	memcpy(&n, print->bytes, sizeof(n));
	return &prints->sets[n % prints->n_sets];
}

const struct known *
prints_find(struct prints *prints, const struct print *print)
{
	struct set *set = set_of(prints, print);

	for (size_t i = 0; i < WAYS; i++)
		if (memcmp(&set->slots[i].print, print, sizeof(*print)) == 0)
			return &set->slots[i].known;
	return NULL;
}

void
prints_put(struct prints *prints, const struct print *print, const struct known *known)
{
	struct set *set = set_of(prints, print);

	memmove(set->slots + 1, set->slots, (WAYS - 1) * sizeof(set->slots[0]));
	set->slots[0] = (struct slot){ *print, *known };
}
