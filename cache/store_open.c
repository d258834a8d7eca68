/* SPDX-License-Identifier: MIT */
/*
 * store_open.c - a directory becomes a store: locked, looked at, mapped, tried.
 *
 * LMDB trusts its file, so it is tried before anybody depends on it: the meta
 * pages by hand, then a sample of entries, under the eyes of store_guard.  A
 * marker that is there at the start says that the file ended the process that
 * had it open (H-54).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"
#include "cache/store_file.h"
#include "cache/store_guard.h"
#include "cache/store_priv.h"

#define TABLES			4
#define READERS_SPARE		64
#define MAP_SIZE_MIN		((size_t)256 << 30)
#define MAP_PER_SIZE		64
#define ENCODED_MAX		((size_t)64 << 20)	/* H-60 */
#define SAMPLE_MAX		500			/* entries tried from each end */
#define SAMPLE_BYTES		((size_t)4 << 20)

int
store_error(int rc)
{
	return rc > 0 ? -rc : rc == 0 ? 0 : -EIO;
}

static bool
means_damage(int rc)
{
	return rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH || rc == MDB_CORRUPTED ||
	    rc == MDB_PAGE_NOTFOUND || rc == MDB_PANIC || rc == MDB_INCOMPATIBLE;
}

/* LMDB would abort; that is how it ends us when it finds a page that cannot be. */
static void
on_assert(MDB_env *env, const char *message)
{
	(void)env;
	(void)message;
	store_guard_give_up();
}

static int
create_env(struct store *store, size_t map_size, unsigned flags)
{
	int rc = mdb_env_create(&store->env);

	if (rc != 0)
		return rc;
	mdb_env_set_assert(store->env, on_assert);
	rc = mdb_env_set_maxdbs(store->env, TABLES);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(store->env, store->options.readers + READERS_SPARE);
	if (rc == 0)
		rc = mdb_env_set_mapsize(store->env, map_size);
	if (rc == 0)
		rc = mdb_env_open(store->env, store->path, flags, 0600);
	if (rc != 0)
		store_env_close(store);
	return rc;
}

/* The map costs address space alone: as much as there is, so that it never grows (H-51). */
static int
open_env(struct store *store, unsigned flags)
{
	size_t map_size = store->options.size > MAP_SIZE_MIN / MAP_PER_SIZE ?
	    store->options.size * MAP_PER_SIZE : MAP_SIZE_MIN;
	int rc;

	if (store->options.map_size != 0)
		return create_env(store, store->options.map_size, flags);
	rc = create_env(store, map_size, flags);
	while (rc == ENOMEM && map_size / 2 >= store->options.size * 2) {
		map_size /= 2;
		rc = create_env(store, map_size, flags);
	}
	return rc;
}

void
store_env_close(struct store *store)
{
	store_guard_enter();
	mdb_env_close(store->env);
	store_guard_leave();
	store->env = NULL;
}

static int
make_meta(struct store *store, MDB_txn *txn)
{
	const uint32_t format = STORE_FORMAT;
	MDB_val key = store_val("format", 6), val = store_val(&format, sizeof(format));
	int rc;

	/* A file that takes the place of a wedged one has its secret: keys are in use. */
	if (!store->has_secret &&
	    getrandom(store->secret, sizeof(store->secret), 0) != (ssize_t)sizeof(store->secret))
		return errno;
	store->has_secret = true;
	rc = mdb_put(txn, store->meta, &key, &val, 0);
	if (rc != 0)
		return rc;
	key = store_val("secret", 6);
	val = store_val(store->secret, sizeof(store->secret));
	return mdb_put(txn, store->meta, &key, &val, 0);
}

static int
read_meta(struct store *store, MDB_txn *txn)
{
	MDB_val key = store_val("format", 6), val;
	uint32_t format;
	int rc = mdb_get(txn, store->meta, &key, &val);

	if (rc != 0 || val.mv_size != sizeof(format))
		return rc == 0 || rc == MDB_NOTFOUND ? MDB_INVALID : rc;
	memcpy(&format, val.mv_data, sizeof(format));
	store->found_format = format;
	if (format != STORE_FORMAT)
		return MDB_VERSION_MISMATCH;
	key = store_val("secret", 6);
	rc = mdb_get(txn, store->meta, &key, &val);
	if (rc != 0 || val.mv_size != sizeof(store->secret))
		return rc == 0 || rc == MDB_NOTFOUND ? MDB_INVALID : rc;
	if (!store->has_secret)
		memcpy(store->secret, val.mv_data, sizeof(store->secret));
	store->has_secret = true;
	return memcmp(store->secret, val.mv_data, sizeof(store->secret)) == 0 ? 0 : MDB_INVALID;
}

static int
open_tables(struct store *store, MDB_txn *txn, unsigned create)
{
	MDB_stat stat;
	int rc = mdb_dbi_open(txn, "meta", create, &store->meta);

	if (rc == 0)
		rc = mdb_dbi_open(txn, "index", create, &store->index);
	if (rc == 0)
		rc = mdb_dbi_open(txn, "entries", create | MDB_INTEGERKEY, &store->entries);
	if (rc == 0)
		rc = mdb_stat(txn, store->meta, &stat);
	if (rc == MDB_NOTFOUND)
		return MDB_INVALID;
	if (rc != 0)
		return rc;
	return stat.ms_entries == 0 && create != 0 ? make_meta(store, txn) : read_meta(store, txn);
}

int
store_env_open(struct store *store, unsigned flags)
{
	unsigned create = (flags & MDB_RDONLY) != 0 ? 0 : MDB_CREATE;
	int dead, rc = open_env(store, flags);
	MDB_txn *txn;

	if (rc != 0)
		return rc;
	(void)mdb_reader_check(store->env, &dead);
	rc = mdb_txn_begin(store->env, NULL, flags & MDB_RDONLY, &txn);
	if (rc == 0) {
		rc = open_tables(store, txn, create);
		if (rc == 0)
			rc = mdb_txn_commit(txn);
		else
			mdb_txn_abort(txn);
	}
	if (rc != 0)
		store_env_close(store);
	return rc;
}

/* Read some entries from one end; what lies in them is their own checksum's matter. */
static int
sample_from(MDB_cursor *cursor, MDB_cursor_op first, MDB_cursor_op next)
{
	size_t bytes = 0;
	struct entry entry;
	MDB_val seq, val;
	int rc = mdb_cursor_get(cursor, &seq, &val, first);

	for (int i = 0; rc == 0 && i < SAMPLE_MAX && bytes < SAMPLE_BYTES; i++) {
		bytes += val.mv_size;
		if (seq.mv_size != sizeof(size_t))
			return MDB_CORRUPTED;
		(void)!entry_decode(store_bytes(val), &entry);
		rc = mdb_cursor_get(cursor, &seq, &val, next);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
try_sample(struct store *store)
{
	MDB_cursor *cursor;
	MDB_txn *txn;
	int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_open(txn, store->entries, &cursor);
	if (rc == 0) {
		rc = sample_from(cursor, MDB_FIRST, MDB_NEXT);
		if (rc == 0)
			rc = sample_from(cursor, MDB_LAST, MDB_PREV);
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return rc;
}

static unsigned
flags_of(const struct store *store)
{
	return MDB_NOTLS | MDB_NORDAHEAD | (store->options.is_strict ? 0 : MDB_NOMETASYNC);
}

static int
open_and_try(struct store *store)
{
	bool is_armed = store_guard_arm(store->path);
	int rc;

	store_guard_enter();
	rc = store_env_open(store, flags_of(store));
	if (rc == 0) {
		rc = try_sample(store);
		if (rc != 0)
			store_env_close(store);
	}
	store_guard_leave();
	if (is_armed)
		store_guard_disarm();
	return rc;
}

/* LMDB's own mismatch is seen before it is opened: this is one of ours. */
static const char *
name_formats(struct store *store)
{
	snprintf(store->why, sizeof(store->why),
	    "it has format %" PRIu32 ", this version has %d", store->found_format, STORE_FORMAT);
	return store->why;
}

static int
open_or_set_aside(struct store *store, const char **ret_set_aside)
{
	const char *fault = store_file_fault(store->path);
	int r, rc = 0;

	if (store_guard_is_marked(store->path) && store_file_exists(store->path))
		fault = "it ended the process that read it";
	if (fault == NULL) {
		r = store_guard_try(store->path);
		if (r < 0)
			return r;
		rc = open_and_try(store);
		store_guard_unmark(store->path);
		if (!means_damage(rc))
			return store_error(rc);
		fault = rc == MDB_VERSION_MISMATCH ? name_formats(store) : "it is damaged";
	}
	r = store_file_set_aside(store->path);
	if (r < 0)
		return r;
	store_guard_unmark(store->path);
	*ret_set_aside = fault;
	return store_error(open_and_try(store));
}

static struct store *
store_new(const struct store_options *options)
{
	struct store *store = xcalloc(1, sizeof(*store));

	store->options = *options;
	store->grace = options->grace;
	store->path = xstrdup(options->path);
	store->options.path = store->path;
	store->lock_fd = -1;
	store->sieve = sieve_new();
	buf_init(&store->encoded, ENCODED_MAX);
	pthread_mutex_init(&store->lock, NULL);
	return store;
}

/* A disk that takes nothing may still have something to give (F8). */
static int
open_read_only(struct store *store)
{
	if (store_file_fault(store->path) != NULL || store_guard_is_marked(store->path))
		return -EROFS;
	store->is_read_only = true;
	return store_error(store_env_open(store, MDB_NOTLS | MDB_RDONLY | MDB_NOLOCK));
}

int
store_open(const struct store_options *options, struct store **ret_store,
    const char **ret_set_aside)
{
	struct store *store = store_new(options);
	const char *set_aside = NULL;
	int r;

	r = store_file_make_dir(options->path);
	if (r == 0)
		r = store_file_lock(options->path, options->lock_fd, &store->lock_fd);
	if (r == STORE_FILE_E_LOCKED) {
		store_close(store);
		return STORE_E_LOCKED;
	}
	if (r == 0)
		r = open_or_set_aside(store, &set_aside);
	if (r == -EROFS || r == -EACCES)
		r = open_read_only(store);
	if (r < 0) {
		store_close(store);
		return r;
	}
	*ret_store = store;
	*ret_set_aside = set_aside;
	return 0;
}

int
store_attach(const struct store_options *options, bool writes, struct store **ret_store)
{
	struct store *store;
	int rc;

	if (!store_file_exists(options->path))
		return STORE_E_NONE;
	if (store_file_fault(options->path) != NULL)
		return STORE_E_FOREIGN;
	store = store_new(options);
	store->is_read_only = !writes;
	rc = store_env_open(store, writes ? flags_of(store) : MDB_NOTLS | MDB_RDONLY);
	if (rc == EROFS || (rc == EACCES && !writes))
		rc = store_env_open(store, MDB_NOTLS | MDB_RDONLY | MDB_NOLOCK);
	if (rc != 0) {
		store_close(store);
		return means_damage(rc) ? STORE_E_FOREIGN : store_error(rc);
	}
	*ret_store = store;
	return 0;
}

int
store_lock_fd(const struct store *store)
{
	return store->lock_fd;
}

void
store_set_grace(struct store *store, usec_t grace)
{
	atomic_store_explicit(&store->grace, grace, memory_order_relaxed);
}

struct store *
store_close(struct store *store)
{
	if (store == NULL)
		return NULL;
	assert(store->readers == NULL);
	store_env_close(store);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	buf_done(&store->encoded);
	sieve_free(store->sieve);
	pthread_mutex_destroy(&store->lock);
	explicit_bzero(store->secret, sizeof(store->secret));
	xfree(store->path);
	return xfree(store);
}

/* Readers are between turns most of the time; one that is not will be soon. */
static void
take_reader(struct store_reader *reader)
{
	int idle = READER_IDLE;

	while (!atomic_compare_exchange_weak_explicit(&reader->state, &idle, READER_TAKEN,
	    memory_order_acquire, memory_order_relaxed)) {
		idle = READER_IDLE;
		usleep(100);
	}
	mdb_txn_abort(reader->txn);
	reader->txn = NULL;
}

/*
 * The old environment goes first: closing one of two on the same file would drop
 * the locks of both (H-57).
 */
int
store_reopen(struct store *store)
{
	int rc;

	pthread_mutex_lock(&store->lock);
	for (struct store_reader *r = store->readers; r != NULL; r = r->next)
		take_reader(r);
	if (store->env != NULL)
		store_env_close(store);
	if (store->is_wedged)
		(void)!store_file_set_aside(store->path);
	store->is_wedged = false;
	store_guard_enter();
	rc = store_env_open(store, flags_of(store));
	/* Until it can be written again, what it holds is served (F7). */
	if (rc != 0)
		(void)!store_env_open(store, MDB_NOTLS | MDB_RDONLY);
	store_guard_leave();
	atomic_store_explicit(&store->is_broken, rc != 0, memory_order_release);
	for (struct store_reader *r = store->readers; r != NULL; r = r->next)
		atomic_store_explicit(&r->state, READER_IDLE, memory_order_release);
	pthread_mutex_unlock(&store->lock);
	return store_error(rc);
}
