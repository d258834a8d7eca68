/* SPDX-License-Identifier: MIT */
/*
 * test_scribe.c - the writer thread: nothing lost, nothing waited for.
 */
#include "cache/scribe.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/unit/tempdir.h"

#define QUEUE_MAX	((size_t)1 << 20)
#define STORE_SIZE	((uint64_t)64 << 20)
#define THREADS		4
#define PER_THREAD	500

struct fixture {
	struct tempdir		 dir;
	struct store		*store;
	struct store_reader	*reader;
	struct scribe		*scribe;
};

static int
set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct store_options options = { .path = f->dir.path, .size = STORE_SIZE, .readers = 1 };
	const char *set_aside;

	tempdir_make(&f->dir);
	assert_int_equal(store_open(&options, &f->store, &set_aside), 0);
	f->reader = store_reader_open(f->store);
	assert_int_equal(scribe_start(f->store, QUEUE_MAX, &f->scribe), 0);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	scribe_stop(f->scribe);
	store_reader_close(f->reader);
	store_close(f->store);
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

static int
put(struct fixture *f, unsigned n, struct bytes body)
{
	const struct entry entry = {
		.key = key_of(n), .made = clock_wall(), .ttl = 3600 * USEC_PER_SEC, .status = 200,
		.question = BYTES_LIT("q"), .body = body,
	};

	return scribe_put(f->scribe, &entry);
}

static bool
is_stored(struct fixture *f, unsigned n)
{
	struct key key = key_of(n);
	struct entry entry;

	store_reader_reset(f->reader);
	return store_get(f->reader, &key, BYTES_LIT("q"), &entry) == 0;
}

static void
what_is_put_is_stored_after_a_flush(void **state)
{
	struct fixture *f = *state;
	struct scribe_stat stat;

	for (unsigned n = 0; n < 1500; n++)
		assert_int_equal(put(f, n, BYTES_LIT("x")), 0);
	scribe_flush(f->scribe);
	scribe_get_stat(f->scribe, &stat);
	assert_int_equal(stat.stored, 1500);
	assert_int_equal(stat.queued_bytes, 0);
	assert_true(is_stored(f, 0) && is_stored(f, 1499));
}

/* At every moment between put and commit an answer is found in one of the two. */
static void
what_is_on_its_way_is_found(void **state)
{
	struct fixture *f = *state;
	struct entry entry;
	struct key key;
	void *mem = NULL;

	for (unsigned n = 0; n < 200; n++) {
		key = key_of(n);
		assert_int_equal(put(f, n, BYTES_LIT("body")), 0);
		if (scribe_find(f->scribe, &key, BYTES_LIT("q"), &entry, &mem)) {
			assert_true(bytes_eq_str(entry.body, "body"));
			mem = xfree(mem);
		} else {
			assert_true(is_stored(f, n));
		}
	}
	key = key_of(199);
	assert_false(scribe_find(f->scribe, &key, BYTES_LIT("another"), &entry, &mem));
}

static void
of_two_answers_to_one_question_the_last_holds(void **state)
{
	struct fixture *f = *state;
	struct key key = key_of(1);
	struct entry entry;

	assert_int_equal(put(f, 1, BYTES_LIT("old")), 0);
	assert_int_equal(put(f, 1, BYTES_LIT("new")), 0);
	scribe_flush(f->scribe);
	assert_int_equal(store_get(f->reader, &key, BYTES_LIT("q"), &entry), 0);
	assert_true(bytes_eq_str(entry.body, "new"));
}

static void
a_full_queue_refuses_and_counts(void **state)
{
	struct fixture *f = *state;
	char *body = xcalloc(1, QUEUE_MAX);
	struct scribe_stat stat;

	assert_int_equal(put(f, 1, (struct bytes){ body, QUEUE_MAX }), SCRIBE_E_FULL);
	scribe_get_stat(f->scribe, &stat);
	assert_int_equal(stat.refused, 1);
	assert_int_equal(put(f, 2, BYTES_LIT("x")), 0);
	xfree(body);
}

static void
stopping_commits_what_is_queued(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(put(f, 1, BYTES_LIT("x")), 0);
	f->scribe = scribe_stop(f->scribe);
	assert_true(is_stored(f, 1));
}

static void
a_disk_that_refuses_pauses_storing(void **state)
{
	struct fixture *f = *state;
	const struct rlimit none = { 16384, RLIM_INFINITY };
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	char *body = xcalloc(1, QUEUE_MAX / 2);
	struct scribe_stat stat;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(put(f, 1, (struct bytes){ body, QUEUE_MAX / 2 }), 0);
	scribe_flush(f->scribe);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	scribe_get_stat(f->scribe, &stat);
	assert_int_equal(stat.errors, 1);
	assert_true(stat.paused);
	assert_int_equal(put(f, 2, BYTES_LIT("x")), SCRIBE_E_PAUSED);
	assert_false(is_stored(f, 1));
	xfree(body);
}

struct putter {
	struct fixture	*fixture;
	unsigned	 first;
	pthread_t	 thread;
};

static void *
put_many(void *arg)
{
	struct putter *p = arg;
	struct entry entry;
	void *mem = NULL;

	for (unsigned n = p->first; n < p->first + PER_THREAD; n++) {
		struct key key = key_of(n);

		while (put(p->fixture, n, BYTES_LIT("x")) != 0)
			scribe_flush(p->fixture->scribe);
		if (scribe_find(p->fixture->scribe, &key, BYTES_LIT("q"), &entry, &mem))
			mem = xfree(mem);
	}
	return NULL;
}

static void
many_threads_may_put_at_once(void **state)
{
	struct fixture *f = *state;
	struct putter putters[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		struct putter *p = &putters[i];

		*p = (struct putter){ .fixture = f, .first = i * PER_THREAD };
		assert_int_equal(pthread_create(&p->thread, NULL, put_many, p), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(putters[i].thread, NULL);
	scribe_flush(f->scribe);
	for (unsigned n = 0; n < THREADS * PER_THREAD; n++)
		assert_true(is_stored(f, n));
}

/* Of two the later; what is noted last is there after the end. */
static void
what_is_noted_is_written(void **state)
{
	struct fixture *f = *state;
	struct bytes value;

	scribe_note(f->scribe, "note", BYTES_LIT("a"));
	scribe_note(f->scribe, "note", BYTES_LIT("b, and longer"));
	f->scribe = scribe_stop(f->scribe);
	assert_int_equal(store_get_value(f->reader, "note", &value), 0);
	assert_true(bytes_eq_str(value, "b, and longer"));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_put_is_stored_after_a_flush),
		TEST(what_is_noted_is_written),
		TEST(what_is_on_its_way_is_found),
		TEST(of_two_answers_to_one_question_the_last_holds),
		TEST(a_full_queue_refuses_and_counts),
		TEST(stopping_commits_what_is_queued),
		TEST(a_disk_that_refuses_pauses_storing),
		TEST(many_threads_may_put_at_once),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
