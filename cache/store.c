/* SPDX-License-Identifier: MIT */
/*
 * store.c - reading: snapshots, answers, walks.  LMDB's return codes end in
 * these files.
 */
#include "cache/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "cache/store_file.h"
#include "cache/store_guard.h"
#include "cache/store_priv.h"

#define WALK_RENEW	1000	/* entries after which a walk takes a new snapshot (H-52) */
#define LAG_MAX		1000	/* commits */
#define LAG_MAX_LARGE	0	/* when the file has outgrown its bound */

bool
store_is_read_only(const struct store *store)
{
	return store->is_read_only;
}

const unsigned char *
store_secret(const struct store *store)
{
	return store->secret;
}

bool
store_is_broken(const struct store *store)
{
	return atomic_load_explicit(&store->is_broken, memory_order_acquire);
}

struct store_reader *
store_reader_open(struct store *store)
{
	struct store_reader *reader = xcalloc(1, sizeof(*reader));

	reader->store = store;
	pthread_mutex_lock(&store->lock);
	reader->next = store->readers;
	store->readers = reader;
	pthread_mutex_unlock(&store->lock);
	return reader;
}

struct store_reader *
store_reader_close(struct store_reader *reader)
{
	struct store_reader **at;

	if (reader == NULL)
		return NULL;
	pthread_mutex_lock(&reader->store->lock);
	for (at = &reader->store->readers; *at != reader; at = &(*at)->next)
		;
	*at = reader->next;
	pthread_mutex_unlock(&reader->store->lock);
	mdb_txn_abort(reader->txn);
	purge_free(reader->purge);
	return xfree(reader);
}

struct purge *
store_read_marks(const struct store *store, MDB_txn *txn)
{
	MDB_val key = store_val("purge", 5), val;
	struct purge *purge;
	int rc = mdb_get(txn, store->meta, &key, &val);

	if (rc == MDB_NOTFOUND)
		return NULL;
	/* What was purged stays so, even when it cannot be read any more what it was. */
	if (rc != 0 || purge_new(store_bytes(val), &purge) != 0)
		return purge_everything();
	return purge;
}

/* Marks come from other processes too: after each commit they are looked for. */
static void
refresh_marks(struct store_reader *reader)
{
	MDB_val key = store_val("purge", 5), val;
	uint64_t generation = 0;

	if (mdb_get(reader->txn, reader->store->meta, &key, &val) == 0)
		generation = purge_generation(store_bytes(val));
	if (generation == reader->generation)
		return;
	purge_free(reader->purge);
	reader->purge = store_read_marks(reader->store, reader->txn);
	reader->generation = generation;
}

int
store_begin_read(const struct store *store, MDB_txn **ret_txn)
{
	int dead, rc;

	if (store->env == NULL)		/* it could not be opened again */
		return EIO;
	rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, ret_txn);
	if (rc == MDB_READERS_FULL && mdb_reader_check(store->env, &dead) == 0 && dead > 0)
		rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, ret_txn);
	return rc;
}

static int
begin_or_renew(struct store_reader *reader)
{
	if (reader->txn != NULL)
		return mdb_txn_renew(reader->txn);
	reader->txn_id = 0;
	return store_begin_read(reader->store, &reader->txn);
}

static int
take_snapshot(struct store_reader *reader)
{
	int idle = READER_IDLE, rc;
	size_t id;

	if (atomic_load_explicit(&reader->state, memory_order_relaxed) == READER_LIVE)
		return 0;
	if (!atomic_compare_exchange_strong_explicit(&reader->state, &idle, READER_LIVE,
	    memory_order_acquire, memory_order_relaxed))
		return EBUSY;		/* the file is being opened again */
	rc = begin_or_renew(reader);
	if (rc != 0) {
		atomic_store_explicit(&reader->state, READER_IDLE, memory_order_release);
		return rc;
	}
	id = mdb_txn_id(reader->txn);
	if (id != reader->txn_id)
		refresh_marks(reader);
	reader->txn_id = id;
	return 0;
}

void
store_reader_reset(struct store_reader *reader)
{
	if (atomic_load_explicit(&reader->state, memory_order_relaxed) != READER_LIVE)
		return;
	mdb_txn_reset(reader->txn);
	atomic_store_explicit(&reader->state, READER_IDLE, memory_order_release);
}

bool
store_reader_refresh(struct store_reader *reader)
{
	MDB_envinfo info;

	if (atomic_load_explicit(&reader->state, memory_order_relaxed) != READER_LIVE ||
	    mdb_env_info(reader->store->env, &info) != 0 ||
	    info.me_last_txnid == reader->txn_id)
		return false;
	store_reader_reset(reader);
	return true;
}

static int
get_encoded(struct store_reader *reader, const struct key *key, size_t *ret_seq, MDB_val *ret_val)
{
	MDB_val k = store_val(key->bytes, sizeof(key->bytes)), seq;
	int rc = take_snapshot(reader);

	if (rc == 0)
		rc = mdb_get(reader->txn, reader->store->index, &k, &seq);
	if (rc == 0 && seq.mv_size != sizeof(*ret_seq))
		rc = MDB_CORRUPTED;
	if (rc == 0)
		rc = mdb_get(reader->txn, reader->store->entries, &seq, ret_val);
	if (rc == 0)
		memcpy(ret_seq, seq.mv_data, sizeof(*ret_seq));
	return rc;
}

static int
get_entry(struct store_reader *reader, const struct key *key, size_t *ret_seq,
    struct entry *ret_entry)
{
	MDB_val val;
	int rc = get_encoded(reader, key, ret_seq, &val);

	if (rc == MDB_NOTFOUND)
		return STORE_E_MISS;
	if (rc != 0)
		return store_error(rc);
	/* Its checksum says that the entry is whole, not that its row led to the right one. */
	if (entry_decode(store_bytes(val), ret_entry) == 0 &&
	    memcmp(&ret_entry->key, key, sizeof(*key)) == 0)
		return 0;
	atomic_fetch_add_explicit(&reader->store->damaged, 1, memory_order_relaxed);
	return STORE_E_MISS;
}

int
store_get(struct store_reader *reader, const struct key *key, struct bytes question,
    struct entry *ret_entry)
{
	struct entry entry;
	size_t seq = 0;
	int r;

	store_guard_enter();
	r = get_entry(reader, key, &seq, &entry);
	store_guard_leave();
	if (r != 0)
		return r;
	if (question.ptr != NULL && !entry_answers(&entry, question))
		return STORE_E_MISS;
	if (reader->purge != NULL && purge_hits(reader->purge, &entry))
		return STORE_E_MISS;
	sieve_visit(reader->store->sieve, seq);
	*ret_entry = entry;
	return 0;
}

int
store_get_any(struct store_reader *reader, const struct key *key, struct entry *ret_entry)
{
	size_t seq;

	return get_entry(reader, key, &seq, ret_entry);
}

bool
store_is_purged(struct store_reader *reader, const struct entry *entry)
{
	int rc;

	store_guard_enter();
	rc = take_snapshot(reader);
	store_guard_leave();
	return rc == 0 && reader->purge != NULL && purge_hits(reader->purge, entry);
}

/* Up to WALK_RENEW entries from *SEQ on; 0 to go on, MDB_NOTFOUND at the end. */
static int
walk_some(struct store_reader *reader, bool newest_first, size_t *seq, store_walk_fn *fn,
    void *arg)
{
	MDB_val key = store_val(seq, sizeof(*seq)), val;
	MDB_cursor *cursor;
	int rc = take_snapshot(reader);

	if (rc == 0)
		rc = mdb_cursor_open(reader->txn, reader->store->entries, &cursor);
	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(cursor, &key, &val, MDB_SET_RANGE);
	if (newest_first)	/* *SEQ was the last one seen: that before it */
		rc = mdb_cursor_get(cursor, &key, &val, rc == 0 ? MDB_PREV : MDB_LAST);
	for (int i = 0; rc == 0 && i < WALK_RENEW; i++) {
		memcpy(seq, key.mv_data, sizeof(*seq));
		if (!fn(arg, *seq, store_bytes(val)))
			rc = MDB_NOTFOUND;
		else
			rc = mdb_cursor_get(cursor, &key, &val, newest_first ? MDB_PREV : MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	store_reader_reset(reader);
	if (!newest_first && rc == 0)
		++*seq;
	return rc;
}

int
store_walk(struct store_reader *reader, bool newest_first, store_walk_fn *fn, void *arg)
{
	size_t seq = newest_first ? SIZE_MAX : 0;
	int rc;

	store_guard_enter();
	do {
		rc = walk_some(reader, newest_first, &seq, fn, arg);
	} while (rc == 0);
	store_guard_leave();
	return rc == MDB_NOTFOUND ? 0 : store_error(rc);
}

int
store_get_value(struct store_reader *reader, const char *name, struct bytes *ret_value)
{
	MDB_val key = store_val(name, strlen(name)), val;
	int rc;

	store_guard_enter();
	rc = take_snapshot(reader);
	if (rc == 0)
		rc = mdb_get(reader->txn, reader->store->meta, &key, &val);
	store_guard_leave();
	if (rc == MDB_NOTFOUND)
		return STORE_E_MISS;
	if (rc == 0)
		*ret_value = store_bytes(val);
	return store_error(rc);
}

struct lag {
	size_t	txn;		/* the last one committed */
	int	pid;		/* of the reader that lags most */
	size_t	most;
};

/* A line of mdb_reader_list(): process, thread, transaction; "-" while it has none. */
static int
see_reader(const char *line, void *arg)
{
	struct bytes rest = bytes_trim(bytes_first(bytes_str(line), strcspn(line, "\n")));
	struct lag *lag = arg;
	uint64_t pid, txn;
	struct bytes words[3] = { { 0 } };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		words[i] = bytes_cut(&rest, ' ');
		rest = bytes_trim(rest);
	}
	if (num_parse_u64(words[0], &pid) != 0 || num_parse_u64(words[2], &txn) != 0)
		return 0;
	/* Our own are reset each turn: what they hold is as good as free. */
	if ((pid_t)pid != getpid() && txn < lag->txn && lag->txn - txn > lag->most) {
		lag->most = lag->txn - txn;
		lag->pid = (int)pid;
	}
	return 0;
}

int
store_find_slow_reader(struct store *store, int *ret_pid)
{
	struct lag lag = { 0 };
	MDB_envinfo info;
	MDB_stat stat;
	int rc = mdb_env_info(store->env, &info);

	if (rc == 0)
		rc = mdb_env_stat(store->env, &stat);
	if (rc != 0)
		return rc;
	lag.txn = info.me_last_txnid;
	if (mdb_reader_list(store->env, see_reader, &lag) < 0)
		return EIO;
	if ((info.me_last_pgno + 1) * stat.ms_psize > store->options.size / 100 * STORE_FILE_LARGE)
		*ret_pid = lag.most > LAG_MAX_LARGE ? lag.pid : 0;
	else
		*ret_pid = lag.most > LAG_MAX ? lag.pid : 0;
	return 0;
}

int
store_check_readers(struct store *store, int *ret_pid)
{
	int dead = 0, rc;

	*ret_pid = 0;
	if (store->env == NULL)
		return -EIO;
	store_guard_enter();
	rc = store_find_slow_reader(store, ret_pid);
	store_guard_leave();
	if (rc == 0 && *ret_pid != 0)
		rc = mdb_reader_check(store->env, &dead);
	if (dead > 0)
		*ret_pid = 0;
	return store_error(rc);
}

/* LMDB itself would make the copy for everybody to read (H-62). */
int
store_copy_compact(struct store *store, const char *dir)
{
	int fd, r;

	if (store->env == NULL)
		return -EIO;
	r = store_file_create(dir, &fd);
	if (r < 0)
		return r;
	store_guard_enter();
	r = store_error(mdb_env_copyfd2(store->env, fd, MDB_CP_COMPACT));
	store_guard_leave();
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int
pages_of(MDB_txn *txn, MDB_dbi table, uint64_t *pages, MDB_stat *ret_stat)
{
	int rc = mdb_stat(txn, table, ret_stat);

	if (rc == 0)
		*pages += ret_stat->ms_branch_pages + ret_stat->ms_leaf_pages +
		    ret_stat->ms_overflow_pages;
	return rc;
}

/* Pages that hold something: the tables and the list of free pages (table 0). */
int
store_count_used(const struct store *store, MDB_txn *txn, uint64_t *ret_bytes,
    uint64_t *ret_entries)
{
	const MDB_dbi tables[] = { 0, store->meta, store->index, store->entries };
	uint64_t pages = 0;
	MDB_stat stat = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		int rc = pages_of(txn, tables[i], &pages, &stat);

		if (rc != 0)
			return rc;
	}
	*ret_bytes = pages * stat.ms_psize;
	*ret_entries = stat.ms_entries;
	return 0;
}

static int
read_stat(struct store *store, struct store_stat *stat)
{
	MDB_envinfo info;
	MDB_stat page;
	MDB_txn *txn;
	int rc = store_begin_read(store, &txn);

	if (rc != 0)
		return rc;
	rc = store_count_used(store, txn, &stat->used_bytes, &stat->entries);
	mdb_txn_abort(txn);
	if (rc == 0)
		rc = mdb_env_info(store->env, &info);
	if (rc == 0)
		rc = mdb_env_stat(store->env, &page);
	if (rc == 0)
		stat->file_bytes = (info.me_last_pgno + 1) * page.ms_psize;
	return rc;
}

int
store_get_stat(struct store *store, struct store_stat *ret_stat)
{
	struct store_stat stat = {
		.evicted = atomic_load_explicit(&store->evicted, memory_order_relaxed),
		.expired = atomic_load_explicit(&store->expired, memory_order_relaxed),
		.damaged = atomic_load_explicit(&store->damaged, memory_order_relaxed),
	};
	int rc;

	pthread_mutex_lock(&store->lock);
	store_guard_enter();
	rc = read_stat(store, &stat);
	store_guard_leave();
	pthread_mutex_unlock(&store->lock);
	if (rc == 0)
		*ret_stat = stat;
	return store_error(rc);
}
