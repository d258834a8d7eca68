/* SPDX-License-Identifier: MIT */
/*
 * store_write.c - writing entries, and making room for them.
 *
 * Room is made in transactions of their own: what one frees, the next may use.
 * Their size is that of a batch, so that a batch costs two commits; when even
 * that finds no pages, one deletion each (H-50).
 *
 * Large entries want pages in a row, and the file grows when there are none.
 * Arrival order is disk order as long as the hand takes everything on its way:
 * so where the file is too large it does, whoever was asked for.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "cache/store_guard.h"
#include "cache/store_priv.h"

#define ENTRY_SHARE	16	/* one entry fills at most this part of the bound */
#define EVICT_ABOVE	90	/* percent of the bound */
#define EVICT_DOWN_TO	85
#define FILE_ABOVE	105	/* percent of the bound the file may be, before ... */
#define FILE_DOWN_TO	75	/* ... room is made down to here, for pages in a row */
#define DELETES_MAX	1000	/* in a transaction */
#define LOOKS_MAX	4096	/* entries the hand looks at in one */
#define ROUNDS_MAX	1000	/* transactions to make room for one batch */
#define BATCH_SHARE	8
#define PAGE_SIZE	4096
#define PAGE_HALF	2000
#define ROW_OVERHEAD	100	/* of an entry beside its bytes, its row in the index included */
#define BATCH_OVERHEAD	((uint64_t)16 * PAGE_SIZE)
#define LAST_RESORT	256	/* deletions, one each in a transaction */
#define RESCUES_MAX	3

struct hand {
	struct store	*store;
	MDB_txn		*txn;
	MDB_cursor	*cursor;
	struct purge	*purge;
	usec_t		 now;
	unsigned	 n_deleted;
	unsigned	 deletes_max;
	bool		 spares;	/* what was asked for */
};

/* Take the row of KEY out of the index, if it still points to SEQ. */
static int
unindex(const struct store *store, MDB_txn *txn, const struct key *key, MDB_val seq)
{
	MDB_val k = store_val(key->bytes, sizeof(key->bytes)), current;
	int rc = mdb_get(txn, store->index, &k, &current);

	if (rc == 0 && current.mv_size == seq.mv_size &&
	    memcmp(current.mv_data, seq.mv_data, seq.mv_size) == 0)
		rc = mdb_del(txn, store->index, &k, NULL);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Delete the entry the cursor is at, which ENTRY tells of unless it is damaged. */
static int
delete_here(struct hand *hand, MDB_val seq, const struct entry *entry)
{
	int rc = entry != NULL ? unindex(hand->store, hand->txn, &entry->key, seq) : 0;

	hand->n_deleted++;
	return rc == 0 ? mdb_cursor_del(hand->cursor, 0) : rc;
}

static bool
is_over(const struct hand *hand, const struct entry *entry)
{
	usec_t grace = atomic_load_explicit(&hand->store->grace, memory_order_relaxed);

	return entry->made <= hand->now - entry->ttl - grace ||
	    (hand->purge != NULL && purge_hits(hand->purge, entry));
}

/* What is over at the old end goes, room or no room. */
static int
sweep_oldest(struct hand *hand)
{
	MDB_val seq, val;
	struct entry entry;
	int rc = 0;

	while (rc == 0 && hand->n_deleted < hand->deletes_max) {
		rc = mdb_cursor_get(hand->cursor, &seq, &val, MDB_FIRST);
		if (rc != 0 || entry_peek(store_bytes(val), &entry) != 0 ||
		    !is_over(hand, &entry))
			break;
		rc = delete_here(hand, seq, &entry);
		atomic_fetch_add_explicit(&hand->store->expired, 1, memory_order_relaxed);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Judge the entry the hand is at; what was asked for is spared, once. */
static int
judge_here(struct hand *hand, MDB_val seq_val, MDB_val val)
{
	struct store *store = hand->store;
	struct entry entry;
	uint64_t seq;

	memcpy(&seq, seq_val.mv_data, sizeof(seq));
	if (entry_peek(store_bytes(val), &entry) != 0)
		return delete_here(hand, seq_val, NULL);
	if (is_over(hand, &entry)) {
		atomic_fetch_add_explicit(&store->expired, 1, memory_order_relaxed);
		return delete_here(hand, seq_val, &entry);
	}
	if (sieve_pass(store->sieve, seq) && hand->spares)
		return 0;
	atomic_fetch_add_explicit(&store->evicted, 1, memory_order_relaxed);
	return delete_here(hand, seq_val, &entry);
}

/* Walk from where the hand stands, around at the new end, until enough has gone. */
static int
move_hand(struct hand *hand, uint64_t target)
{
	uint64_t used = UINT64_MAX, n_entries = 1;
	MDB_val seq, val;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < LOOKS_MAX && hand->n_deleted < hand->deletes_max; i++) {
		rc = store_count_used(hand->store, hand->txn, &used, &n_entries);
		if (rc != 0 || used <= target || n_entries == 0)
			break;
		seq = store_val(&hand->store->hand, sizeof(hand->store->hand));
		rc = mdb_cursor_get(hand->cursor, &seq, &val, MDB_SET_RANGE);
		if (rc == MDB_NOTFOUND)
			rc = mdb_cursor_get(hand->cursor, &seq, &val, MDB_FIRST);
		if (rc != 0)
			break;
		memcpy(&hand->store->hand, seq.mv_data, sizeof(hand->store->hand));
		hand->store->hand++;
		rc = judge_here(hand, seq, val);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
sweep_and_move(struct hand *hand, uint64_t target)
{
	int rc = mdb_cursor_open(hand->txn, hand->store->entries, &hand->cursor);

	if (rc != 0)
		return rc;
	hand->purge = store_read_marks(hand->store, hand->txn);
	rc = sweep_oldest(hand);
	if (rc == 0)
		rc = move_hand(hand, target);
	hand->purge = purge_free(hand->purge);
	mdb_cursor_close(hand->cursor);
	return rc;
}

/* One transaction of making room; MDB_NOTFOUND when there was nothing to do. */
static int
evict_some(struct hand *hand, uint64_t target)
{
	int rc = mdb_txn_begin(hand->store->env, NULL, 0, &hand->txn);

	if (rc != 0)
		return rc;
	hand->n_deleted = 0;
	rc = sweep_and_move(hand, target);
	if (rc == 0 && hand->n_deleted > 0)
		return mdb_txn_commit(hand->txn);
	mdb_txn_abort(hand->txn);
	return rc == 0 ? MDB_NOTFOUND : rc;
}

/* How much is used, and how much of the file there is. */
static int
measure(struct store *store, uint64_t *ret_used, uint64_t *ret_file)
{
	struct store_stat stat;
	int r = store_get_stat(store, &stat);

	if (r < 0)
		return -r;
	*ret_used = stat.used_bytes;
	*ret_file = stat.file_bytes;
	return 0;
}

/* Down to what to make room before NEED bytes more are written; the bound when all is well. */
static uint64_t
target_of(const struct store *store, uint64_t used, bool is_file_large, uint64_t need)
{
	uint64_t percent = store->options.size / 100, target = store->options.size;

	if (used > percent * EVICT_ABOVE)
		target = percent * EVICT_DOWN_TO;
	if (is_file_large && used > percent * EVICT_DOWN_TO)
		target = percent * FILE_DOWN_TO;
	if (need > store->options.size - target)
		target = need < store->options.size ? store->options.size - need : 0;
	return target;
}

/* Room for NEED bytes, as far as it can be had; at most DELETES_MAX at a time. */
static int
make_room(struct store *store, uint64_t need, usec_t now, unsigned deletes_max)
{
	struct hand hand = { .store = store, .now = now, .deletes_max = deletes_max };
	uint64_t used = 0, file = 0, target;
	int rc = measure(store, &used, &file);

	if (rc != 0)
		return rc;
	hand.spares = file <= store->options.size / 100 * FILE_ABOVE;
	target = target_of(store, used, !hand.spares, need);
	for (unsigned i = 0; rc == 0 && i < ROUNDS_MAX; i++) {
		/* What has expired is swept once a batch, room or no room. */
		rc = evict_some(&hand, target);
		if (rc == 0)
			rc = measure(store, &used, &file);
		if (used <= target)
			break;
	}
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
	MDB_val k = store_val(key->bytes, sizeof(key->bytes)), old;
	MDB_val s = store_val(&seq, sizeof(seq)), val = store_val(encoded.ptr, encoded.len);
	int rc = mdb_get(txn, store->index, &k, &old);

	if (rc == 0) {
		size_t old_seq;

		memcpy(&old_seq, old.mv_data, sizeof(old_seq));
		old = store_val(&old_seq, sizeof(old_seq));
		rc = mdb_del(txn, store->entries, &old, NULL);
	}
	if (rc == 0 || rc == MDB_NOTFOUND)
		rc = mdb_put(txn, store->entries, &s, &val, MDB_APPEND);
	sieve_pass(store->sieve, seq);	/* an older one may have had this bit */
	return rc == 0 ? mdb_put(txn, store->index, &k, &s, 0) : rc;
}

static bool
is_too_large(const struct store *store, const struct entry *entry)
{
	return entry_encoded_len(entry) > store->options.size / ENTRY_SHARE;
}

/* One too large for the bound is left out: it would push out all others. */
static int
put_entry(struct store *store, MDB_txn *txn, const struct entry *entry, size_t *seq)
{
	int rc;

	if (is_too_large(store, entry))
		return 0;
	buf_consume(&store->encoded, buf_len(&store->encoded));
	if (entry_encode(entry, &store->encoded) < 0)
		return 0;
	rc = put_bytes(store, txn, &entry->key, *seq, buf_bytes(&store->encoded));
	if (rc == 0)
		++*seq;
	return rc;
}

/* What does not fit beside another in a page takes whole pages of its own. */
static uint64_t
bytes_needed(const struct store *store, const struct entry *entries, size_t n)
{
	uint64_t need = BATCH_OVERHEAD;

	for (size_t i = 0; i < n; i++) {
		size_t len = entry_encoded_len(&entries[i]);

		if (!is_too_large(store, &entries[i]))
			need += len + (len < PAGE_HALF ? ROW_OVERHEAD : PAGE_SIZE);
	}
	return need;
}

size_t
store_batch_max(const struct store *store)
{
	return store->options.size / BATCH_SHARE;
}

static int
put_all(struct store *store, const struct entry *entries, size_t n)
{
	MDB_txn *txn;
	size_t seq;
	int rc = mdb_txn_begin(store->env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	rc = next_seq(store, txn, &seq);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = put_entry(store, txn, &entries[i], &seq);
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

/* The last resort when there are no pages: one deletion at a time, which needs fewest. */
static int
free_one_by_one(struct store *store, usec_t now)
{
	struct hand hand = { .store = store, .now = now, .deletes_max = 1 };
	unsigned n_freed = 0;
	int rc = 0;

	for (unsigned i = 0; i < LAST_RESORT; i++) {
		rc = evict_some(&hand, 0);
		n_freed += rc == 0;
	}
	return n_freed > 0 ? 0 : rc;
}

/* put_all(), and if the map is full in spite of all, as far as one can go (H-50). */
static int
put_or_rescue(struct store *store, const struct entry *entries, size_t n, usec_t now)
{
	int rc = put_all(store, entries, n);

	for (unsigned i = 0; rc == MDB_MAP_FULL && i < RESCUES_MAX; i++) {
		rc = free_one_by_one(store, now);
		if (rc == 0)
			rc = put_all(store, entries, n);
	}
	if (rc == MDB_MAP_FULL) {
		store->is_wedged = true;
		atomic_store_explicit(&store->is_broken, true, memory_order_release);
	}
	return rc;
}

/*
 * LMDB does not say whether a commit failed in writing or in syncing, and after
 * the latter it goes on as if nothing had been; the kernel has then forgotten
 * what it did not write (F4).
 */
static int
note_broken(struct store *store, int rc)
{
	if (rc != 0 && rc != MDB_MAP_FULL)
		atomic_store_explicit(&store->is_broken, true, memory_order_release);
	return rc;
}

/* Is the bound kept when these are written as well? */
static int
check_bound(struct store *store, uint64_t need)
{
	uint64_t used = 0, file = 0;
	int pid = 0, rc = measure(store, &used, &file);

	if (rc == 0 && file > store->options.size / 100 * STORE_FILE_LARGE)
		rc = store_find_slow_reader(store, &pid);
	if (rc != 0)
		return rc;
	/* Whatever is written now makes the file larger still (H-52). */
	if (pid != 0)
		return MDB_MAP_FULL;
	return used + need > store->options.size ? MDB_MAP_FULL : 0;
}

int
store_put(struct store *store, const struct entry *entries, size_t n, usec_t now)
{
	uint64_t need = bytes_needed(store, entries, n);
	int rc;

	if (store->is_read_only)
		return -EROFS;
	if (store_is_broken(store))
		return -EIO;
	store_guard_enter();
	rc = make_room(store, need, now, DELETES_MAX);
	if (rc == 0)
		rc = check_bound(store, need);
	if (rc == 0)
		rc = put_or_rescue(store, entries, n, now);
	rc = note_broken(store, rc);
	store_guard_leave();
	return rc == MDB_MAP_FULL ? STORE_E_FULL : store_error(rc);
}

/* Of one question the newer answer stays. */
static bool
has_newer(struct store *store, MDB_txn *txn, const struct entry *entry)
{
	MDB_val k = store_val(entry->key.bytes, sizeof(entry->key.bytes)), seq, val;
	struct entry here;

	return mdb_get(txn, store->index, &k, &seq) == 0 &&
	    mdb_get(txn, store->entries, &seq, &val) == 0 &&
	    entry_decode(store_bytes(val), &here) == 0 && here.made >= entry->made;
}

static int
merge_all(struct store *store, const struct entry *entries, size_t n, size_t *ret_n_written)
{
	size_t seq, n_written = 0;
	MDB_txn *txn;
	int rc = mdb_txn_begin(store->env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	rc = next_seq(store, txn, &seq);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		size_t before = seq;

		if (!has_newer(store, txn, &entries[i]))
			rc = put_entry(store, txn, &entries[i], &seq);
		n_written += seq - before;
	}
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	*ret_n_written = n_written;
	return mdb_txn_commit(txn);
}

int
store_merge(struct store *store, const struct entry *entries, size_t n, usec_t now,
    size_t *ret_n_written)
{
	uint64_t need = bytes_needed(store, entries, n);
	int rc;

	store_guard_enter();
	rc = make_room(store, need, now, DELETES_MAX);
	if (rc == 0)
		rc = check_bound(store, need);
	if (rc == 0)
		rc = merge_all(store, entries, n, ret_n_written);
	store_guard_leave();
	return rc == MDB_MAP_FULL ? STORE_E_FULL : store_error(rc);
}

/* When the oldest entry was made; the largest time there is without one. */
static usec_t
oldest_made(const struct store *store, MDB_txn *txn)
{
	usec_t made = INT64_MAX;
	MDB_cursor *cursor;
	struct entry entry;
	MDB_val seq, val;

	if (mdb_cursor_open(txn, store->entries, &cursor) != 0)
		return 0;
	if (mdb_cursor_get(cursor, &seq, &val, MDB_FIRST) == 0)
		made = entry_peek(store_bytes(val), &entry) == 0 ? entry.made : 0;
	mdb_cursor_close(cursor);
	return made;
}

static int
put_mark(struct store *store, MDB_txn *txn, const struct purge_mark *mark)
{
	struct purge *purge = store_read_marks(store, txn);
	MDB_val key = store_val("purge", 5), val;
	struct buf list;
	int r = 0;

	if (purge == NULL)
		r = purge_new(BYTES_NONE, &purge);
	assert(r == 0);
	buf_init(&list, PURGE_LEN_MAX);
	r = purge_add(purge, mark, oldest_made(store, txn), &list);
	if (r == 0) {
		val = store_val(buf_bytes(&list).ptr, buf_len(&list));
		r = store_error(mdb_put(txn, store->meta, &key, &val, 0));
	}
	buf_done(&list);
	purge_free(purge);
	return r;
}

static int
put_mark_alone(struct store *store, const struct purge_mark *mark)
{
	MDB_txn *txn;
	int r = store->env != NULL ? store_error(mdb_txn_begin(store->env, NULL, 0, &txn)) : -EIO;

	if (r != 0)
		return r;
	r = put_mark(store, txn, mark);
	if (r == 0)
		return store_error(note_broken(store, mdb_txn_commit(txn)));
	mdb_txn_abort(txn);
	return r;
}

/* From whichever thread: the file may be being opened again. */
int
store_purge(struct store *store, const struct purge_mark *mark)
{
	int r;

	pthread_mutex_lock(&store->lock);
	store_guard_enter();
	r = put_mark_alone(store, mark);
	store_guard_leave();
	pthread_mutex_unlock(&store->lock);
	return r;
}

static int
put_value(struct store *store, MDB_val key, MDB_val val)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(store->env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	rc = mdb_put(txn, store->meta, &key, &val, 0);
	if (rc == 0)
		return note_broken(store, mdb_txn_commit(txn));
	mdb_txn_abort(txn);
	return rc;
}

int
store_put_value(struct store *store, const char *name, struct bytes value)
{
	int rc;

	if (store->is_read_only || store_is_broken(store))
		return -EROFS;
	store_guard_enter();
	rc = put_value(store, store_val(name, strlen(name)), store_val(value.ptr, value.len));
	store_guard_leave();
	return store_error(rc);
}
