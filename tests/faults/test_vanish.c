/* SPDX-License-Identifier: MIT */
/*
 * test_vanish.c - F10, H-54, H-57: the file is cut or replaced while it is in
 * use.  Whatever the process does next, it goes on or ends with its one line;
 * the next one sets the file aside and serves.
 */
#include "cache/store_guard.h"
#include "tests/faults/answers.h"

#define PAGE		4096
#define N_ANSWERS	60
#define LARGE		40000u		/* a body of so much lies in many pages */
#define STORE_SIZE	(4 * MB)

struct world {
	struct tempdir		 dir;
	struct store		*store;
	struct store_reader	*reader;
	struct entry		 held;		/* what a worker is about to send */
};

typedef void use_fn(struct world *w);

static int
open_store(struct world *w, const char **ret_set_aside)
{
	const struct store_options options = {
		.path = w->dir.path, .size = STORE_SIZE, .readers = 2,
	};

	return store_open(&options, &w->store, ret_set_aside);
}

static void
read_body(struct world *w)
{
	volatile unsigned sum = 0;

	for (size_t i = 0; i < w->held.body.len; i++)
		sum += (unsigned char)w->held.body.ptr[i];
}

static void
get_all(struct world *w)
{
	for (uint32_t n = 0; n < N_ANSWERS; n++)
		if (answer_get(w->reader, n) < 0)
			_exit(1);
}

static bool
see(void *arg, uint64_t seq, struct bytes encoded)
{
	struct entry entry;

	(void)arg;
	(void)seq;
	if (entry_decode(encoded, &entry) == 0 && !answer_is(&entry, answer_number(&entry.key)))
		_exit(1);
	return true;
}

static void
walk(struct world *w)
{
	(void)!store_walk(w->reader, false, see, NULL);
}

static void
put_some(struct world *w)
{
	(void)!answers_put(w->store, 100, 110);
}

static void
merge_one(struct world *w)
{
	static struct answer answer;
	struct entry entry = answer_make(1, &answer);
	size_t n;

	(void)!store_merge(w->store, &entry, 1, MADE, &n);
}

static void
get_value(struct world *w)
{
	struct bytes value;

	store_reader_reset(w->reader);
	(void)!store_get_value(w->reader, "hits", &value);
	store_reader_reset(w->reader);
}

static void
put_value(struct world *w)
{
	(void)!store_put_value(w->store, "hits", BYTES_LIT("1 m\n"));
}

static void
purge_all(struct world *w)
{
	const struct purge_mark mark = { .before = MADE + 1 };

	(void)!store_purge(w->store, &mark);
}

static void
ask_purged(struct world *w)
{
	static struct answer answer;
	struct entry entry = answer_make(1, &answer);

	store_reader_reset(w->reader);
	(void)store_is_purged(w->reader, &entry);
}

static void
count(struct world *w)
{
	struct store_stat stat;

	(void)!store_get_stat(w->store, &stat);
}

static void
check_readers(struct world *w)
{
	int pid;

	(void)!store_check_readers(w->store, &pid);
}

static struct tempdir
dir_of_copy(const struct world *w)
{
	struct tempdir below = w->dir;

	memcpy(below.path + strlen(below.path), "/c", sizeof("/c"));
	return below;
}

static void
copy(struct world *w)
{
	struct tempdir below = dir_of_copy(w);

	(void)!mkdir(below.path, 0700);
	(void)!store_copy_compact(w->store, below.path);
}

static void
reopen(struct world *w)
{
	store_reader_reset(w->reader);
	(void)!store_reopen(w->store);
}

static const struct {
	const char	*name;
	use_fn		*fn;
} uses[] = {
	{ "read a body", read_body }, { "get", get_all }, { "walk", walk }, { "put", put_some },
	{ "merge", merge_one }, { "get a value", get_value }, { "put a value", put_value },
	{ "purge", purge_all }, { "ask whether purged", ask_purged }, { "count", count },
	{ "check readers", check_readers }, { "copy", copy }, { "open again", reopen },
};

/* The life of a process whose file CHANGE is done to. */
static void
live(struct world *w, use_fn *change, use_fn *use)
{
	const char *set_aside;
	struct key key;
	uint32_t n = 0;

	if (freopen("/dev/null", "w", stderr) == NULL || open_store(w, &set_aside) != 0)
		_exit(2);
	default_signals();
	store_guard_arm(w->dir.path);
	if (answers_put(w->store, 0, N_ANSWERS) != 0)
		_exit(3);
	while (answer_len(n) < LARGE)
		n++;
	key = answer_key(n);
	w->reader = store_reader_open(w->store);
	if (store_get(w->reader, &key, BYTES_NONE, &w->held) != 0)
		_exit(4);
	change(w);
	use(w);
	put_some(w);
	_exit(0);
}

static void
change_under(use_fn *change, size_t i)
{
	struct world w = { 0 };
	struct tempdir below;
	const char *set_aside;
	int status;
	pid_t pid;

	tempdir_make(&w.dir);
	pid = fork_bounded(10);
	if (pid == 0)
		live(&w, change, uses[i].fn);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != STORE_GUARD_EXIT))
		print_message("%s: status %#x\n", uses[i].name, status);
	assert_true(status == 0 || (WIFEXITED(status) && WEXITSTATUS(status) == STORE_GUARD_EXIT));
	assert_int_equal(open_store(&w, &set_aside), 0);
	if (status != 0)
		assert_non_null(set_aside);
	assert_int_equal(answer_put(w.store, 1), 0);
	w.reader = store_reader_open(w.store);
	assert_int_equal(answer_get(w.reader, 1), 1);
	store_reader_close(w.reader);
	store_close(w.store);
	below = dir_of_copy(&w);
	if (access(below.path, F_OK) == 0)
		tempdir_remove(&below);
	tempdir_remove(&w.dir);
}

static void
cut_to_nothing(struct world *w)
{
	if (truncate(tempdir_file(&w->dir, "data.mdb"), 0) != 0)
		_exit(5);
}

static void
cut_to_metas(struct world *w)
{
	if (truncate(tempdir_file(&w->dir, "data.mdb"), (off_t)2 * PAGE) != 0)
		_exit(5);
}

static void
cut_to_some_pages(struct world *w)
{
	if (truncate(tempdir_file(&w->dir, "data.mdb"), (off_t)9 * PAGE) != 0)
		_exit(5);
}

/* In place, as `cp` does it. */
static void
overwrite(struct world *w)
{
	FILE *file = fopen(tempdir_file(&w->dir, "data.mdb"), "r+");

	for (int i = 0; file != NULL && i < 100 * PAGE; i++)
		fputc(i % 251, file);
	if (file == NULL || fclose(file) != 0)
		_exit(5);
}

/* By another file, as `mv` and rsync do it: that which is open is still whole. */
static void
replace(struct world *w)
{
	struct tempdir other = w->dir;
	FILE *file = fopen(tempdir_file(&w->dir, "new"), "w");

	if (file == NULL || fputs("garbage", file) < 0 || fclose(file) != 0 ||
	    rename(tempdir_file(&w->dir, "new"), tempdir_file(&other, "data.mdb")) != 0)
		_exit(5);
}

static void
whatever_is_done_next(void **state)
{
	static use_fn *const changes[] = {
		cut_to_nothing, cut_to_metas, cut_to_some_pages, overwrite, replace,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		for (size_t k = 0; k < ARRAY_LEN(uses); k++)
			change_under(changes[i], k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_is_done_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
