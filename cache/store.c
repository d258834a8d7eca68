/* SPDX-License-Identifier: MIT */
/*
 * store.c - LMDB, behind keys and entries.  Its return codes end here.
 */
#include "cache/store.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <lmdb.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cache/store_file.h"

#define TABLES			3
#define READERS_SPARE		64
#define MAP_SIZE_MIN		((size_t)256 << 30)
#define MAP_PER_SIZE		64
#define ENCODED_MAX		((size_t)64 << 20)	/* H-60 */
#define ENTRY_SHARE		4			/* one entry fills at most this part */
#define EVICT_ABOVE		90			/* percent of the bound */
#define EVICT_DOWN_TO		85
#define EVICT_PER_PUT		4
#define EVICT_BASE		64

struct store {
	MDB_env		*env;
	MDB_dbi		 index;
	MDB_dbi		 entries;
	MDB_dbi		 meta;
	struct buf	 encoded;	/* the scribe's scratch */
	unsigned char	 secret[KEY_SECRET_LEN];
	uint64_t	 size;
	int		 lock_fd;
	_Atomic uint64_t evicted;
	_Atomic uint64_t expired;
	_Atomic uint64_t damaged;
};

struct store_reader {
	struct store	*store;
	MDB_txn		*txn;		/* NULL until first used */
	bool		 is_live;	/* holds a snapshot */
};

/* Its own codes have no errno. */
static int
error_of(int rc)
{
	return rc > 0 ? -rc : rc == 0 ? 0 : -EIO;
}

static bool
means_damage(int rc)
{
	return rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH || rc == MDB_CORRUPTED ||
	    rc == MDB_PAGE_NOTFOUND || rc == MDB_PANIC || rc == MDB_INCOMPATIBLE;
}

static MDB_val
val_of(const void *p, size_t len)
{
	return (MDB_val){ len, (void *)(uintptr_t)p };
}

static struct bytes
bytes_of(MDB_val val)
{
	return (struct bytes){ val.mv_data, val.mv_size };
}

/* The map costs address space alone: as much as there is, so that it never grows (H-51). */
static int
open_env(struct store *store, const struct store_options *options)
{
	size_t map_size = options->size > MAP_SIZE_MIN / MAP_PER_SIZE ?
	    options->size * MAP_PER_SIZE : MAP_SIZE_MIN;
	int rc;

	for (;;) {
		rc = mdb_env_create(&store->env);
		if (rc == 0)
			rc = mdb_env_set_maxdbs(store->env, TABLES);
		if (rc == 0)
			rc = mdb_env_set_maxreaders(store->env, options->readers + READERS_SPARE);
		if (rc == 0)
			rc = mdb_env_set_mapsize(store->env, map_size);
		if (rc == 0)
			rc = mdb_env_open(store->env, options->path,
			    MDB_NOTLS | MDB_NOMETASYNC | MDB_NORDAHEAD, 0600);
		if (rc == 0)
			return 0;
		mdb_env_close(store->env);
		store->env = NULL;
		if (rc != ENOMEM || map_size / 2 < options->size * 2)
			return rc;
		map_size /= 2;
	}
}

static int
make_meta(struct store *store, MDB_txn *txn)
{
	const uint32_t format = ENTRY_FORMAT;
	MDB_val key = val_of("format", 6), val = val_of(&format, sizeof(format));
	int rc;

	if (getrandom(store->secret, sizeof(store->secret), 0) != (ssize_t)sizeof(store->secret))
		return errno;
	rc = mdb_put(txn, store->meta, &key, &val, 0);
	if (rc != 0)
		return rc;
	key = val_of("secret", 6);
	val = val_of(store->secret, sizeof(store->secret));
	return mdb_put(txn, store->meta, &key, &val, 0);
}

static int
read_meta(struct store *store, MDB_txn *txn)
{
	MDB_val key = val_of("format", 6), val;
	uint32_t format;
	int rc = mdb_get(txn, store->meta, &key, &val);

	if (rc != 0 || val.mv_size != sizeof(format))
		return rc == 0 || rc == MDB_NOTFOUND ? MDB_INVALID : rc;
	memcpy(&format, val.mv_data, sizeof(format));
	if (format != ENTRY_FORMAT)
		return MDB_VERSION_MISMATCH;
	key = val_of("secret", 6);
	rc = mdb_get(txn, store->meta, &key, &val);
	if (rc != 0 || val.mv_size != sizeof(store->secret))
		return rc == 0 || rc == MDB_NOTFOUND ? MDB_INVALID : rc;
	memcpy(store->secret, val.mv_data, sizeof(store->secret));
	return 0;
}

static int
open_tables(struct store *store)
{
	MDB_txn *txn;
	MDB_stat stat;
	int rc = mdb_txn_begin(store->env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	rc = mdb_dbi_open(txn, "meta", MDB_CREATE, &store->meta);
	if (rc == 0)
		rc = mdb_dbi_open(txn, "index", MDB_CREATE, &store->index);
	if (rc == 0)
		rc = mdb_dbi_open(txn, "entries", MDB_CREATE | MDB_INTEGERKEY, &store->entries);
	if (rc == 0)
		rc = mdb_stat(txn, store->meta, &stat);
	if (rc == 0)
		rc = stat.ms_entries == 0 ? make_meta(store, txn) : read_meta(store, txn);
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

/* 0 or LMDB's code; nothing stays open on failure. */
static int
open_file(struct store *store, const struct store_options *options)
{
	int dead, rc = open_env(store, options);

	if (rc != 0)
		return rc;
	(void)mdb_reader_check(store->env, &dead);
	rc = open_tables(store);
	if (rc != 0) {
		mdb_env_close(store->env);
		store->env = NULL;
	}
	return rc;
}

static int
open_or_set_aside(struct store *store, const struct store_options *options,
    const char **ret_set_aside)
{
	const char *fault = store_file_fault(options->path);
	int r, rc = 0;

	if (fault == NULL) {
		rc = open_file(store, options);
		if (!means_damage(rc))
			return error_of(rc);
		fault = rc == MDB_VERSION_MISMATCH ? "it has another format" : "it is damaged";
	}
	r = store_file_set_aside(options->path);
	if (r < 0)
		return r;
	*ret_set_aside = fault;
	return error_of(open_file(store, options));
}

int
store_open(const struct store_options *options, struct store **ret_store,
    const char **ret_set_aside)
{
	struct store *store = xcalloc(1, sizeof(*store));
	const char *set_aside = NULL;
	int r;

	store->lock_fd = -1;
	store->size = options->size;
	buf_init(&store->encoded, ENCODED_MAX);
	r = store_file_make_dir(options->path);
	if (r == 0)
		r = store_file_lock(options->path, &store->lock_fd);
	if (r == STORE_FILE_E_LOCKED) {
		store_close(store);
		return STORE_E_LOCKED;
	}
	if (r == 0)
		r = open_or_set_aside(store, options, &set_aside);
	if (r < 0) {
		store_close(store);
		return r;
	}
	*ret_store = store;
	*ret_set_aside = set_aside;
	return 0;
}

struct store *
store_close(struct store *store)
{
	if (store == NULL)
		return NULL;
	mdb_env_close(store->env);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	buf_done(&store->encoded);
	explicit_bzero(store->secret, sizeof(store->secret));
	return xfree(store);
}

const unsigned char *
store_secret(const struct store *store)
{
	return store->secret;
}

struct store_reader *
store_reader_open(struct store *store)
{
	struct store_reader *reader = xcalloc(1, sizeof(*reader));

	reader->store = store;
	return reader;
}

struct store_reader *
store_reader_close(struct store_reader *reader)
{
	if (reader == NULL)
		return NULL;
	mdb_txn_abort(reader->txn);
	return xfree(reader);
}

static int
take_snapshot(struct store_reader *reader)
{
	int rc;

	if (reader->is_live)
		return 0;
	if (reader->txn == NULL)
		rc = mdb_txn_begin(reader->store->env, NULL, MDB_RDONLY, &reader->txn);
	else
		rc = mdb_txn_renew(reader->txn);
	reader->is_live = rc == 0;
	return rc;
}

int
store_get(struct store_reader *reader, const struct key *key, struct bytes question,
    struct entry *ret_entry)
{
	struct store *store = reader->store;
	MDB_val k = val_of(key->bytes, sizeof(key->bytes)), seq, val;
	struct entry entry;
	int rc = take_snapshot(reader);

	if (rc == 0)
		rc = mdb_get(reader->txn, store->index, &k, &seq);
	if (rc == 0)
		rc = mdb_get(reader->txn, store->entries, &seq, &val);
	if (rc == MDB_NOTFOUND)
		return STORE_E_MISS;
	if (rc != 0)
		return error_of(rc);
	if (entry_decode(bytes_of(val), &entry) != 0) {
		atomic_fetch_add_explicit(&store->damaged, 1, memory_order_relaxed);
		return STORE_E_MISS;
	}
	if (!bytes_eq(entry.question, question))
		return STORE_E_MISS;
	*ret_entry = entry;
	return 0;
}

void
store_reader_reset(struct store_reader *reader)
{
	if (reader->is_live)
		mdb_txn_reset(reader->txn);
	reader->is_live = false;
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
static int
count_used(const struct store *store, MDB_txn *txn, uint64_t *ret_bytes, uint64_t *ret_entries)
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

/* Take the row of KEY out of the index, if it still points to SEQ. */
static int
unindex(const struct store *store, MDB_txn *txn, const struct key *key, MDB_val seq)
{
	MDB_val k = val_of(key->bytes, sizeof(key->bytes)), current;
	int rc = mdb_get(txn, store->index, &k, &current);

	if (rc == 0 && current.mv_size == seq.mv_size &&
	    memcmp(current.mv_data, seq.mv_data, seq.mv_size) == 0)
		rc = mdb_del(txn, store->index, &k, NULL);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Delete the oldest entry if it is expired or IS_FORCED; MDB_NOTFOUND if it stays. */
static int
delete_oldest(struct store *store, MDB_txn *txn, MDB_cursor *cursor, usec_t now, bool is_forced)
{
	bool is_expired = false;
	struct entry entry;
	MDB_val seq, val;
	int rc = mdb_cursor_get(cursor, &seq, &val, MDB_FIRST);

	if (rc != 0)
		return rc;
	if (entry_decode(bytes_of(val), &entry) == 0) {
		is_expired = entry.made <= now - entry.ttl;
		if (!is_expired && !is_forced)
			return MDB_NOTFOUND;
		rc = unindex(store, txn, &entry.key, seq);
	}
	if (rc == 0)
		rc = mdb_cursor_del(cursor, 0);
	if (rc == 0)
		atomic_fetch_add_explicit(is_expired ? &store->expired : &store->evicted, 1,
		    memory_order_relaxed);
	return rc;
}

/* Make room: what is expired at the old end, and as many more as the bound demands. */
static int
evict(struct store *store, MDB_txn *txn, size_t deletes_max, usec_t now)
{
	uint64_t percent = store->size / 100, used, n_entries;
	bool is_over = false;
	MDB_cursor *cursor = NULL;
	int rc = mdb_cursor_open(txn, store->entries, &cursor);

	for (size_t i = 0; rc == 0 && i < deletes_max; i++) {
		rc = count_used(store, txn, &used, &n_entries);
		if (rc != 0)
			break;
		is_over = used > percent * (is_over ? EVICT_DOWN_TO : EVICT_ABOVE);
		rc = delete_oldest(store, txn, cursor, now, is_over);
	}
	if (cursor != NULL)
		mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
next_seq(const struct store *store, MDB_txn *txn, size_t *ret_seq)
{
	MDB_cursor *cursor;
	MDB_val seq, val;
	int rc = mdb_cursor_open(txn, store->entries, &cursor);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(cursor, &seq, &val, MDB_LAST);
	*ret_seq = 1;
	if (rc == 0) {
		memcpy(ret_seq, seq.mv_data, sizeof(*ret_seq));
		++*ret_seq;
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
put_bytes(struct store *store, MDB_txn *txn, const struct key *key, size_t seq,
    struct bytes encoded)
{
	MDB_val k = val_of(key->bytes, sizeof(key->bytes)), old;
	MDB_val s = val_of(&seq, sizeof(seq)), val = val_of(encoded.ptr, encoded.len);
	int rc = mdb_get(txn, store->index, &k, &old);

	if (rc == 0) {
		size_t old_seq;

		memcpy(&old_seq, old.mv_data, sizeof(old_seq));
		old = val_of(&old_seq, sizeof(old_seq));
		rc = mdb_del(txn, store->entries, &old, NULL);
	}
	if (rc == 0 || rc == MDB_NOTFOUND)
		rc = mdb_put(txn, store->entries, &s, &val, MDB_APPEND);
	return rc == 0 ? mdb_put(txn, store->index, &k, &s, 0) : rc;
}

/* One too large for the bound is left out: it would push out all others. */
static int
put_entry(struct store *store, MDB_txn *txn, const struct entry *entry, size_t *seq)
{
	int rc;

	if (entry_encoded_len(entry) > store->size / ENTRY_SHARE)
		return 0;
	buf_consume(&store->encoded, buf_len(&store->encoded));
	if (entry_encode(entry, &store->encoded) < 0)
		return 0;
	rc = put_bytes(store, txn, &entry->key, *seq, buf_bytes(&store->encoded));
	if (rc == 0)
		++*seq;
	return rc;
}

int
store_put(struct store *store, const struct entry *entries, size_t n, usec_t now)
{
	MDB_txn *txn;
	size_t seq;
	int rc = mdb_txn_begin(store->env, NULL, 0, &txn);

	if (rc != 0)
		return error_of(rc);
	rc = next_seq(store, txn, &seq);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = put_entry(store, txn, &entries[i], &seq);
	if (rc == 0)
		rc = evict(store, txn, EVICT_PER_PUT * n + EVICT_BASE, now);
	if (rc == 0)
		rc = mdb_txn_commit(txn);
	else
		mdb_txn_abort(txn);
	return rc == MDB_MAP_FULL ? STORE_E_FULL : error_of(rc);
}

int
store_get_stat(struct store *store, struct store_stat *ret_stat)
{
	struct store_stat stat = {
		.evicted = atomic_load_explicit(&store->evicted, memory_order_relaxed),
		.expired = atomic_load_explicit(&store->expired, memory_order_relaxed),
		.damaged = atomic_load_explicit(&store->damaged, memory_order_relaxed),
	};
	MDB_txn *txn;
	int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);

	if (rc != 0)
		return error_of(rc);
	rc = count_used(store, txn, &stat.used_bytes, &stat.entries);
	mdb_txn_abort(txn);
	if (rc != 0)
		return error_of(rc);
	*ret_stat = stat;
	return 0;
}
