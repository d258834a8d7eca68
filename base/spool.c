/* SPDX-License-Identifier: MIT */
/*
 * spool.c - a ring of bytes under a mutex that is held to copy a line, never to write.
 *
 *	mem   [ ... head ===== lines ===== tail ... ]	and round again
 *
 * What the thread writes stays in the ring until it is written, so nothing is copied twice.
 */
#include "base/spool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

#define CHUNK_MAX	((size_t)16 << 10)
#define REST_NSEC	2000000		/* between writes, where nobody is kept waiting */
#define TOLD_MAX	256
#define NSEC_PER_USEC	1000

struct spool {
	struct spool_options	 options;
	pthread_t		 thread;
	pthread_mutex_t		 lock;		/* of all below */
	pthread_cond_t		 has_lines;	/* told only to a thread that waits for it */
	pthread_cond_t		 is_over;
	char			*mem;
	size_t			 head;
	size_t			 len;
	uint64_t		 untold;	/* dropped, and not told yet */
	_Atomic uint64_t	 dropped;	/* others may look */
	bool			 is_waiting;
	bool			 is_stopping;
	bool			 has_ended;
	bool			 is_left;	/* to its thread, which frees it */
};

static size_t
room(const struct spool *spool)
{
	return spool->options.size - spool->len;
}

/* What there is room for; in two parts where it goes round. */
static void
copy_in(struct spool *spool, struct bytes line)
{
	size_t size = spool->options.size, tail = (spool->head + spool->len) % size;
	struct bytes first = bytes_first(line, size - tail), rest = bytes_skip(line, first.len);

	memcpy(spool->mem + tail, first.ptr, first.len);
	if (rest.len > 0)
		memcpy(spool->mem, rest.ptr, rest.len);
	spool->len += line.len;
}

static void
note_dropped(struct spool *spool, uint64_t n)
{
	uint64_t dropped = atomic_load_explicit(&spool->dropped, memory_order_relaxed);

	atomic_store_explicit(&spool->dropped, dropped + n, memory_order_relaxed);
}

bool
spool_put(struct spool *spool, struct bytes line)
{
	bool has_room;

	pthread_mutex_lock(&spool->lock);
	has_room = line.len <= room(spool);
	if (has_room) {
		copy_in(spool, line);
	} else {
		note_dropped(spool, 1);
		spool->untold++;
	}
	if (spool->is_waiting) {
		spool->is_waiting = false;
		pthread_cond_signal(&spool->has_lines);
	}
	pthread_mutex_unlock(&spool->lock);
	return has_room;
}

uint64_t
spool_dropped(const struct spool *spool)
{
	return atomic_load_explicit(&spool->dropped, memory_order_relaxed);
}

/* Once there is so much room that it does not look as if more would be dropped at once. */
static void
tell_dropped(struct spool *spool)
{
	char line[TOLD_MAX];
	size_t len;

	if (spool->untold == 0 || spool->options.tell == NULL ||
	    room(spool) < spool->options.size / 4)
		return;
	len = spool->options.tell(spool->untold, line, sizeof(line));
	if (len > room(spool))
		return;
	copy_in(spool, (struct bytes){ line, len });
	spool->untold = 0;
}

/* False at the end of all lines. */
static bool
wait_for_lines(struct spool *spool)
{
	while (spool->len == 0 && !spool->is_stopping) {
		spool->is_waiting = true;
		pthread_cond_wait(&spool->has_lines, &spool->lock);
	}
	spool->is_waiting = false;
	return spool->len > 0;
}

static struct bytes
next_chunk(const struct spool *spool)
{
	size_t until_end = spool->options.size - spool->head;
	size_t len = spool->len < until_end ? spool->len : until_end;

	return (struct bytes){ spool->mem + spool->head, len < CHUNK_MAX ? len : CHUNK_MAX };
}

static uint64_t
count_lines(struct bytes text)
{
	uint64_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == '\n';
	return n;
}

/* The lock is held before and after, but not while it is written. */
static void
write_chunk(struct spool *spool)
{
	struct bytes chunk = next_chunk(spool);
	size_t written;

	pthread_mutex_unlock(&spool->lock);
	written = spool->options.write(spool->options.arg, chunk);
	pthread_mutex_lock(&spool->lock);
	if (written < chunk.len)
		note_dropped(spool, count_lines(bytes_skip(chunk, written)));
	spool->head = (spool->head + chunk.len) % spool->options.size;
	spool->len -= chunk.len;
}

/* So that what comes meanwhile is written together, and nobody has to wake us for it. */
static void
rest(struct spool *spool)
{
	const struct timespec time = { .tv_nsec = REST_NSEC };

	pthread_mutex_unlock(&spool->lock);
	nanosleep(&time, NULL);
	pthread_mutex_lock(&spool->lock);
}

static void
spool_free(struct spool *spool)
{
	pthread_cond_destroy(&spool->is_over);
	pthread_cond_destroy(&spool->has_lines);
	pthread_mutex_destroy(&spool->lock);
	xfree(spool->mem);
	xfree(spool);
}

static void *
run(void *arg)
{
	struct spool *spool = arg;
	bool is_left;

	pthread_mutex_lock(&spool->lock);
	while (wait_for_lines(spool)) {
		write_chunk(spool);
		tell_dropped(spool);
		if (spool->len == 0 && !spool->is_stopping)
			rest(spool);
	}
	spool->has_ended = true;
	is_left = spool->is_left;
	pthread_cond_signal(&spool->is_over);
	pthread_mutex_unlock(&spool->lock);
	if (is_left)
		spool_free(spool);
	return NULL;
}

static void
init_is_over(struct spool *spool)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&spool->is_over, &attr);
	pthread_condattr_destroy(&attr);
}

int
spool_start(const struct spool_options *options, struct spool **ret_spool)
{
	struct spool *spool = xcalloc(1, sizeof(*spool));
	int r;

	spool->options = *options;
	spool->mem = xcalloc(1, options->size);
	pthread_mutex_init(&spool->lock, NULL);
	pthread_cond_init(&spool->has_lines, NULL);
	init_is_over(spool);
	r = -pthread_create(&spool->thread, NULL, run, spool);
	if (r < 0) {
		spool_free(spool);
		return r;
	}
	(void)pthread_setname_np(spool->thread, options->name);
	*ret_spool = spool;
	return 0;
}

static bool
wait_for_end(struct spool *spool, usec_t patience)
{
	struct timespec until;
	long nsec;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	nsec = until.tv_nsec + patience % USEC_PER_SEC * NSEC_PER_USEC;
	until.tv_sec += patience / USEC_PER_SEC + nsec / 1000000000;
	until.tv_nsec = nsec % 1000000000;
	while (!spool->has_ended && r == 0)
		r = pthread_cond_timedwait(&spool->is_over, &spool->lock, &until);
	return spool->has_ended;
}

bool
spool_stop(struct spool *spool, usec_t patience)
{
	bool has_ended;

	pthread_mutex_lock(&spool->lock);
	spool->is_stopping = true;
	pthread_cond_signal(&spool->has_lines);
	has_ended = wait_for_end(spool, patience);
	spool->is_left = !has_ended;
	if (!has_ended)
		pthread_detach(spool->thread);
	pthread_mutex_unlock(&spool->lock);
	if (!has_ended)
		return false;
	pthread_join(spool->thread, NULL);
	spool_free(spool);
	return true;
}
