/* SPDX-License-Identifier: MIT */
/*
 * test_store.c - answers on disk: found again, never mixed up, never trusted.
 */
#include "cache/store.h"

#include <errno.h>

#include <xxhash.h>

#include "cache/digest.h"
#include "cache/store_guard.h"
#include "tests/unit/store_fixture.h"

static void
what_was_put_is_found_also_after_opening_again(void **state)
{
	struct fixture *f = *state;
	unsigned char secret[KEY_SECRET_LEN];
	struct entry entry;

	put(f, 1, "eins");
	memcpy(secret, store_secret(f->store), sizeof(secret));
	close_store(f);
	assert_int_equal(open_store(f), 0);
	assert_null(f->set_aside);
	assert_memory_equal(secret, store_secret(f->store), sizeof(secret));
	assert_int_equal(get(f, 1, "q", &entry), 0);
	assert_true(bytes_eq_str(entry.body, "eins"));
	assert_true(bytes_eq_str(entry.compute, "cpu"));
	assert_true(bytes_eq_str(entry.fields, "A: b\r\n"));
	assert_int_equal(entry.made, NOW);
	assert_int_equal(get(f, 2, "q", &entry), STORE_E_MISS);
}

static void
another_question_under_the_same_key_is_a_miss(void **state)
{
	struct fixture *f = *state;
	struct entry entry;

	put(f, 1, "eins");
	assert_int_equal(get(f, 1, "another", &entry), STORE_E_MISS);
}

static void
a_reader_sees_its_snapshot_until_it_is_reset(void **state)
{
	struct fixture *f = *state;
	struct entry entry;

	put(f, 1, "old");
	assert_int_equal(get(f, 1, "q", &entry), 0);
	put(f, 1, "new");
	assert_true(bytes_eq_str(entry.body, "old"));
	assert_int_equal(get(f, 1, "q", &entry), 0);
	assert_true(bytes_eq_str(entry.body, "old"));
	store_reader_reset(f->reader);
	assert_int_equal(get(f, 1, "q", &entry), 0);
	assert_true(bytes_eq_str(entry.body, "new"));
	assert_int_equal(stat_of(f).entries, 1);
}

static void
a_second_server_is_refused(void **state)
{
	struct fixture *f = *state, second = *f;

	assert_int_equal(open_store(&second), STORE_E_LOCKED);
}

static void
only_the_owner_may_look(void **state)
{
	struct fixture *f = *state;
	struct tempdir below = f->dir;
	struct stat st;
	struct store *store;
	const char *set_aside;
	struct store_options options = {
		.path = tempdir_file(&below, "a"), .size = MB, .readers = 1,
	};

	assert_int_equal(store_open(&options, &store, &set_aside), 0);
	store_close(store);
	assert_int_equal(stat(options.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	memcpy(below.path + strlen(below.path), "/a", sizeof("/a"));
	assert_int_equal(stat(tempdir_file(&below, "data.mdb"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(tempdir_file(&below, "lock"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	tempdir_remove(&below);
}

/* Change the file under a closed store, open it again, and see that it is kept aside. */
static void
open_again_aside(struct fixture *f)
{
	assert_int_equal(open_store(f), 0);
	assert_non_null(f->set_aside);
	assert_int_equal(tempdir_count(&f->dir, "data.mdb.bad-"), 1);
	assert_false(has(f, 1));
	put(f, 1, "again");
	assert_true(has(f, 1));
}

static void
a_file_that_is_none_is_set_aside(void **state)
{
	struct fixture *f = *state;
	FILE *file;

	close_store(f);
	file = fopen(tempdir_file(&f->dir, "data.mdb"), "w");
	for (int i = 0; i < 10000; i++)
		fputs("garbage", file);
	fclose(file);
	open_again_aside(f);
}

static void
a_file_cut_short_is_set_aside(void **state)
{
	struct fixture *f = *state;
	char *body = xcalloc(1, MB);
	struct entry entry = entry_of(1, (struct bytes){ body, MB });

	assert_int_equal(store_put(f->store, &entry, 1, NOW), 0);
	close_store(f);
	assert_int_equal(truncate(tempdir_file(&f->dir, "data.mdb"), 100000), 0);
	open_again_aside(f);
	xfree(body);
}

/* Where TEXT stands in the data file, overwrite it with NEW. */
static int
overwrite(struct fixture *f, const void *text, size_t len, const void *new, size_t new_len)
{
	char *mem = xcalloc(1, 4 * MB), *at = mem;
	int fd = open(tempdir_file(&f->dir, "data.mdb"), O_RDWR), n = 0;
	ssize_t size = read(fd, mem, 4 * MB);

	assert_true(size > 0);
	while ((at = memmem(at, (size_t)(mem + size - at), text, len)) != NULL) {
		assert_int_equal(pwrite(fd, new, new_len, at - mem), new_len);
		at += len;
		n++;
	}
	close(fd);
	xfree(mem);
	return n;
}

static void
another_format_is_set_aside(void **state)
{
	struct fixture *f = *state;
	const uint32_t format = STORE_FORMAT, other = STORE_FORMAT + 1;
	char now[10] = "format", then[10] = "format";

	put(f, 1, "x");
	close_store(f);
	memcpy(now + 6, &format, sizeof(format));
	memcpy(then + 6, &other, sizeof(other));
	assert_true(overwrite(f, now, sizeof(now), then, sizeof(then)) > 0);
	open_again_aside(f);
}

/* What the version before wrote: its head ends before the tokens. */
static void
make_old(struct buf *out)
{
	const size_t cut = ENTRY_HEAD_LEN - 96;
	char *mem = out->mem + out->head;
	uint64_t sum;

	memmove(mem + 96, mem + ENTRY_HEAD_LEN, buf_len(out) - ENTRY_HEAD_LEN);
	out->tail -= cut;
	mem[4] = 2;
	sum = XXH3_64bits(mem + 16, buf_len(out) - 16);
	memcpy(mem + 8, &sum, sizeof(sum));
}

static void
entries_of_the_format_before_are_given_on(void **state)
{
	struct fixture *f = *state;
	struct entry entry = entry_of(1, BYTES_LIT("as it was"));
	struct bytes bytes;
	MDB_val key, seq, val;
	MDB_txn *txn;
	struct buf out;

	put(f, 1, "x");
	buf_init(&out, MB);
	assert_int_equal(entry_encode(&entry, &out), 0);
	make_old(&out);
	bytes = buf_bytes(&out);
	val = store_val(bytes.ptr, bytes.len);
	assert_int_equal(mdb_txn_begin(f->store->env, NULL, 0, &txn), 0);
	key = store_val(&entry.key, sizeof(entry.key));
	assert_int_equal(mdb_get(txn, f->store->index, &key, &seq), 0);
	assert_int_equal(mdb_put(txn, f->store->entries, &seq, &val, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	buf_done(&out);
	put(f, 2, "new");
	close_store(f);
	assert_int_equal(open_store(f), 0);
	assert_null(f->set_aside);
	assert_int_equal(get(f, 1, "q", &entry), 0);
	assert_true(bytes_eq_str(entry.body, "as it was"));
	assert_int_equal(entry.flags & ENTRY_COUNTED, 0);
	assert_true(has(f, 2));
	assert_int_equal(stat_of(f).damaged, 0);
}

static void
a_damaged_entry_is_a_miss_and_counted(void **state)
{
	struct fixture *f = *state;

	put(f, 1, "a body that can be found");
	close_store(f);
	assert_true(overwrite(f, "a body that", 11, "a b0dy", 6) > 0);
	assert_int_equal(open_store(f), 0);
	assert_null(f->set_aside);
	assert_false(has(f, 1));
	assert_int_equal(stat_of(f).damaged, 1);
}

/* A writer that is killed in the middle of its work leaves a file with only whole answers. */
static void
a_killed_writer_leaves_whole_answers(void **state)
{
	struct fixture *f = *state;
	char *body = xcalloc(1, 3000);
	struct entry entry;
	int status, pipes[2];
	char byte;
	pid_t pid;

	memset(body, 'x', 3000);
	close_store(f);
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		if (open_store(f) != 0)
			_exit(1);
		for (unsigned n = 0;; n++) {
			entry = entry_of(n, (struct bytes){ body, 3000 });
			if (store_put(f->store, &entry, 1, NOW) != 0)
				_exit(1);
			if (n == 50 && write(pipes[1], "x", 1) != 1)
				_exit(1);
		}
	}
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(open_store(f), 0);
	assert_null(f->set_aside);
	for (unsigned n = 0; n <= 50; n++) {
		assert_int_equal(get(f, n, "q", &entry), 0);
		assert_memory_equal(entry.body.ptr, body, 3000);
	}
	xfree(body);
}

struct walk {
	uint64_t	last;
	unsigned	n;
	unsigned	stop_after;
	int		step;
};

static bool
see(void *arg, uint64_t seq, struct bytes encoded)
{
	struct walk *walk = arg;
	struct entry entry;

	assert_int_equal(entry_decode(encoded, &entry), 0);
	if (walk->n > 0)
		assert_true(walk->step > 0 ? seq > walk->last : seq < walk->last);
	walk->last = seq;
	return ++walk->n < walk->stop_after;
}

static void
a_walk_sees_all_in_order(void **state)
{
	struct fixture *f = *state;
	struct walk up = { .stop_after = 10000, .step = 1 };
	struct walk down = { .stop_after = 10000, .step = -1 };
	struct walk some = { .stop_after = 3, .step = 1 };

	for (unsigned n = 0; n < 2500; n += 100) {
		struct entry entries[100];

		for (unsigned i = 0; i < 100; i++)
			entries[i] = entry_of(n + i, BYTES_LIT("x"));
		assert_int_equal(store_put(f->store, entries, 100, NOW), 0);
	}
	assert_int_equal(store_walk(f->reader, false, see, &up), 0);
	assert_int_equal(up.n, 2500);
	assert_int_equal(store_walk(f->reader, true, see, &down), 0);
	assert_int_equal(down.n, 2500);
	assert_int_equal(store_walk(f->reader, false, see, &some), 0);
	assert_int_equal(some.n, 3);
}

/* H-21: with the question not kept, a forced collision is a miss all the same. */
static void
a_hashed_question_is_compared_too(void **state)
{
	struct fixture *f = *state;
	char sum[DIGEST_LEN];
	struct entry entry = entry_of(1, BYTES_LIT("x"));

	digest_bytes(BYTES_LIT("q"), sum);
	entry.flags = ENTRY_HASHED;
	entry.question = (struct bytes){ sum, sizeof(sum) };
	assert_int_equal(store_put(f->store, &entry, 1, NOW), 0);
	assert_int_equal(get(f, 1, "q", &entry), 0);
	assert_int_equal(get(f, 1, "another", &entry), STORE_E_MISS);
	assert_int_equal(store_get(f->reader, &entry.key, BYTES_NONE, &entry), 0);
}

/* H-54: the process that tried it did not live to take its marker away. */
static void
a_file_that_ended_a_process_is_set_aside(void **state)
{
	struct fixture *f = *state;

	put(f, 1, "x");
	close_store(f);
	assert_int_equal(store_guard_mark(f->dir.path), 0);
	open_again_aside(f);
	assert_string_equal(f->set_aside, "it ended the process that read it");
	close_store(f);
	assert_int_equal(open_store(f), 0);
	assert_null(f->set_aside);
}

/* F1: whoever is killed while it opens the file says nothing against the file, unless all are. */
static void
one_killed_while_it_opens_costs_nothing(void **state)
{
	struct fixture *f = *state;

	put(f, 1, "x");
	close_store(f);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(store_guard_try(f->dir.path), 0);
		assert_int_equal(open_store(f), 0);
		assert_null(f->set_aside);
		assert_true(has(f, 1));
		close_store(f);
		assert_int_equal(tempdir_count(&f->dir, "opening"), 0);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(store_guard_try(f->dir.path), 0);
	open_again_aside(f);
}

static int
count_all(struct store *store)
{
	struct store_reader *reader = store_reader_open(store);
	struct walk walk = { .stop_after = 100, .step = 1 };
	int r = store_walk(reader, false, see, &walk);

	store_reader_close(reader);
	return r == 0 ? (int)walk.n : 99;
}

static void
a_command_reads_beside_a_server(void **state)
{
	struct fixture *f = *state;

	put(f, 1, "x");
	put(f, 2, "x");
	assert_int_equal(beside(f, count_all, false), 2);
}

/* F8: nothing can be written, but there is something to read. */
static void
a_disk_that_takes_nothing_is_read_from(void **state)
{
	struct fixture *f = *state;
	struct entry entry = entry_of(2, BYTES_LIT("y"));
	int status;
	pid_t pid;

	put(f, 1, "x");
	close_store(f);
	assert_int_equal(chmod(tempdir_file(&f->dir, "data.mdb"), 0444), 0);
	assert_int_equal(chmod(tempdir_file(&f->dir, "lock"), 0444), 0);
	assert_int_equal(chmod(f->dir.path, 0555), 0);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && setreuid(65534, 65534) != 0)
			_exit(1);
		if (open_store(f) != 0 || !store_is_read_only(f->store) || !has(f, 1))
			_exit(2);
		_exit(store_put(f->store, &entry, 1, NOW) == -EROFS ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(chmod(f->dir.path, 0755), 0);
}

static void
there_is_nothing_to_attach_to(void **state)
{
	struct fixture *f = *state;
	struct tempdir below = f->dir;
	struct store_options options = { .path = tempdir_file(&below, "none"), .size = MB };
	struct store *store;
	FILE *file;

	assert_int_equal(store_attach(&options, false, &store), STORE_E_NONE);
	close_store(f);
	file = fopen(tempdir_file(&f->dir, "data.mdb"), "w");
	fputs("garbage", file);
	fclose(file);
	options.path = f->dir.path;
	assert_int_equal(store_attach(&options, false, &store), STORE_E_FOREIGN);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_was_put_is_found_also_after_opening_again),
		TEST(another_question_under_the_same_key_is_a_miss),
		TEST(a_reader_sees_its_snapshot_until_it_is_reset),
		TEST(a_second_server_is_refused),
		TEST(only_the_owner_may_look),
		TEST(a_file_that_is_none_is_set_aside),
		TEST(a_file_cut_short_is_set_aside),
		TEST(another_format_is_set_aside),
		TEST(entries_of_the_format_before_are_given_on),
		TEST(a_damaged_entry_is_a_miss_and_counted),
		TEST(a_killed_writer_leaves_whole_answers),
		TEST(a_walk_sees_all_in_order),
		TEST(a_hashed_question_is_compared_too),
		TEST(a_file_that_ended_a_process_is_set_aside),
		TEST(one_killed_while_it_opens_costs_nothing),
		TEST(a_command_reads_beside_a_server),
		TEST(a_disk_that_takes_nothing_is_read_from),
		TEST(there_is_nothing_to_attach_to),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
