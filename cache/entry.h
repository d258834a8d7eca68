/* SPDX-License-Identifier: MIT */
/*
 * entry.h - one stored answer as bytes.
 *
 *	magic, format version, checksum	XXH3-64 of all that follows: integrity
 *					only, it never decides identity (H-22)
 *	times, ttl, status, lengths	fixed, little-endian
 *	model | compute | fields | question | body
 *
 * Entries come from a file that anything may have happened to: decoding
 * trusts nothing (H-54).
 */
#ifndef CACHE_ENTRY_H
#define CACHE_ENTRY_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "cache/key.h"

#define ENTRY_FORMAT	1

enum {
	ENTRY_E_BAD = 1,	/* not an entry of this format, or damaged */
};

struct entry {
	struct key	key;		/* so that the index can be cleaned from the entry */
	usec_t		made;		/* wall clock */
	usec_t		ttl;
	int		status;
	struct bytes	model;
	struct bytes	compute;	/* x-compute-type when it was made */
	struct bytes	fields;		/* head fields to replay: "name: value\r\n" each */
	struct bytes	question;	/* key_question() of the request */
	struct bytes	body;
};

/* Append ENTRY as bytes. */
int	entry_encode(const struct entry *entry, struct buf *out) MUST_USE;

/* How many bytes that takes. */
size_t	entry_encoded_len(const struct entry *entry);

/*
 * Read an entry: what *RET_ENTRY points to is borrowed from BYTES.  Checks
 * magic, format, every length and the checksum; returns 0 or ENTRY_E_BAD.
 */
int	entry_decode(struct bytes bytes, struct entry *ret_entry) MUST_USE;

#endif
