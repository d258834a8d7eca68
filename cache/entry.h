/* SPDX-License-Identifier: MIT */
/*
 * entry.h - one stored answer as bytes.
 *
 *	magic, format version, checksum	XXH3-64 of all that follows: integrity
 *					only, it never decides identity (H-22)
 *	times, status, flags, lengths	fixed, little-endian
 *	scope | model | compute | fields | question | body
 *
 * Entries come from a file that anything may have happened to: decoding
 * trusts nothing (H-54).  An entry of format 2 has no tokens: they are not known.
 */
#ifndef CACHE_ENTRY_H
#define CACHE_ENTRY_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "cache/key.h"

#define ENTRY_FORMAT	3	/* as they are written; those of format 2 are read too */
#define ENTRY_HEAD_LEN	104

enum {
	ENTRY_E_BAD = 1,	/* not an entry of a format we know, or damaged */
};

enum entry_flag {
	ENTRY_HASHED = 1 << 0,	/* of the question only its SHA-256 is kept (H-21) */
	ENTRY_STREAM = 1 << 1,	/* the body is a stream as it came */
	ENTRY_USAGE = 1 << 2,	/* and tells what it used, because it was asked to */
	ENTRY_COUNTED = 1 << 3,	/* its tokens are known */
};

struct entry {
	struct key	key;		/* so that the index can be cleaned from the entry */
	usec_t		made;		/* wall clock */
	usec_t		ttl;
	usec_t		took;		/* to compute: what a hit saves */
	uint64_t	gist;		/* of what it says, where variants are kept; else 0 */
	int		status;
	unsigned	flags;		/* of enum entry_flag */
	uint32_t	input, output;	/* tokens it took, with ENTRY_COUNTED; else 0 */
	struct bytes	scope;		/* whose it is: empty is the shared part */
	struct bytes	model;
	struct bytes	compute;	/* x-compute-type when it was made */
	struct bytes	fields;		/* head fields to replay: "name: value\r\n" each */
	struct bytes	question;	/* key_question() of the request, or its SHA-256 */
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

/* The same but for the checksum, so that a large body is not touched: for walks. */
int	entry_peek(struct bytes bytes, struct entry *ret_entry) MUST_USE;

/* Is QUESTION what ENTRY answers?  Knows of ENTRY_HASHED. */
bool	entry_answers(const struct entry *entry, struct bytes question);

#endif
