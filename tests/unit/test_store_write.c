/* SPDX-License-Identifier: MIT */
/*
 * test_store_write.c - room is made, the bound is kept, what is purged is gone.
 */
#include <errno.h>
#include <sys/prctl.h>

#include "tests/unit/store_fixture.h"

static void
large_answers_are_kept_and_too_large_ones_left_out(void **state)
{
	struct fixture *f = *state;
	char *large = xcalloc(1, 5 * MB);
	struct entry entries[] = {
		entry_of(1, (struct bytes){ large, 3 * MB }),
		entry_of(2, (struct bytes){ large, 5 * MB }),
		entry_of(3, BYTES_LIT("small")),
	};

	assert_int_equal(store_put(f->store, entries, 3, NOW), 0);
	assert_true(has(f, 1));
	assert_false(has(f, 2));
	assert_true(has(f, 3));
	xfree(large);
}

/* H-60: whatever the bound, LMDB does not take values of any size. */
static void
what_no_bound_allows_is_left_out(void **state)
{
	struct fixture *f = *state;
	char *large = xcalloc(1, 65 * MB);
	struct entry entries[] = {
		entry_of(1, (struct bytes){ large, 65 * MB }), entry_of(2, BYTES_LIT("small")),
	};

	close_store(f);
	f->size = 2048 * MB;
	assert_int_equal(open_store(f), 0);
	assert_int_equal(store_put(f->store, entries, 2, NOW), 0);
	assert_false(has(f, 1));
	assert_true(has(f, 2));
	xfree(large);
}

static void
the_oldest_go_when_the_bound_is_near(void **state)
{
	struct fixture *f = *state;
	char *body = xcalloc(1, 10000);
	struct stat st;

	close_store(f);
	f->size = 4 * MB;
	assert_int_equal(open_store(f), 0);
	for (unsigned n = 0; n < 2000; n++) {
		struct entry entry = entry_of(n, (struct bytes){ body, 10000 });

		assert_int_equal(store_put(f->store, &entry, 1, NOW), 0);
	}
	assert_false(has(f, 0));
	assert_true(has(f, 1999));
	assert_true(stat_of(f).used_bytes <= 4 * MB);
	assert_true(stat_of(f).evicted > 1000);
	assert_int_equal(stat_of(f).evicted + stat_of(f).entries, 2000);
	assert_int_equal(stat(tempdir_file(&f->dir, "data.mdb"), &st), 0);
	assert_true((uint64_t)st.st_size < 6 * MB);
	xfree(body);
}

static void
the_expired_go_first(void **state)
{
	struct fixture *f = *state;
	struct entry entry = entry_of(3, BYTES_LIT("x"));

	put(f, 1, "x");
	put(f, 2, "x");
	entry.made = NOW + 2 * HOUR;
	assert_int_equal(store_put(f->store, &entry, 1, NOW + 2 * HOUR), 0);
	assert_int_equal(stat_of(f).expired, 2);
	assert_int_equal(stat_of(f).entries, 1);
}

/* They may still be given while a new one is fetched, or cannot be. */
static void
the_expired_stay_for_their_grace(void **state)
{
	struct fixture *f = *state;
	struct entry entry = entry_of(2, BYTES_LIT("x"));

	close_store(f);
	f->grace = 2 * HOUR;
	assert_int_equal(open_store(f), 0);
	put(f, 1, "x");
	entry.made = NOW + 3 * HOUR - 1;
	assert_int_equal(store_put(f->store, &entry, 1, entry.made), 0);
	assert_true(has(f, 1));
	entry.made++;
	assert_int_equal(store_put(f->store, &entry, 1, entry.made), 0);
	assert_false(has(f, 1));
	assert_true(has(f, 2));
}

/* As of a new configuration. */
static void
the_grace_may_change(void **state)
{
	struct fixture *f = *state;
	struct entry entry = entry_of(2, BYTES_LIT("x"));

	put(f, 1, "x");
	store_set_grace(f->store, 2 * HOUR);
	entry.made = NOW + 3 * HOUR - 1;
	assert_int_equal(store_put(f->store, &entry, 1, entry.made), 0);
	assert_true(has(f, 1));
	store_set_grace(f->store, 1 * HOUR);
	assert_int_equal(store_put(f->store, &entry, 1, entry.made), 0);
	assert_false(has(f, 1));
}

/* Fill the store with N answers of 10 kB under a bound of 4 MB, asking for those below HOT. */
static void
fill_and_ask(struct fixture *f, unsigned n, unsigned hot)
{
	char *body = xcalloc(1, 10000);

	close_store(f);
	f->size = 4 * MB;
	assert_int_equal(open_store(f), 0);
	for (unsigned i = 0; i < n; i++) {
		struct entry entry = entry_of(i, (struct bytes){ body, 10000 });

		assert_int_equal(store_put(f->store, &entry, 1, NOW), 0);
		for (unsigned k = 0; k < hot && k <= i; k++)
			has(f, k);
	}
	xfree(body);
}

/* SIEVE: what is asked for stays, whatever its age; what is not goes, whatever its youth. */
static void
what_is_asked_for_is_spared(void **state)
{
	struct fixture *f = *state;

	fill_and_ask(f, 2000, 20);
	for (unsigned i = 0; i < 20; i++)
		assert_true(has(f, i));
	assert_false(has(f, 30));
	assert_true(has(f, 1999));
	assert_true(stat_of(f).used_bytes <= 4 * MB);
}

static void
the_order_starts_anew_after_opening_again(void **state)
{
	struct fixture *f = *state;

	fill_and_ask(f, 1000, 0);
	close_store(f);
	assert_int_equal(open_store(f), 0);
	put(f, 5000, "x");
	assert_true(has(f, 5000));
	assert_true(has(f, 999));
}

/* F5: entries of every size, ten times the bound. */
static void
the_file_keeps_its_bound_with_any_mix_of_sizes(void **state)
{
	struct fixture *f = *state;
	const size_t sizes[] = { 100, 700, 1900, 2100, 5000, 40000, 300000, 1000000, 4000000 };
	char *body = xcalloc(1, 4 * MB);
	uint64_t written = 0;

	for (unsigned n = 0; written < 640 * MB; n++) {
		size_t len = sizes[n * 2654435761u >> 20 & 7];
		struct entry entry;

		len += n * 40503u % (len / 2);
		entry = entry_of(n, (struct bytes){ body, len });
		memset(body, (int)n, 64);
		assert_int_equal(store_put(f->store, &entry, 1, NOW), 0);
		written += len;
		if (n % 16 == 0)
			has(f, n);
		assert_true(stat_of(f).file_bytes <= 64 * MB / 10 * 13);
	}
	assert_true(stat_of(f).evicted > 0);
	xfree(body);
}

static void
what_is_purged_is_gone_at_once_and_for_good(void **state)
{
	struct fixture *f = *state;
	struct purge_mark mark = { .before = NOW + 1, .model = "m*" };
	struct entry entry;

	put(f, 1, "old");
	assert_true(has(f, 1));
	assert_int_equal(store_purge(f->store, &mark), 0);
	assert_false(has(f, 1));
	entry = entry_of(1, BYTES_LIT("new"));
	entry.made = NOW + 1;
	assert_int_equal(store_put(f->store, &entry, 1, NOW), 0);
	assert_true(has(f, 1));
	put(f, 2, "from before");
	assert_false(has(f, 2));
	close_store(f);
	assert_int_equal(open_store(f), 0);
	assert_true(has(f, 1));
	assert_false(has(f, 2));
}

static int
purge_all(struct store *store)
{
	struct purge_mark mark = { .before = NOW + 1 };

	return store_purge(store, &mark) == 0 ? 0 : 1;
}

static void
a_purge_from_beside_is_seen(void **state)
{
	struct fixture *f = *state;

	put(f, 1, "x");
	assert_true(has(f, 1));
	assert_int_equal(beside(f, purge_all, true), 0);
	assert_false(has(f, 1));
}

static int
merge_two(struct store *store)
{
	struct entry entries[] = { entry_of(1, BYTES_LIT("older")), entry_of(2, BYTES_LIT("new")) };
	size_t n;

	entries[0].made = NOW - 1;
	return store_merge(store, entries, 2, NOW, &n) == 0 && n == 1 ? 0 : 1;
}

static void
merging_keeps_the_newer(void **state)
{
	struct fixture *f = *state;
	struct entry entry;

	put(f, 1, "newer");
	assert_int_equal(beside(f, merge_two, true), 0);
	assert_true(has(f, 2));
	store_reader_reset(f->reader);
	assert_int_equal(get(f, 1, "q", &entry), 0);
	assert_true(bytes_eq_str(entry.body, "newer"));
}

static void
values_are_kept(void **state)
{
	struct fixture *f = *state;
	struct bytes value;

	assert_int_equal(store_get_value(f->reader, "x", &value), STORE_E_MISS);
	store_reader_reset(f->reader);
	assert_int_equal(store_put_value(f->store, "x", BYTES_LIT("1")), 0);
	assert_int_equal(store_get_value(f->reader, "x", &value), 0);
	assert_true(bytes_eq_str(value, "1"));
}

/* H-52: a reader that stands still keeps pages, not the server from its bound. */
static void
a_reader_that_stands_still_is_named(void **state)
{
	struct fixture *f = *state;
	char *body = xcalloc(1, 3000);
	int status, pid, pipes[2];
	struct store *store;
	struct entry entry;
	char byte;
	pid_t child;

	fill_and_ask(f, 400, 0);
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		struct store_options options = { .path = f->dir.path, .size = f->size };
		struct key key = key_of(399);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (store_attach(&options, false, &store) != 0 ||
		    store_get(store_reader_open(store), &key, BYTES_NONE, &entry) != 0 ||
		    write(pipes[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	for (unsigned n = 0; n < 3000; n++) {
		int r;

		entry = entry_of(10000 + n, (struct bytes){ body, 3000 });
		r = store_put(f->store, &entry, 1, NOW);
		assert_true(r == 0 || r == STORE_E_FULL);
		if (n % 500 == 499)
			assert_int_equal(store_check_readers(f->store, &pid), 0);
		assert_true(stat_of(f).file_bytes <= 4 * MB / 10 * 13);
	}
	assert_int_equal(pid, child);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(store_check_readers(f->store, &pid), 0);
	assert_int_equal(pid, 0);
	put(f, 20000, "again");
	assert_true(has(f, 20000));
	close(pipes[0]);
	close(pipes[1]);
	xfree(body);
}

/* F6: the map itself is full, as it never should be. */
static void
a_full_map_is_got_over(void **state)
{
	struct fixture *f = *state;
	char *body = xcalloc(1, MB);
	unsigned n_stored = 0;

	close_store(f);
	f->map_size = 8 * MB;
	f->size = 64 * MB;
	assert_int_equal(open_store(f), 0);
	for (unsigned n = 0; n < 300; n++) {
		struct entry entry = entry_of(n, (struct bytes){ body, 1000 + n * 7919 % 200000 });
		int r = store_put(f->store, &entry, 1, NOW);

		n_stored += r == 0;
		store_reader_reset(f->reader);
		if (store_is_broken(f->store))
			assert_int_equal(store_reopen(f->store), 0);
	}
	assert_true(n_stored > 250);
	put(f, 1000, "again");
	assert_true(has(f, 1000));
	xfree(body);
}

static void
a_broken_file_is_opened_again(void **state)
{
	struct fixture *f = *state;
	struct entry entry = entry_of(2, BYTES_LIT("y"));
	unsigned char secret[KEY_SECRET_LEN];

	memcpy(secret, store_secret(f->store), sizeof(secret));
	put(f, 1, "x");
	assert_true(has(f, 1));
	store_reader_reset(f->reader);
	atomic_store(&f->store->is_broken, true);
	assert_int_equal(store_put(f->store, &entry, 1, NOW), -EIO);
	assert_int_equal(store_reopen(f->store), 0);
	assert_false(store_is_broken(f->store));
	assert_true(has(f, 1));
	put(f, 2, "y");
	assert_true(has(f, 2));
	assert_memory_equal(secret, store_secret(f->store), sizeof(secret));
}

static void
a_compact_copy_holds_the_same(void **state)
{
	struct fixture *f = *state;
	struct tempdir below = f->dir;

	fill_and_ask(f, 1000, 0);
	memcpy(below.path + strlen(below.path), "/c", sizeof("/c"));
	assert_int_equal(mkdir(below.path, 0700), 0);
	assert_int_equal(store_copy_compact(f->store, below.path), 0);
	close_store(f);
	rename(tempdir_file(&below, "data.mdb"), tempdir_file(&f->dir, "data.mdb"));
	rmdir(below.path);
	assert_int_equal(open_store(f), 0);
	assert_true(has(f, 999));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(large_answers_are_kept_and_too_large_ones_left_out),
		TEST(what_no_bound_allows_is_left_out),
		TEST(the_oldest_go_when_the_bound_is_near),
		TEST(the_expired_go_first),
		TEST(the_expired_stay_for_their_grace),
		TEST(the_grace_may_change),
		TEST(what_is_asked_for_is_spared),
		TEST(the_order_starts_anew_after_opening_again),
		TEST(the_file_keeps_its_bound_with_any_mix_of_sizes),
		TEST(what_is_purged_is_gone_at_once_and_for_good),
		TEST(a_purge_from_beside_is_seen),
		TEST(merging_keeps_the_newer),
		TEST(values_are_kept),
		TEST(a_reader_that_stands_still_is_named),
		TEST(a_full_map_is_got_over),
		TEST(a_broken_file_is_opened_again),
		TEST(a_compact_copy_holds_the_same),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
