/* SPDX-License-Identifier: MIT */
/*
 * store_priv.h - what the files of the store share: store.c (reading),
 * store_open.c (the file), store_write.c (writing, making room).  For them alone.
 */
#ifndef CACHE_STORE_PRIV_H
#define CACHE_STORE_PRIV_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "cache/sieve.h"
#include "cache/store.h"

/* Percent of the bound above which the file is too large for its bound. */
#define STORE_FILE_LARGE	115

/* Who has a reader's transaction: its thread within a turn, the scribe while it reopens. */
enum reader_state {
	READER_IDLE,
	READER_LIVE,		/* holds a snapshot */
	READER_TAKEN,		/* by store_reopen(); its transaction is gone */
};

struct store_reader {
	struct store		*store;
	struct store_reader	*next;		/* in the store's list */
	MDB_txn			*txn;		/* NULL until first used */
	_Atomic int		 state;
	size_t			 txn_id;	/* of the last snapshot */
	uint64_t		 generation;	/* of PURGE */
	struct purge		*purge;		/* NULL: no marks */
};

struct store {
	MDB_env			*env;
	MDB_dbi			 index;
	MDB_dbi			 entries;
	MDB_dbi			 meta;
	struct sieve		*sieve;
	struct store_reader	*readers;
	struct buf		 encoded;	/* the writer's scratch */
	unsigned char		 secret[KEY_SECRET_LEN];
	struct store_options	 options;	/* as asked for; the path is the next */
	_Atomic usec_t		 grace;		/* that of the options, until it is another */
	char			*path;
	char			 why[64];	/* the last file was set aside */
	uint32_t		 found_format;
	uint64_t		 hand;		/* sequence number where SIEVE's hand stands */
	pthread_mutex_t		 lock;		/* of READERS */
	int			 lock_fd;
	bool			 has_secret;	/* drawn or read */
	bool			 is_wedged;	/* no page to be had, not even to free others */
	bool			 is_read_only;
	_Atomic bool		 is_broken;
	_Atomic uint64_t	 evicted;
	_Atomic uint64_t	 expired;
	_Atomic uint64_t	 damaged;
};

static inline MDB_val
store_val(const void *p, size_t len)
{
	return (MDB_val){ len, (void *)(uintptr_t)p };
}

static inline struct bytes
store_bytes(MDB_val val)
{
	return (struct bytes){ val.mv_data, val.mv_size };
}

/* LMDB's code as -errno; its own codes have none but EIO. */
int	store_error(int rc);

/* Open and close the environment of STORE, made anew from its options. */
int	store_env_open(struct store *store, unsigned flags) MUST_USE;
void	store_env_close(struct store *store);

/* Begin to read; slots of processes that died with one are taken back if there is none (H-59). */
int	store_begin_read(const struct store *store, MDB_txn **ret_txn) MUST_USE;

/* Pages in use, in bytes, and the number of entries. */
int	store_count_used(const struct store *store, MDB_txn *txn, uint64_t *ret_bytes,
	    uint64_t *ret_entries) MUST_USE;

/*
 * Does some reader keep pages from being used again, so that the file has to
 * grow or has grown?  *RET_PID is its process, 0 if none does.
 */
int	store_find_slow_reader(struct store *store, int *ret_pid) MUST_USE;

/* The marks as they stand in TXN; none if there are none or they are damaged. */
struct purge	*store_read_marks(const struct store *store, MDB_txn *txn);

#endif
