/* SPDX-License-Identifier: MIT */
/*
 * store.h - answers on disk: one LMDB environment, three tables.
 *
 *	index	 key (16 B) -> sequence number (8 B)
 *	entries	 sequence number -> entry, appended: arrival order is disk order
 *	meta	 format version, the cache's secret, purge marks, counters
 *
 * One thread of the server writes (the scribe), commands write beside it in
 * short transactions; readers never wait.  The map is opened far larger than
 * the bound and never resized (H-50, H-51).  What is evicted is chosen by
 * SIEVE: a hand walks from old to new, sparing what was asked for since it
 * last came by.  The file holds prompts: directory 0700, files 0600 (H-62).
 */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include "base/bytes.h"
#include "base/err.h"
#include "cache/entry.h"
#include "cache/key.h"
#include "cache/purge.h"

/* Of the tables; each entry in them says its own (cache/entry.h). */
#define STORE_FORMAT	2

struct store;
struct store_reader;

struct store_options {
	const char	*path;		/* the directory; made if it is not there */
	uint64_t	 size;		/* bound of the file in bytes */
	unsigned	 readers;	/* how many threads will read */
	bool		 is_strict;	/* a commit is on disk before it returns */
	usec_t		 grace;		/* for which an entry stays after its time to live */
	int		 lock_fd;	/* of a server that gives way; not over 0: none */
	size_t		 map_size;	/* of the map; 0: as it should be.  For tests */
};

enum {
	STORE_E_MISS = 1,
	STORE_E_LOCKED,		/* another process serves from this directory (F13) */
	STORE_E_FULL,		/* no room: nothing was written */
	STORE_E_NONE,		/* there is no cache in this directory */
	STORE_E_FOREIGN,	/* damaged, or of another format */
};

/*
 * Open the store to serve from it, making it if need be.  A file that is
 * damaged or of another format is moved aside as data.mdb.bad-<time> and an
 * empty one made in its place; *RET_SET_ASIDE then points at a text that says why
 * and stands as long as the store, else it is NULL.  Where nothing can be written but there is
 * something to read, it is opened to read alone (store_is_read_only()).
 * Returns 0, STORE_E_LOCKED, or a negative error.
 */
int	store_open(const struct store_options *options, struct store **ret_store,
	    const char **ret_set_aside) MUST_USE;

/*
 * Open a store that is there, for a command beside a server or without one:
 * nothing is made, moved or checked.  WRITES tells whether it will be written.
 * Returns 0, STORE_E_NONE, STORE_E_FOREIGN or a negative error.
 */
int	store_attach(const struct store_options *options, bool writes,
	    struct store **ret_store) MUST_USE;

/* From now on an entry stays for GRACE after its time to live.  Any thread. */
void	store_set_grace(struct store *store, usec_t grace);

/* What keeps other servers out; for the one that is to take our place. */
int	store_lock_fd(const struct store *store);

/* All readers must be closed. */
struct store	*store_close(struct store *store);

bool	store_is_read_only(const struct store *store);

/* The cache's own secret, KEY_SECRET_LEN bytes, drawn when it was made. */
const unsigned char	*store_secret(const struct store *store);

/* One per reading thread; owned by the caller. */
struct store_reader	*store_reader_open(struct store *store);
struct store_reader	*store_reader_close(struct store_reader *reader);

/*
 * Find the answer to QUESTION, whose key is KEY.  What *RET_ENTRY points to
 * lies in the map and stands until store_reader_reset().  An entry whose stored
 * question differs is a miss (H-20), one that is damaged or purged too.  A
 * QUESTION without a ptr is not compared: the caller knows by other means that
 * it is the one.  Returns 0, STORE_E_MISS, or a negative error.
 */
int	store_get(struct store_reader *reader, const struct key *key, struct bytes question,
	    struct entry *ret_entry) MUST_USE;

/* The entry of KEY whatever it answers, expired or purged: to look at. */
int	store_get_any(struct store_reader *reader, const struct key *key,
	    struct entry *ret_entry) MUST_USE;

/* End the snapshot: to be called once per loop turn, so no reader pins pages (H-52). */
void	store_reader_reset(struct store_reader *reader);

/*
 * End the snapshot if something was committed since it was taken; was it?  What
 * was got from it then stands no longer.
 */
bool	store_reader_refresh(struct store_reader *reader);

/*
 * Call FN with each entry, oldest or newest first, until it returns false.  The
 * snapshot is renewed on the way: entries that come or go meanwhile may be
 * missed.  ENCODED is as it lies in the file, checked by nobody.
 */
typedef bool store_walk_fn(void *arg, uint64_t seq, struct bytes encoded);
int	store_walk(struct store_reader *reader, bool newest_first, store_walk_fn *fn, void *arg)
	    MUST_USE;

/* Has a purge made ENTRY void?  As of the reader's snapshot. */
bool	store_is_purged(struct store_reader *reader, const struct entry *entry);

/* How many bytes of entries store_put() takes at once without emptying the store for them. */
size_t	store_batch_max(const struct store *store);

/*
 * Write ENTRIES in one transaction, replacing those of the same key.  Room is
 * made first and in transactions of their own: what is expired or purged at the
 * old end goes, and once 90% of the bound are used SIEVE takes it down to 85%.
 * An entry over 1/16 of the bound is left out.  For the scribe alone.  Returns 0,
 * STORE_E_FULL or a negative error.
 */
int	store_put(struct store *store, const struct entry *entries, size_t n, usec_t now) MUST_USE;

/*
 * Merge ENTRY from elsewhere: an entry of its key that is not older stays.
 * *RET_WRITTEN says whether it was written.  For commands; 0, STORE_E_FULL or
 * a negative error.
 */
int	store_merge(struct store *store, const struct entry *entries, size_t n, usec_t now,
	    size_t *ret_n_written) MUST_USE;

/* Make void what MARK names.  0, PURGE_E_FULL, or a negative error. */
int	store_purge(struct store *store, const struct purge_mark *mark) MUST_USE;

/*
 * After a commit that failed (H-55), or when there are no pages even to free
 * others (H-50), close the file and open it again, in the latter case an empty
 * one with the old one set aside; if it cannot be written, it is opened to read
 * and stays broken.  Waits for readers to end their turn.  For the scribe alone.
 */
bool	store_is_broken(const struct store *store);
int	store_reopen(struct store *store) MUST_USE;

/*
 * Look for readers that hold old pages (H-52): dead ones are removed; *RET_PID
 * is the other process that lags over 1000 commits, or at all while the file has
 * outgrown its bound; else 0.
 */
int	store_check_readers(struct store *store, int *ret_pid) MUST_USE;

/* A value of our own in meta, by NAME; what is got is borrowed until the reader is reset. */
int	store_get_value(struct store_reader *reader, const char *name, struct bytes *ret_value)
	    MUST_USE;
int	store_put_value(struct store *store, const char *name, struct bytes value) MUST_USE;

/* Write a copy without free pages into the empty directory DIR. */
int	store_copy_compact(struct store *store, const char *dir) MUST_USE;

struct store_stat {
	uint64_t	entries;
	uint64_t	used_bytes;	/* pages in use */
	uint64_t	file_bytes;
	uint64_t	evicted;	/* since the store was opened */
	uint64_t	expired;
	uint64_t	damaged;	/* entries met that failed their checks */
};

/* Any thread. */
int	store_get_stat(struct store *store, struct store_stat *ret_stat) MUST_USE;

#endif
