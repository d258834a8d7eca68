/* SPDX-License-Identifier: MIT */
/*
 * test_disk.c - F3, F4, F7, H-55: the disk is full, fails, or takes nothing any
 * more.  What is stored goes on being served, storing pauses, counts, and
 * resumes by itself.  Time stands still but when a test moves it.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>

#include "base/clock.h"
#include "cache/scribe.h"
#include "tests/faults/answers.h"
#include "tests/faults/shim.h"

#define STORE_SIZE	(64 * MB)
#define QUEUE_MAX	(4 * MB)
#define FIRST		40		/* answers stored before the fault */
#define PAUSE		(10 * USEC_PER_SEC)
#define FAULTS		40
#define SKIPS		12		/* more calls than one batch makes */

struct world {
	struct tempdir		 dir;
	struct store		*store;
	struct store_reader	*reader;
	struct scribe		*scribe;
	uint64_t		 size;
	bool			 is_strict;
	_Atomic bool		 is_over;
};

/* Far enough away that no wait for it ends by itself. */
static _Atomic usec_t now = (usec_t)1 << 52;

usec_t
clock_mono(void)
{
	return now;
}

usec_t
clock_wall(void)
{
	return MADE;
}

static void
start(struct world *w)
{
	const struct store_options options = {
		.path = w->dir.path, .size = w->size, .readers = 1, .is_strict = w->is_strict,
	};
	const char *set_aside;

	assert_int_equal(store_open(&options, &w->store, &set_aside), 0);
	assert_null(set_aside);
	w->reader = store_reader_open(w->store);
	assert_int_equal(scribe_start(w->store, QUEUE_MAX, &w->scribe), 0);
}

static void
stop(struct world *w)
{
	w->scribe = scribe_stop(w->scribe);
	w->reader = store_reader_close(w->reader);
	w->store = store_close(w->store);
}

static int
put(struct world *w, uint32_t n)
{
	static struct answer answer;
	struct entry entry = answer_make(n, &answer);

	return scribe_put(w->scribe, &entry);
}

static void
put_all(struct world *w, uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n < to; n++)
		assert_int_equal(put(w, n), 0);
	scribe_flush(w->scribe);
}

static void
assert_has(struct world *w, uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n < to; n++)
		assert_int_equal(answer_get(w->reader, n), 1);
}

static struct scribe_stat
stat_of(struct world *w)
{
	struct scribe_stat stat;

	scribe_get_stat(w->scribe, &stat);
	return stat;
}

static int
set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	tempdir_make(&w->dir);
	w->size = STORE_SIZE;
	*state = w;
	start(w);
	put_all(w, 0, FIRST);
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	stop(w);
	tempdir_remove(&w->dir);
	xfree(w);
	return 0;
}

/* The fault is there: what was stored is served, what comes is not stored, and counted. */
static void
meet_fault(struct world *w, uint32_t n)
{
	uint64_t errors = stat_of(w).errors;

	put_all(w, n, n + 10);
	assert_int_equal(stat_of(w).errors, errors + 1);
	assert_true(stat_of(w).last_error < 0);
	assert_true(stat_of(w).paused);
	assert_int_equal(put(w, n), SCRIBE_E_PAUSED);
	assert_has(w, 0, FIRST);
}

/* It is gone: after the pause storing goes on, with nobody doing anything about it. */
static void
get_over_it(struct world *w, uint32_t n)
{
	uint64_t errors = stat_of(w).errors;

	now += PAUSE;
	put_all(w, n, n + 10);
	assert_int_equal(stat_of(w).errors, errors);
	assert_false(stat_of(w).paused);
	assert_has(w, 0, FIRST);
	assert_has(w, n, n + 10);
	stop(w);
	start(w);
	assert_has(w, 0, FIRST);
	assert_has(w, n, n + 10);
}

/* Let each call in turn be the one that fails, until none of them is reached. */
static void
fail_each(struct world *w, enum shim_call call, unsigned n, int error)
{
	uint32_t next = 1000;
	unsigned n_failed = 1, i;

	for (i = 0; i < SKIPS; i++, next += 100) {
		shim_fail(call, i, n, error);
		put_all(w, next, next + 10);
		n_failed = shim_heal();
		if (n_failed == 0)
			break;
		assert_int_equal(stat_of(w).errors, 1);
		assert_true(stat_of(w).paused);
		assert_has(w, 0, FIRST);
		get_over_it(w, next + 50);
	}
	assert_true(i > 0 && n_failed == 0);
}

/* F4: one write fails, whichever it is: that of pages, in a row or alone, or that of the meta. */
static void
one_write_fails(void **state)
{
	fail_each(*state, SHIM_WRITE, 1, EIO);
}

/* As LMDB writes the old meta back when it could not write the new one, that may fail too. */
static void
all_writes_from_one_on_fail(void **state)
{
	fail_each(*state, SHIM_WRITE, SHIM_ALWAYS, EIO);
}

/* F3 as an injection: LMDB passes it on as it is. */
static void
the_disk_is_full_from_one_write_on(void **state)
{
	fail_each(*state, SHIM_WRITE, SHIM_ALWAYS, ENOSPC);
}

static void
one_write_is_short(void **state)
{
	fail_each(*state, SHIM_WRITE, 1, SHIM_SHORT);
}

static void
one_write_fails_in_strict_durability(void **state)
{
	struct world *w = *state;

	stop(w);
	w->is_strict = true;
	start(w);
	fail_each(w, SHIM_WRITE, SHIM_ALWAYS, EIO);
}

/* F4: what a failed sync left undone nobody knows: the file is opened again, not synced again. */
static void
a_sync_fails(void **state)
{
	struct world *w = *state;

	shim_fail(SHIM_SYNC, 0, 1, EIO);
	meet_fault(w, 1000);
	assert_int_equal(shim_heal(), 1);
	assert_true(store_is_broken(w->store));
	now += PAUSE;
	put_all(w, 1100, 1110);
	assert_int_equal(stat_of(w).reopened, 1);
	assert_false(store_is_broken(w->store));
	get_over_it(w, 1200);
}

/* The pause doubles up to five minutes, and is short again once something was stored. */
static void
a_fault_that_lasts_is_asked_after_ever_more_rarely(void **state)
{
	const unsigned seconds[] = { 10, 20, 40, 80, 160, 300, 300 };
	struct world *w = *state;

	shim_fail(SHIM_WRITE, 0, SHIM_ALWAYS, EIO);
	for (unsigned i = 0; i < ARRAY_LEN(seconds); i++) {
		meet_fault(w, 1000);
		now += seconds[i] * USEC_PER_SEC - 1;
		assert_int_equal(put(w, 1000), SCRIBE_E_PAUSED);
		now++;
	}
	shim_heal();
	put_all(w, 1000, 1010);
	shim_fail(SHIM_WRITE, 0, SHIM_ALWAYS, EIO);
	meet_fault(w, 1100);
	shim_heal();
	get_over_it(w, 1200);
}

/* F7: mounted read-only under our feet, so that it cannot even be opened to write. */
static void
a_disk_is_mounted_read_only_and_again_to_write(void **state)
{
	struct world *w = *state;

	shim_fail(SHIM_WRITE, 0, SHIM_ALWAYS, EROFS);
	shim_fail(SHIM_SYNC, 0, SHIM_ALWAYS, EROFS);
	shim_fail(SHIM_OPEN, 0, SHIM_ALWAYS, EROFS);
	meet_fault(w, 1000);
	now += PAUSE;
	meet_fault(w, 1100);
	now += 2 * PAUSE;
	meet_fault(w, 1200);
	shim_heal();
	now += 4 * PAUSE;
	get_over_it(w, 1300);
}

/* Nothing to open any more, for a while: misses and errors, but nobody falls. */
static void
a_file_cannot_be_opened_again(void **state)
{
	struct world *w = *state;
	const struct purge_mark mark = { .before = MADE };
	struct tempdir away = w->dir;
	struct store_stat stat;

	shim_fail(SHIM_SYNC, 0, 1, EIO);
	meet_fault(w, 1000);
	shim_heal();
	memcpy(away.path + strlen(away.path), "-away", sizeof("-away"));
	assert_int_equal(rename(w->dir.path, away.path), 0);
	now += PAUSE;
	put_all(w, 1100, 1110);
	assert_true(stat_of(w).paused);
	assert_int_equal(answer_get(w->reader, 0), 0);
	assert_int_equal(store_purge(w->store, &mark), -EIO);
	assert_int_equal(store_get_stat(w->store, &stat), -EIO);
	assert_int_equal(store_copy_compact(w->store, "/nowhere"), -EIO);
	assert_int_equal(rename(away.path, w->dir.path), 0);
	now += 2 * PAUSE;
	get_over_it(w, 1200);
}

/* F4: a purge that fails is said to have failed, and has the file opened again too. */
static void
a_sync_fails_at_a_purge(void **state)
{
	struct world *w = *state;
	const struct purge_mark mark = { .before = MADE + 1, .model = "m" };

	shim_fail(SHIM_SYNC, 0, 1, EIO);
	assert_int_equal(store_purge(w->store, &mark), -EIO);
	shim_heal();
	assert_true(store_is_broken(w->store));
	now += USEC_PER_SEC;
	put_all(w, 1000, 1010);
	assert_int_equal(stat_of(w).reopened, 1);
	get_over_it(w, 1200);
}

/* A worker: what it finds is right. */
static void *
read_meanwhile(void *arg)
{
	struct world *w = arg;
	struct store_reader *reader = store_reader_open(w->store);
	struct store_stat stat;
	struct entry entry;
	struct key key;
	void *mem;

	for (uint32_t i = 0; !w->is_over; i++) {
		key = answer_key(1000 + i % 400);
		if (scribe_find(w->scribe, &key, BYTES_NONE, &entry, &mem)) {
			assert(answer_is(&entry, 1000 + i % 400));
			xfree(mem);
		}
		assert(answer_get(reader, i % 400) >= 0);
		assert(answer_get(reader, 1000 + i % 400) >= 0);
		if (i % 16 == 0)
			(void)!store_get_stat(w->store, &stat);
	}
	store_reader_close(reader);
	return NULL;
}

/* The admin's thread. */
static void *
purge_meanwhile(void *arg)
{
	const struct purge_mark mark = { .before = MADE + 1, .model = "another" };
	struct world *w = arg;

	while (!w->is_over) {
		(void)!store_purge(w->store, &mark);
		usleep(500);
	}
	return NULL;
}

/* Everybody at work while the file is broken and opened again, over and over. */
static void
workers_read_all_the_while(void **state)
{
	struct world *w = *state;
	pthread_t threads[3];

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
		    i == 0 ? purge_meanwhile : read_meanwhile, w), 0);
	for (unsigned i = 0; i < FAULTS; i++) {
		shim_fail(i % 2 == 0 ? SHIM_SYNC : SHIM_WRITE, 0, 1, EIO);
		for (uint32_t n = 0; n < 10; n++)
			(void)!put(w, 1000 + i * 10 + n);
		scribe_flush(w->scribe);
		shim_heal();
		now += 40 * PAUSE;
	}
	put_all(w, 1000, 1010);
	w->is_over = true;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_true(stat_of(w).reopened >= FAULTS / 3);
	get_over_it(w, 2000);
}

/* F7: it stays so, and the server is told to end. */
static void
ending_on_a_disk_that_takes_nothing(void **state)
{
	struct world *w = *state;

	shim_fail(SHIM_WRITE, 0, SHIM_ALWAYS, EROFS);
	shim_fail(SHIM_OPEN, 0, SHIM_ALWAYS, EROFS);
	assert_int_equal(put(w, 1000), 0);
	stop(w);
	shim_heal();
	start(w);
	assert_has(w, 0, FIRST);
}

/* A disk of a few MB for this process alone; false where that is not allowed. */
static bool
mount_small(const char *path)
{
	return unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("none", path, "tmpfs", 0, "size=6m,mode=0700") == 0;
}

/* Fill what is left of the disk with one more file. */
static void
fill(struct world *w)
{
	static char block[4096];
	FILE *file = fopen(tempdir_file(&w->dir, "ballast"), "w");

	assert_non_null(file);
	while (fwrite(block, 1, sizeof(block), file) == sizeof(block))
		;
	(void)fclose(file);
}

/* As the process of the server: no test of cmocka, but its asserts end it. */
static void
live_on_small_disk(struct world *w)
{
	start(w);
	put_all(w, 0, FIRST);
	fill(w);
	meet_fault(w, 1000);
	stop(w);
	start(w);
	assert_has(w, 0, FIRST);
	meet_fault(w, 1000);
	unlink(tempdir_file(&w->dir, "ballast"));
	get_over_it(w, 1100);
	/* F8: started where nothing can be written. */
	stop(w);
	assert_int_equal(mount(NULL, w->dir.path, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	start(w);
	assert_true(store_is_read_only(w->store));
	assert_has(w, 0, FIRST);
	meet_fault(w, 2000);
	stop(w);
}

/* F3 in earnest: a tmpfs of 6 MB, as the kernel fills it. */
static void
a_real_disk_is_full(void **state)
{
	struct world *w = *state, small = { .size = STORE_SIZE };
	int status;
	pid_t pid;

	stop(w);
	tempdir_make(&small.dir);
	pid = fork_bounded(20);
	if (pid == 0) {
		if (!mount_small(small.dir.path))
			_exit(77);
		live_on_small_disk(&small);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	tempdir_remove(&small.dir);
	start(w);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		print_message("F3: no mount is allowed here, tried by injection alone\n");
	else
		assert_int_equal(status, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(one_write_fails),
		TEST(all_writes_from_one_on_fail),
		TEST(the_disk_is_full_from_one_write_on),
		TEST(one_write_is_short),
		TEST(one_write_fails_in_strict_durability),
		TEST(a_sync_fails),
		TEST(a_sync_fails_at_a_purge),
		TEST(a_fault_that_lasts_is_asked_after_ever_more_rarely),
		TEST(a_disk_is_mounted_read_only_and_again_to_write),
		TEST(workers_read_all_the_while),
		TEST(a_file_cannot_be_opened_again),
		TEST(ending_on_a_disk_that_takes_nothing),
		TEST(a_real_disk_is_full),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
