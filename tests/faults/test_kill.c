/* SPDX-License-Identifier: MIT */
/*
 * test_kill.c - F1, H-56: a process that stores and reads is killed at any
 * moment, ROUNDS times over the same file.  What is found afterwards is whole,
 * and is all but the last batch.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "cache/scribe.h"
#include "cache/store_guard.h"
#include "tests/faults/answers.h"

#define ROUNDS		200
#define STORE_SIZE	(4 * MB)
#define QUEUE_MAX	MB
#define LIFE_MAX	60	/* ms */
#define FLUSH_EVERY	64

/* What both processes see. */
struct shared {
	_Atomic uint32_t	first;		/* number of the first answer of this round */
	_Atomic uint32_t	next;		/* numbers below were given to the scribe */
	_Atomic uint32_t	committed;	/* numbers below it had written down */
	_Atomic uint32_t	n_read;
	const char *_Atomic	failure;	/* a static text, so the same in both */
};

struct world {
	struct tempdir	 dir;
	struct shared	*shared;
	struct store	*store;
	uint64_t	 n_found;
	uint64_t	 n_lost;	/* given, not found again */
	uint32_t	 newest;
	usec_t		 slowest;	/* opening */
};

static int
open_store(struct world *w, const char **ret_set_aside)
{
	const struct store_options options = {
		.path = w->dir.path, .size = STORE_SIZE, .readers = 2,
	};

	return store_open(&options, &w->store, ret_set_aside);
}

static bool
verify(void *arg, uint64_t seq, struct bytes encoded)
{
	struct world *w = arg;
	struct entry entry;

	(void)seq;
	if (entry_decode(encoded, &entry) != 0 || !answer_is(&entry, answer_number(&entry.key)))
		atomic_store(&w->shared->failure, "a wrong answer was read");
	return atomic_fetch_add(&w->shared->n_read, 1) % 20 != 0;
}

/* From the new end, where it is busiest; by a walk, which spares nothing from eviction. */
static void *
read_all_the_time(void *arg)
{
	struct world *w = arg;
	struct store_reader *reader = store_reader_open(w->store);

	while (store_walk(reader, true, verify, w) == 0)
		;
	atomic_store(&w->shared->failure, "it could not be read");
	return NULL;
}

/* The scribe takes them in turn, so as many as it stored are the first of them. */
static void
note_stored(struct world *w, struct scribe *scribe)
{
	struct scribe_stat stat;

	scribe_get_stat(scribe, &stat);
	/* -ENOSPC: the reader got no time for ten commits, and the bound comes first (H-52). */
	if (stat.errors > 0 && stat.last_error != -ENOSPC)
		atomic_store(&w->shared->failure, strerror(-stat.last_error));
	if (stat.stored > 0)
		atomic_store(&w->shared->committed,
		    atomic_load(&w->shared->first) + (uint32_t)stat.stored);
}

static void
store_until_killed(struct world *w)
{
	static struct answer answer;
	const char *set_aside;
	struct scribe *scribe;
	pthread_t thread;

	if (open_store(w, &set_aside) != 0 || set_aside != NULL ||
	    scribe_start(w->store, QUEUE_MAX, &scribe) != 0 ||
	    pthread_create(&thread, NULL, read_all_the_time, w) != 0) {
		atomic_store(&w->shared->failure, "it did not start as it should");
		_exit(1);
	}
	for (uint32_t n = atomic_load(&w->shared->first);; n++) {
		struct entry entry = answer_make(n, &answer);

		entry.ttl = clock_wall();	/* far from over */
		atomic_store(&w->shared->next, n + 1);
		while (scribe_put(scribe, &entry) != 0)
			scribe_flush(scribe);
		if (n % FLUSH_EVERY == 0)
			scribe_flush(scribe);
		note_stored(w, scribe);
	}
}

static void
kill_after(struct world *w, usec_t life)
{
	const struct timespec ts = { .tv_nsec = life * 1000 };
	int status;
	pid_t pid = fork_bounded(20);

	if (pid == 0)
		store_until_killed(w);
	nanosleep(&ts, NULL);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	if (atomic_load(&w->shared->failure) != NULL)
		fail_msg("%s", atomic_load(&w->shared->failure));
}

static bool
see(void *arg, uint64_t seq, struct bytes encoded)
{
	struct world *w = arg;
	struct entry entry;
	uint32_t n;

	(void)seq;
	assert_int_equal(entry_decode(encoded, &entry), 0);
	n = answer_number(&entry.key);
	assert_true(answer_is(&entry, n));
	assert_true(n < atomic_load(&w->shared->next));
	if (n > w->newest)
		w->newest = n;
	w->n_found++;
	return true;
}

static void
look_what_is_there(struct world *w)
{
	uint32_t next = atomic_load(&w->shared->next);
	struct store_reader *reader;
	const char *set_aside;
	usec_t began = clock_mono(), took;

	assert_int_equal(open_store(w, &set_aside), 0);
	took = clock_mono() - began;
	w->slowest = took > w->slowest ? took : w->slowest;
	assert_null(set_aside);
	assert_int_equal(tempdir_count(&w->dir, "opening"), 0);
	reader = store_reader_open(w->store);
	w->newest = 0;
	assert_int_equal(store_walk(reader, true, see, w), 0);
	/* Nothing that the scribe said it had stored is lost, if this round came to store. */
	assert_true(w->newest + 1 >= atomic_load(&w->shared->committed));
	for (uint32_t n = atomic_load(&w->shared->first); n < w->newest; n++)
		if (n + 10 > w->newest)
			assert_int_equal(answer_get(reader, n), 1);
	w->n_lost += next - 1 - w->newest;
	store_reader_close(reader);
	w->store = store_close(w->store);
	/* What was lost may be written anew; a number is never used for two. */
	atomic_store(&w->shared->first, next);
	atomic_store(&w->shared->committed, 0);
}

static void
killed_at_any_moment(void **state)
{
	unsigned rounds = number_of("ROUNDS", ROUNDS);
	struct world *w = xcalloc(1, sizeof(*w));
	const char *set_aside;
	usec_t began = clock_mono();

	(void)state;
	srandom(number_of("SEED", 1));
	w->shared = mmap(NULL, sizeof(*w->shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(w->shared, MAP_FAILED);
	tempdir_make(&w->dir);
	atomic_store(&w->shared->first, 1);
	atomic_store(&w->shared->next, 1);
	assert_int_equal(open_store(w, &set_aside), 0);
	assert_int_equal(answer_put(w->store, 0), 0);
	w->store = store_close(w->store);
	for (unsigned i = 0; i < rounds; i++) {
		/* A quarter dies while it opens the file. */
		usec_t life = i % 4 == 0 ? random() % 4000 : random() % (LIFE_MAX * 1000);

		kill_after(w, life);
		look_what_is_there(w);
	}
	assert_int_equal(tempdir_count(&w->dir, "data.mdb.bad-"), 0);
	print_message("F1: %u rounds in %.1f s, %u stored, %u read, %.1f lost a round, "
	    "opened in %.1f ms at most\n", rounds, (double)(clock_mono() - began) / 1e6,
	    atomic_load(&w->shared->next), atomic_load(&w->shared->n_read),
	    (double)w->n_lost / rounds, (double)w->slowest / 1e3);
	tempdir_remove(&w->dir);
	munmap(w->shared, sizeof(*w->shared));
	xfree(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
