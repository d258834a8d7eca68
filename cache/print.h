/* SPDX-License-Identifier: MIT */
/*
 * print.h - the fingerprints of requests seen before, and what was found out
 * about them: so that a body whose very bytes came before costs one hash and no
 * scan.  One table per worker, touched by nobody else.
 *
 * A fingerprint is two XXH3-128 under two secrets drawn when the table is made
 * (H-20): what it finds is not compared with anything any more.
 */
#ifndef CACHE_PRINT_H
#define CACHE_PRINT_H

#include "base/bytes.h"
#include "cache/key.h"

#define PRINT_SLOTS	65536

struct print {
	unsigned char	bytes[32];
};

/* What was found out: the key, and what else is needed to answer from the store. */
struct known {
	struct key	key;
	uint32_t	model_at;	/* where the model stands in the body, as it is, ... */
	uint32_t	model_len;	/* ... 0: nowhere */
	uint16_t	route;		/* index in the configuration */
	bool		is_sampled;
	bool		wants_stream;
	bool		wants_usage;
};

struct prints;

/* A table for N requests (rounded up); what comes past them takes the place of others. */
struct prints	*prints_new(size_t n);
struct prints	*prints_free(struct prints *prints);

/* The fingerprint of BODY asked in CONTEXT. */
struct print	prints_make(const struct prints *prints, struct bytes context,
		    struct bytes body);

/* What is known of PRINT, or NULL; stands until the next prints_put(). */
const struct known	*prints_find(struct prints *prints, const struct print *print);

void	prints_put(struct prints *prints, const struct print *print, const struct known *known);

#endif
