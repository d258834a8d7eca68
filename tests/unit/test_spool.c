/* SPDX-License-Identifier: MIT */
/*
 * test_spool.c - lines come out as they went in, and nobody waits for a sink that is stuck.
 */
#include "base/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <pthread.h>

#include <cmocka.h>

#include "base/buf.h"

#define PUTTERS		4
#define LINES		20000
#define TEXT_MAX	((size_t)8 << 20)

/* Takes what is written, unless it is shut, or broken. */
struct sink {
	pthread_mutex_t	lock;
	pthread_cond_t	changed;
	struct buf	text;
	bool		is_shut;
	bool		is_broken;
	bool		is_entered;	/* somebody waits in it */
};

static void
sink_init(struct sink *sink)
{
	*sink = (struct sink){ .is_shut = false };
	pthread_mutex_init(&sink->lock, NULL);
	pthread_cond_init(&sink->changed, NULL);
	buf_init(&sink->text, TEXT_MAX);
}

static void
sink_done(struct sink *sink)
{
	buf_done(&sink->text);
	pthread_cond_destroy(&sink->changed);
	pthread_mutex_destroy(&sink->lock);
}

static void
open_sink(struct sink *sink)
{
	pthread_mutex_lock(&sink->lock);
	sink->is_shut = false;
	pthread_cond_broadcast(&sink->changed);
	pthread_mutex_unlock(&sink->lock);
}

/* Until the thread of the spool is in there. */
static void
wait_for_entry(struct sink *sink)
{
	pthread_mutex_lock(&sink->lock);
	while (!sink->is_entered)
		pthread_cond_wait(&sink->changed, &sink->lock);
	pthread_mutex_unlock(&sink->lock);
}

static size_t
take(void *arg, struct bytes data)
{
	struct sink *sink = arg;
	size_t taken = data.len;

	pthread_mutex_lock(&sink->lock);
	sink->is_entered = true;
	pthread_cond_broadcast(&sink->changed);
	while (sink->is_shut)
		pthread_cond_wait(&sink->changed, &sink->lock);
	if (sink->is_broken)
		taken = 0;
	else
		assert_int_equal(buf_add(&sink->text, data), 0);
	pthread_mutex_unlock(&sink->lock);
	return taken;
}

static size_t
tell(uint64_t n, char *mem, size_t size)
{
	return (size_t)snprintf(mem, size, "%d dropped\n", (int)n);
}

static struct spool *
start(struct sink *sink, size_t size)
{
	const struct spool_options options = {
		.name = "test", .size = size, .write = take, .arg = sink, .tell = tell,
	};
	struct spool *spool;

	assert_int_equal(spool_start(&options, &spool), 0);
	return spool;
}

static void
stop(struct spool *spool)
{
	assert_true(spool_stop(spool, 60 * USEC_PER_SEC));
}

static bool
is_text(const struct sink *sink, const char *text)
{
	return bytes_eq_str(buf_bytes(&sink->text), text);
}

static void
all_is_written_at_the_end(void **state)
{
	struct spool *spool;
	struct sink sink;

	(void)state;
	sink_init(&sink);
	spool = start(&sink, 1000);
	assert_true(spool_put(spool, BYTES_LIT("a\n")));
	assert_true(spool_put(spool, BYTES_LIT("b\n")));
	stop(spool);
	assert_true(is_text(&sink, "a\nb\n"));
	sink_done(&sink);
}

static void
what_does_not_fit_is_dropped_counted_and_told(void **state)
{
	struct spool *spool;
	struct sink sink;

	(void)state;
	sink_init(&sink);
	sink.is_shut = true;
	spool = start(&sink, 40);
	assert_true(spool_put(spool, BYTES_LIT("first\n")));
	wait_for_entry(&sink);
	while (spool_put(spool, BYTES_LIT("0123456\n")))
		continue;
	assert_false(spool_put(spool, BYTES_LIT("0123456\n")));
	assert_true(spool_put(spool, BYTES_LIT("x\n")));
	assert_int_equal(spool_dropped(spool), 2);
	open_sink(&sink);
	stop(spool);
	assert_true(is_text(&sink,
	    "first\n0123456\n0123456\n0123456\n0123456\nx\n2 dropped\n"));
	sink_done(&sink);
}

static void
what_cannot_be_written_is_counted(void **state)
{
	struct spool *spool;
	struct sink sink;

	(void)state;
	sink_init(&sink);
	sink.is_broken = sink.is_shut = true;
	spool = start(&sink, 100);
	assert_true(spool_put(spool, BYTES_LIT("a\nb\n")));
	wait_for_entry(&sink);
	assert_true(spool_put(spool, BYTES_LIT("c\n")));
	open_sink(&sink);
	while (spool_dropped(spool) < 3)
		assert_true(spool_dropped(spool) <= 3);
	stop(spool);
	assert_true(is_text(&sink, ""));
	sink_done(&sink);
}

static void
a_stuck_sink_does_not_keep_the_end(void **state)
{
	static struct sink sink;	/* its thread has it until the process ends */
	struct spool *spool;

	(void)state;
	sink_init(&sink);
	sink.is_shut = true;
	spool = start(&sink, 100);
	assert_true(spool_put(spool, BYTES_LIT("a\n")));
	wait_for_entry(&sink);
	assert_false(spool_stop(spool, USEC_PER_MSEC));
	open_sink(&sink);
}

struct putter {
	struct spool	*spool;
	pthread_t	 thread;
	int		 number;
	uint64_t	 n_put;
};

static void *
put_lines(void *arg)
{
	struct putter *putter = arg;

	for (int i = 0; i < LINES; i++) {
		char line[64];
		int len = snprintf(line, sizeof(line), "%d %d of some length\n", putter->number, i);

		putter->n_put += spool_put(putter->spool, (struct bytes){ line, (size_t)len });
	}
	return NULL;
}

/* Each line whole, those of one thread in order, and each either there or counted. */
static void
check_lines(struct bytes text, uint64_t n_put)
{
	int last[PUTTERS] = { -1, -1, -1, -1 }, number, i, len;
	uint64_t n = 0;

	while (text.len > 0) {
		struct bytes line = bytes_cut(&text, '\n');
		char copy[64] = "";

		assert_true(line.len < sizeof(copy));
		memcpy(copy, line.ptr, line.len);
		if (strstr(copy, "dropped") != NULL)
			continue;
		len = -1;
		assert_int_equal(sscanf(copy, "%d %d of some length%n", &number, &i, &len), 2);
		assert_int_equal(len, line.len);
		assert_true(i > last[number]);
		last[number] = i;
		n++;
	}
	assert_int_equal(n, n_put);
}

static void
many_threads_never_mix_their_lines(void **state)
{
	struct putter putters[PUTTERS];
	uint64_t n_put = 0, n_dropped;
	struct spool *spool;
	struct sink sink;

	(void)state;
	sink_init(&sink);
	spool = start(&sink, 5000);
	for (int i = 0; i < PUTTERS; i++) {
		putters[i] = (struct putter){ .spool = spool, .number = i };
		assert_int_equal(pthread_create(&putters[i].thread, NULL, put_lines, &putters[i]),
		    0);
	}
	for (int i = 0; i < PUTTERS; i++) {
		pthread_join(putters[i].thread, NULL);
		n_put += putters[i].n_put;
	}
	n_dropped = spool_dropped(spool);
	stop(spool);
	assert_int_equal(n_put + n_dropped, (uint64_t)PUTTERS * LINES);
	check_lines(buf_bytes(&sink.text), n_put);
	sink_done(&sink);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_written_at_the_end),
		cmocka_unit_test(what_does_not_fit_is_dropped_counted_and_told),
		cmocka_unit_test(what_cannot_be_written_is_counted),
		cmocka_unit_test(a_stuck_sink_does_not_keep_the_end),
		cmocka_unit_test(many_threads_never_mix_their_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
