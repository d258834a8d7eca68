/* SPDX-License-Identifier: MIT */
/*
 * test_power_cut.c - F2: the power goes at any moment.  Every write and sync
 * of a load is recorded; the file is then made again from what came before the
 * cut, and of what had not been synced some sectors are there and some not.
 */
#include "tests/faults/answers.h"
#include "tests/faults/shim.h"

#define CUTS		150
#define PUTS		120
#define BATCH		4
#define STORE_SIZE	MB
#define FILE_MAX	(2 * MB)
#define OPS_MAX		100000
#define SECTOR		512

struct op {
	enum { OP_WRITE, OP_SYNC, OP_DONE } kind;	/* DONE: a store_put() had returned */
	off_t		 at;
	size_t		 len;
	unsigned char	*data;
	bool		 is_synced;
};

enum unsynced { DROPPED, KEPT, MIXED, UNSYNCED_KINDS };

struct world {
	struct op	*ops;
	size_t		 n_ops;
	bool		 is_live[PUTS + 1][PUTS * BATCH + 1];	/* after each store_put() */
	struct store	*store;
	struct tempdir	 dir;
	struct tempdir	 after;
	unsigned char	 disk[FILE_MAX];	/* what the sync before the cut made sure */
	size_t		 disk_len;
	unsigned	 n_cuts;
	unsigned	 n_aside;
	unsigned	 n_tail;	/* cuts that cost the last store_put() */
};

static struct world *world;		/* for the shim, which knows nothing of us */

static void
record(off_t at, const void *data, size_t len, bool is_synced)
{
	struct op *op = &world->ops[world->n_ops++];

	assert(world->n_ops < OPS_MAX && (size_t)at + len <= FILE_MAX);
	*op = (struct op){ len > 0 ? OP_WRITE : OP_SYNC, at, len, NULL, is_synced };
	if (len == 0)
		return;
	op->data = xcalloc(1, len);
	memcpy(op->data, data, len);
}

static int
open_store(struct world *w, struct tempdir *dir, bool is_strict, const char **ret_set_aside)
{
	const struct store_options options = {
		.path = dir->path, .size = STORE_SIZE, .readers = 1, .is_strict = is_strict,
	};

	return store_open(&options, &w->store, ret_set_aside);
}

static bool
note_live(void *arg, uint64_t seq, struct bytes encoded)
{
	bool *is_live = arg;
	struct entry entry;

	(void)seq;
	/* Sectors that had not been synced may be missing, but nothing points at them. */
	assert_int_equal(entry_decode(encoded, &entry), 0);
	assert_true(answer_is(&entry, answer_number(&entry.key)));
	is_live[answer_number(&entry.key)] = true;
	return true;
}

static void
look(struct world *w, bool *is_live)
{
	struct store_reader *reader = store_reader_open(w->store);

	assert_int_equal(store_walk(reader, false, note_live, is_live), 0);
	store_reader_close(reader);
}

static void
load(struct world *w, bool is_strict)
{
	static struct answer answers[BATCH];
	struct entry entries[BATCH];
	const char *set_aside;

	shim_watch(record);
	assert_int_equal(open_store(w, &w->dir, is_strict, &set_aside), 0);
	for (unsigned i = 1; i <= PUTS; i++) {
		for (unsigned k = 0; k < BATCH; k++)
			entries[k] = answer_make((i - 1) * BATCH + k + 1, &answers[k]);
		assert_int_equal(store_put(w->store, entries, BATCH, MADE), 0);
		w->ops[w->n_ops++] = (struct op){ .kind = OP_DONE };
		look(w, w->is_live[i]);
	}
	shim_watch(NULL);
	w->store = store_close(w->store);
}

static void
apply(unsigned char *file, size_t *file_len, const struct op *op, enum unsynced how)
{
	for (size_t i = 0; i < op->len; i += SECTOR) {
		size_t len = op->len - i < SECTOR ? op->len - i : SECTOR;
		size_t end = (size_t)op->at + i + len;

		if (how == DROPPED || (how == MIXED && random() % 2 == 0))
			continue;
		memcpy(file + op->at + i, op->data + i, len);
		if (end > *file_len)
			*file_len = end;
	}
}

/* What stands on the disk after the first N_OPS; returns how many store_put() had returned. */
static unsigned
cut_power(struct world *w, size_t n_ops, enum unsynced how)
{
	size_t last_sync = 0;
	unsigned n_done = 0;

	for (size_t i = 0; i < n_ops; i++)
		if (w->ops[i].kind == OP_SYNC)
			last_sync = i;
	memset(w->disk, 0, sizeof(w->disk));
	w->disk_len = 0;
	for (size_t i = 0; i < n_ops; i++) {
		const struct op *op = &w->ops[i];

		n_done += op->kind == OP_DONE;
		if (op->kind == OP_WRITE)
			apply(w->disk, &w->disk_len, op,
			    i < last_sync || op->is_synced ? KEPT : how);
	}
	return n_done;
}

static void
write_image(struct world *w)
{
	FILE *file;

	tempdir_make(&w->after);
	file = fopen(tempdir_file(&w->after, "data.mdb"), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(w->disk, 1, w->disk_len, file), w->disk_len);
	fclose(file);
}

/*
 * What was there when a store_put() returned, and would have been after the
 * next, is there: no moment between the two may lose it.
 */
static bool
has_all_of(const struct world *w, unsigned n_done, const bool *is_live)
{
	unsigned next = n_done < PUTS ? n_done + 1 : n_done;

	for (unsigned n = 0; n <= PUTS * BATCH; n++)
		if (w->is_live[n_done][n] && w->is_live[next][n] && !is_live[n])
			return false;
	return true;
}

/* One store_put() is two commits, of which relaxed durability may lose the last. */
static void
check_after(struct world *w, unsigned n_done, bool is_strict)
{
	bool is_live[PUTS * BATCH + 1] = { false };
	const char *set_aside;
	bool has_all;

	assert_int_equal(open_store(w, &w->after, is_strict, &set_aside), 0);
	if (n_done > 1)
		assert_null(set_aside);
	w->n_aside += set_aside != NULL;
	look(w, is_live);
	has_all = set_aside != NULL || has_all_of(w, n_done, is_live);
	w->n_tail += !has_all;
	if (is_strict)
		assert_true(has_all && (set_aside == NULL || n_done == 0));
	for (unsigned n = 0; !has_all && n <= PUTS * BATCH; n++)
		if (n_done > 1 && w->is_live[n_done - 1][n] && w->is_live[n_done][n] &&
		    w->is_live[n_done < PUTS ? n_done + 1 : PUTS][n])
			assert_true(is_live[n]);
	assert_int_equal(answer_put(w->store, 1), 0);
	w->store = store_close(w->store);
	tempdir_remove(&w->after);
}

static void
cut_at_any_moment(bool is_strict)
{
	unsigned cuts = number_of("CUTS", CUTS);
	struct world *w = xcalloc(1, sizeof(*w));

	world = w;
	w->ops = xcalloc(OPS_MAX, sizeof(*w->ops));
	tempdir_make(&w->dir);
	load(w, is_strict);
	srandom(number_of("SEED", 1));
	for (w->n_cuts = 0; w->n_cuts < cuts; w->n_cuts++) {
		/* A few in the very beginning, where a file is not yet one. */
		size_t n_ops = (size_t)random() % (w->n_cuts % 10 == 0 ? 20 : w->n_ops);
		unsigned n_done = cut_power(w, n_ops, w->n_cuts % UNSYNCED_KINDS);

		write_image(w);
		check_after(w, n_done, is_strict);
	}
	print_message("F2, %s: %u cuts in %zu writes and syncs, %u set aside, %u lost the tail\n",
	    is_strict ? "strict" : "relaxed", w->n_cuts, w->n_ops, w->n_aside, w->n_tail);
	for (size_t i = 0; i < w->n_ops; i++)
		xfree(w->ops[i].data);
	xfree(w->ops);
	tempdir_remove(&w->dir);
	xfree(w);
}

static void
strict_loses_nothing(void **state)
{
	(void)state;
	cut_at_any_moment(true);
}

static void
relaxed_loses_the_tail_at_most(void **state)
{
	(void)state;
	cut_at_any_moment(false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strict_loses_nothing),
		cmocka_unit_test(relaxed_loses_the_tail_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
