/* SPDX-License-Identifier: MIT */
/*
 * identity.h - which models an engine has, by what it says about itself: TEI's and TGI's
 * /info, llama-server's /props, Ollama's /api/tags (PROTOCOLS.md 4, 5, 9, 10).  What
 * changes by itself (uptime, counters, a date) is left out.
 */
#ifndef PROXY_DIALECT_IDENTITY_H
#define PROXY_DIALECT_IDENTITY_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

#define IDENTITY_MAX	((size_t)1 << 20)

enum {
	IDENTITY_E_NONE = 1,	/* BODY says nothing of the kind */
};

/*
 * Append to OUT what BODY says, as a text of at most IDENTITY_MAX that is the same as
 * long as the models are; that of one of them is to be had by identity_of().
 */
int	identity_read(struct bytes body, struct buf *out) MUST_USE;

/* What TEXT says of MODEL, as asked for; borrowed from TEXT.  None if it has no such model. */
struct bytes	identity_of(struct bytes text, struct bytes model);

#endif
