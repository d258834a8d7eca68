/* SPDX-License-Identifier: MIT */
/*
 * scribe.h - the one writer thread.  Workers hand it finished answers; it
 * commits them in batches, every 50 ms or 1000 entries.  When its queue is
 * full the answer is served and not stored, and that is counted; when the disk
 * refuses, storing pauses for 10 s, doubling to 5 min, and resumes by itself
 * (H-55).  It also writes down how often answers were given again and what
 * others want noted, and looks for readers that keep old pages (H-52).
 */
#ifndef CACHE_SCRIBE_H
#define CACHE_SCRIBE_H

#include "base/err.h"
#include "cache/entry.h"
#include "cache/store.h"
#include "cache/tally.h"

struct scribe;

enum {
	SCRIBE_E_FULL = 1,	/* the queue is at its ceiling: not stored */
	SCRIBE_E_PAUSED,	/* the disk refused a moment ago: not stored */
};

struct scribe_stat {
	uint64_t	stored;		/* entries committed */
	uint64_t	refused;	/* given and not taken: queue full or paused */
	uint64_t	errors;		/* commits that failed */
	uint64_t	reopened;	/* times the file had to be opened again */
	uint64_t	queued_bytes;
	usec_t		busy_since;	/* monotonic; 0: waits for work */
	int		last_error;	/* -errno of the last; -ENOSPC: the bound */
	int		slow_reader;	/* process that keeps old pages; 0: none */
	bool		paused;
};

/* Start the thread over STORE (borrowed: outlives us), with a queue of QUEUE_MAX bytes. */
int	scribe_start(struct store *store, size_t queue_max, struct scribe **ret_scribe) MUST_USE;

/* Commit what is queued, end the thread and free it; NULL is fine. */
struct scribe	*scribe_stop(struct scribe *scribe);

/*
 * Queue a copy of ENTRY.  Any thread; never waits for the disk.  Returns 0,
 * SCRIBE_E_FULL or SCRIBE_E_PAUSED.
 */
int	scribe_put(struct scribe *scribe, const struct entry *entry) MUST_USE;

/*
 * Is an answer to this key queued or being committed?  If so copy it, so that
 * a request right after a miss is no second miss: *RET_ENTRY's bytes then
 * live in *RET_MEM, which the caller frees with xfree().
 */
bool	scribe_find(struct scribe *scribe, const struct key *key, struct bytes question,
	    struct entry *ret_entry, void **ret_mem);

/* Add what TALLY counted, which is then empty; it is written down within 5 s. */
void	scribe_tally(struct scribe *scribe, struct tally *tally);

/*
 * Write a copy of TEXT as the value NAME (a literal) of the store, in place of an
 * earlier one that is not yet written; at once, and without a second try.
 */
void	scribe_note(struct scribe *scribe, const char *name, struct bytes text);

/* Wait until all that was queued before the call is committed or refused. */
void	scribe_flush(struct scribe *scribe);

void	scribe_get_stat(struct scribe *scribe, struct scribe_stat *ret_stat);

#endif
