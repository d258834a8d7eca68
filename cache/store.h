/* SPDX-License-Identifier: MIT */
/*
 * store.h - answers on disk: one LMDB environment, three tables.
 *
 *	index	 key (16 B) -> sequence number (8 B)
 *	entries	 sequence number -> entry, appended: arrival order is disk order
 *	meta	 format version, the cache's secret
 *
 * One process writes at a time, through one thread (the scribe); readers never
 * wait.  The map is opened far larger than the bound and never resized (H-50,
 * H-51).  The file holds prompts: directory 0700, files 0600 (H-62).
 */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include "base/bytes.h"
#include "base/err.h"
#include "cache/entry.h"
#include "cache/key.h"

struct store;
struct store_reader;

struct store_options {
	const char	*path;		/* the directory; made if it is not there */
	uint64_t	 size;		/* bound of the file in bytes */
	unsigned	 readers;	/* how many threads will read */
};

enum {
	STORE_E_MISS = 1,
	STORE_E_LOCKED,		/* another process serves from this directory (F13) */
	STORE_E_FULL,		/* no room: nothing was written */
};

/*
 * Open the store, making it if need be.  A file that is damaged or of another
 * format is moved aside as data.mdb.bad-<time> and an empty one made in its
 * place; *RET_SET_ASIDE then points at a static text that says why, else it
 * is NULL.  Returns 0, STORE_E_LOCKED, or a negative error.
 */
int	store_open(const struct store_options *options, struct store **ret_store,
	    const char **ret_set_aside) MUST_USE;

/* All readers must be closed. */
struct store	*store_close(struct store *store);

/* The cache's own secret, KEY_SECRET_LEN bytes, drawn when it was made. */
const unsigned char	*store_secret(const struct store *store);

/* One per reading thread; owned by the caller. */
struct store_reader	*store_reader_open(struct store *store);
struct store_reader	*store_reader_close(struct store_reader *reader);

/*
 * Find the answer to QUESTION, whose key is KEY.  What *RET_ENTRY points to
 * lies in the map and stands until store_reader_reset().  An entry whose
 * stored question differs is a miss (H-20), one that is damaged too.
 * Returns 0, STORE_E_MISS, or a negative error.
 */
int	store_get(struct store_reader *reader, const struct key *key, struct bytes question,
	    struct entry *ret_entry) MUST_USE;

/* End the snapshot: to be called once per loop turn, so no reader pins pages (H-52). */
void	store_reader_reset(struct store_reader *reader);

/*
 * Write ENTRIES in one transaction, replacing those of the same key.  What has
 * expired by NOW goes from the old end, and once 90% of the bound are used the
 * oldest go until it is 85%.  An entry over a quarter of the bound is left
 * out.  For the scribe alone.  Returns 0, STORE_E_FULL or a negative error.
 */
int	store_put(struct store *store, const struct entry *entries, size_t n, usec_t now) MUST_USE;

struct store_stat {
	uint64_t	entries;
	uint64_t	used_bytes;	/* pages in use */
	uint64_t	evicted;	/* since the store was opened */
	uint64_t	expired;
	uint64_t	damaged;	/* entries met that failed their checks */
};

/* Any thread. */
int	store_get_stat(struct store *store, struct store_stat *ret_stat) MUST_USE;

#endif
