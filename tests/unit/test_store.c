/* SPDX-License-Identifier: MIT */
/*
 * test_store.c - answers on disk: found again, never mixed up, never trusted.
 */
#include "cache/store.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/unit/tempdir.h"

#define NOW	((usec_t)1700000000 * USEC_PER_SEC)
#define HOUR	((usec_t)3600 * USEC_PER_SEC)
#define MB	((uint64_t)1 << 20)

struct fixture {
	struct tempdir		 dir;
	struct store		*store;
	struct store_reader	*reader;
	const char		*set_aside;
	uint64_t		 size;
};

static int
open_store(struct fixture *f)
{
	const struct store_options options = {
		.path = f->dir.path, .size = f->size, .readers = 2,
	};
	int r = store_open(&options, &f->store, &f->set_aside);

	if (r == 0)
		f->reader = store_reader_open(f->store);
	return r;
}

static void
close_store(struct fixture *f)
{
	f->reader = store_reader_close(f->reader);
	f->store = store_close(f->store);
}

static int
set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	tempdir_make(&f->dir);
	f->size = 64 * MB;
	*state = f;
	return open_store(f);
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	close_store(f);
	tempdir_remove(&f->dir);
	xfree(f);
	return 0;
}

static struct key
key_of(unsigned n)
{
	struct key key = { { 0 } };

	memcpy(key.bytes, &n, sizeof(n));
	return key;
}

/* Answer N, which says BODY. */
static struct entry
entry_of(unsigned n, struct bytes body)
{
	return (struct entry){
		.key = key_of(n), .made = NOW, .ttl = HOUR, .status = 200,
		.model = BYTES_LIT("m"), .compute = BYTES_LIT("cpu"),
		.fields = BYTES_LIT("A: b\r\n"), .question = BYTES_LIT("q"), .body = body,
	};
}

static void
put(struct fixture *f, unsigned n, const char *body)
{
	struct entry entry = entry_of(n, bytes_str(body));

	assert_int_equal(store_put(f->store, &entry, 1, NOW), 0);
}

static int
get(struct fixture *f, unsigned n, const char *question, struct entry *ret_entry)
{
	struct key key = key_of(n);

	return store_get(f->reader, &key, bytes_str(question), ret_entry);
}

static bool
has(struct fixture *f, unsigned n)
{
	struct entry entry;
	int r;

	store_reader_reset(f->reader);
	r = get(f, n, "q", &entry);
	assert_true(r == 0 || r == STORE_E_MISS);
	return r == 0;
}

static struct store_stat
stat_of(struct fixture *f)
{
	struct store_stat stat;

	assert_int_equal(store_get_stat(f->store, &stat), 0);
	return stat;
}

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

static void
large_answers_are_kept_and_too_large_ones_left_out(void **state)
{
	struct fixture *f = *state;
	char *large = xcalloc(1, 20 * MB);
	struct entry entries[] = {
		entry_of(1, (struct bytes){ large, 8 * MB }),
		entry_of(2, (struct bytes){ large, 20 * MB }),
		entry_of(3, BYTES_LIT("small")),
	};

	assert_int_equal(store_put(f->store, entries, 3, NOW), 0);
	assert_true(has(f, 1));
	assert_false(has(f, 2));
	assert_true(has(f, 3));
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
	assert_int_equal(store_put(f->store, &entry, 1, NOW + 2 * HOUR), 0);
	assert_int_equal(stat_of(f).expired, 3);
	assert_int_equal(stat_of(f).entries, 0);
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
	const uint32_t format = ENTRY_FORMAT, other = ENTRY_FORMAT + 1;
	char now[10] = "format", then[10] = "format";

	put(f, 1, "x");
	close_store(f);
	memcpy(now + 6, &format, sizeof(format));
	memcpy(then + 6, &other, sizeof(other));
	assert_true(overwrite(f, now, sizeof(now), then, sizeof(then)) > 0);
	open_again_aside(f);
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
		TEST(large_answers_are_kept_and_too_large_ones_left_out),
		TEST(the_oldest_go_when_the_bound_is_near),
		TEST(the_expired_go_first),
		TEST(a_file_that_is_none_is_set_aside),
		TEST(a_file_cut_short_is_set_aside),
		TEST(another_format_is_set_aside),
		TEST(a_damaged_entry_is_a_miss_and_counted),
		TEST(a_killed_writer_leaves_whole_answers),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
