/* SPDX-License-Identifier: MIT */
/*
 * test_beside.c - F12, H-51, H-59, H-62, H-63: commands beside a server, which
 * are stopped, killed, many, and of another configuration.
 */
#include <fcntl.h>

#include "cache/store_priv.h"
#include "tests/faults/answers.h"

#define STORE_SIZE	(4 * MB)
#define READERS		100
#define N_ANSWERS	200
#define SLOW_COMMITS	400
#define BATCH		10

struct world {
	struct tempdir		 dir;
	struct store		*store;
	struct store_reader	*reader;
	int			 pipe[2];	/* what the others have to say: a byte each */
};

static void
start(struct world *w)
{
	const struct store_options options = {
		.path = w->dir.path, .size = STORE_SIZE, .readers = 2,
	};
	const char *set_aside;

	assert_int_equal(store_open(&options, &w->store, &set_aside), 0);
	assert_null(set_aside);
	w->reader = store_reader_open(w->store);
}

static void
stop(struct world *w)
{
	w->reader = store_reader_close(w->reader);
	w->store = store_close(w->store);
}

static int
set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	tempdir_make(&w->dir);
	assert_int_equal(pipe(w->pipe), 0);
	start(w);
	assert_int_equal(answers_put(w->store, 0, N_ANSWERS), 0);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	stop(w);
	close(w->pipe[0]);
	close(w->pipe[1]);
	tempdir_remove(&w->dir);
	xfree(w);
	return 0;
}

static void
hear(struct world *w)
{
	char byte;

	assert_int_equal(read(w->pipe[0], &byte, 1), 1);
}

static void
say(struct world *w)
{
	if (write(w->pipe[1], "x", 1) != 1)
		_exit(1);
}

/* Hold a snapshot, if there is one to be had, until somebody ends us. */
static pid_t
hold_a_snapshot(struct world *w)
{
	const struct store_options options = { .path = w->dir.path, .size = STORE_SIZE };
	struct key key = answer_key(0);
	struct store *store;
	struct entry entry;
	pid_t pid = fork_bounded(30);

	if (pid != 0)
		return pid;
	if (store_attach(&options, false, &store) == 0)
		(void)!store_get(store_reader_open(store), &key, BYTES_NONE, &entry);
	say(w);
	for (;;)
		pause();
}

static void
end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* A reader that has had no slot until now, as that of a worker which begins to work. */
static void
a_new_reader_reads(struct world *w)
{
	struct store_reader *reader = store_reader_open(w->store);
	struct store_stat stat;

	assert_int_equal(answer_get(reader, 1), 1);
	store_reader_close(reader);
	assert_int_equal(store_get_stat(w->store, &stat), 0);
	assert_int_equal(answers_put(w->store, 1000, 1010), 0);
	assert_int_equal(answer_get(w->reader, 1000), 1);
}

/* H-59: there are fewer slots than that. */
static void
readers_killed_in_a_row(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < READERS; i++) {
		pid_t pid = hold_a_snapshot(w);

		hear(w);
		end(pid);
	}
	a_new_reader_reads(w);
}

static void
readers_killed_at_once(void **state)
{
	struct world *w = *state;
	pid_t pids[READERS];

	for (int i = 0; i < READERS; i++)
		pids[i] = hold_a_snapshot(w);
	for (int i = 0; i < READERS; i++)
		hear(w);
	for (int i = 0; i < READERS; i++)
		end(pids[i]);
	a_new_reader_reads(w);
}

struct walk {
	struct world	*world;
	unsigned	 n;
};

static bool
see(void *arg, uint64_t seq, struct bytes encoded)
{
	struct walk *walk = arg;
	struct entry entry;

	(void)seq;
	if (entry_decode(encoded, &entry) != 0 || !answer_is(&entry, answer_number(&entry.key)))
		_exit(1);
	if (walk->n++ == 10)
		say(walk->world);
	/* For as long as it takes until we are stopped in the middle. */
	return true;
}

static pid_t
export_over_and_over(struct world *w)
{
	const struct store_options options = { .path = w->dir.path, .size = STORE_SIZE };
	struct walk walk = { .world = w };
	struct store_reader *reader;
	struct store *store;
	pid_t pid = fork_bounded(50);

	if (pid != 0)
		return pid;
	if (store_attach(&options, false, &store) != 0)
		_exit(1);
	reader = store_reader_open(store);
	for (;;)
		if (store_walk(reader, false, see, &walk) != 0)
			_exit(1);
}

/* F12: an export that is stopped in the middle keeps its pages, and is named for it. */
static void
an_export_is_stopped_and_killed(void **state)
{
	struct world *w = *state;
	pid_t pid = export_over_and_over(w);
	int status, slow = 0, r = 0;
	struct store_stat stat;

	hear(w);
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	for (uint32_t n = 1000; n < 1000 + SLOW_COMMITS * BATCH; n += BATCH) {
		r = answers_put(w->store, n, n + BATCH);
		assert_true(r == 0 || r == STORE_E_FULL);
		assert_int_equal(store_get_stat(w->store, &stat), 0);
		assert_true(stat.file_bytes <= STORE_SIZE / 10 * 13);
	}
	assert_int_equal(store_check_readers(w->store, &slow), 0);
	/* Stopped between two snapshots it keeps none. */
	assert_true(slow == pid || (slow == 0 && r == 0));
	end(pid);
	assert_int_equal(store_check_readers(w->store, &slow), 0);
	assert_int_equal(slow, 0);
	assert_int_equal(answers_put(w->store, 10000, 10010), 0);
	assert_int_equal(answer_get(w->reader, 10009), 1);
}

/* H-51: commands whose size is not the server's, while the server writes. */
static void
commands_of_another_size(void **state)
{
	static const uint64_t sizes[] = { MB, (uint64_t)1 << 30, (uint64_t)1 << 36 };
	struct world *w = *state;
	int status;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct store_options options = { .path = w->dir.path, .size = sizes[i] };
		static struct answer answer;
		struct store *store;
		size_t n_written = 0;
		pid_t pid = fork_bounded(20);

		if (pid == 0) {
			struct entry entry = answer_make(500 + (uint32_t)i, &answer);

			if (store_attach(&options, true, &store) != 0)
				_exit(1);
			if (store_merge(store, &entry, 1, MADE, &n_written) != 0)
				_exit(2);
			store_close(store);
			_exit(n_written == 1 ? 0 : 3);
		}
		assert_int_equal(answers_put(w->store, 600, 610), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(answer_get(w->reader, 500 + (uint32_t)i), 1);
		assert_int_equal(answer_get(w->reader, 609), 1);
	}
}

/* H-63: purge, restart, merge of an export from before: still gone. */
static void
what_is_purged_does_not_come_back(void **state)
{
	struct world *w = *state;
	const struct purge_mark mark = { .before = MADE + 1, .model = "m" };
	static struct answer answer;
	struct entry entry = answer_make(1, &answer);
	size_t n;

	assert_int_equal(store_purge(w->store, &mark), 0);
	assert_int_equal(answer_get(w->reader, 1), 0);
	stop(w);
	start(w);
	assert_int_equal(answer_get(w->reader, 1), 0);
	assert_int_equal(store_merge(w->store, &entry, 1, MADE, &n), 0);
	assert_int_equal(answer_get(w->reader, 1), 0);
	assert_true(store_is_purged(w->reader, &entry));
	store_reader_reset(w->reader);
	stop(w);
	start(w);
	assert_int_equal(answer_get(w->reader, 1), 0);
	entry.made = MADE + 1;
	assert_int_equal(store_merge(w->store, &entry, 1, MADE, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(store_get(w->reader, &entry.key, entry.question, &entry), 0);
}

static void
assert_mode(const char *path, mode_t mode)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

/* H-62: whatever the umask, also of what is made on the way. */
static void
nobody_else_may_read(void **state)
{
	static const mode_t masks[] = { 0, 022, 077 };
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
		struct world own = { 0 };
		struct tempdir above;
		mode_t before = umask(masks[i]);

		tempdir_make(&above);
		own.dir = above;
		memcpy(own.dir.path + strlen(own.dir.path), "/c", sizeof("/c"));
		start(&own);
		assert_mode(own.dir.path, 0700);
		assert_mode(tempdir_file(&own.dir, "data.mdb"), 0600);
		assert_mode(tempdir_file(&own.dir, "lock.mdb"), 0600);
		assert_mode(tempdir_file(&own.dir, "lock"), 0600);
		assert_int_equal(store_copy_compact(w->store, above.path), 0);
		assert_mode(tempdir_file(&above, "data.mdb"), 0600);
		stop(&own);
		tempdir_remove(&own.dir);
		tempdir_remove(&above);
		umask(before);
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(readers_killed_in_a_row),
		TEST(readers_killed_at_once),
		TEST(an_export_is_stopped_and_killed),
		TEST(commands_of_another_size),
		TEST(what_is_purged_does_not_come_back),
		TEST(nobody_else_may_read),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
