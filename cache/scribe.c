/* SPDX-License-Identifier: MIT */
/*
 * scribe.c - a queue, a thread, and a table of what is on its way.
 *
 * An item is in the table from scribe_put() until its commit is over, so that
 * a question asked again meanwhile finds its answer.
 */
#include "cache/scribe.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#define NOTE_MAX	((size_t)16 << 20)
#define BATCH_MAX	1000
#define BATCH_TIME	(50 * USEC_PER_MSEC)
#define PAUSE_MIN	(10 * USEC_PER_SEC)
#define PAUSE_MAX	(300 * USEC_PER_SEC)
#define PAUSE_FULL	(500 * USEC_PER_MSEC)	/* no room: a moment is enough to make some */
#define BUCKETS		4096
#define TALLY_TIME	(5 * USEC_PER_SEC)
#define CHECK_TIME	(1 * USEC_PER_SEC)

struct item {
	struct item	*next;		/* in the queue */
	struct item	*bucket_next;
	struct key	 key;
	struct buf	 encoded;
	usec_t		 queued;
};

struct scribe {
	struct store		*store;		/* borrowed: outlives us */
	pthread_t		 thread;
	pthread_mutex_t		 lock;		/* of all below */
	pthread_cond_t		 work;
	pthread_cond_t		 progress;
	struct item		*queue;
	struct item		**queue_end;
	struct item		*buckets[BUCKETS];	/* newest first */
	size_t			 queue_max;
	uint64_t		 n_put;
	uint64_t		 n_done;
	struct scribe_stat	 stat;
	usec_t			 pause;		/* how long the next one takes */
	usec_t			 paused_until;
	struct tally		*tally;			/* not yet written down */
	usec_t			 tally_due;		/* 0: nothing to write */
	usec_t			 checked;		/* when readers were looked at */
	const char		*note_name;	/* NULL: nothing to note */
	struct buf		 note;
	unsigned		 n_flushing;
	bool			 is_stopping;
};

static struct item **
bucket_of(struct scribe *scribe, const struct key *key)
{
	uint32_t n;

	memcpy(&n, key->bytes, sizeof(n));
	return &scribe->buckets[n % BUCKETS];
}

static void
remove_item(struct scribe *scribe, struct item *item)
{
	struct item **p = bucket_of(scribe, &item->key);

	while (*p != item)
		p = &(*p)->bucket_next;
	*p = item->bucket_next;
	scribe->stat.queued_bytes -= buf_len(&item->encoded);
	buf_done(&item->encoded);
	xfree(item);
}

static void
wait_until(struct scribe *scribe, usec_t when)
{
	const struct timespec ts = {
		.tv_sec = when / USEC_PER_SEC,
		.tv_nsec = when % USEC_PER_SEC * 1000,
	};

	pthread_cond_timedwait(&scribe->work, &scribe->lock, &ts);
}

static bool
is_batch_full(const struct scribe *scribe)
{
	return scribe->is_stopping || scribe->n_flushing > 0 ||
	    scribe->n_put - scribe->n_done >= BATCH_MAX;
}

static bool
is_tally_due(const struct scribe *scribe)
{
	return scribe->tally_due != 0 &&
	    (scribe->is_stopping || scribe->n_flushing > 0 || clock_mono() >= scribe->tally_due);
}

/* Wait for a batch worth a commit or a tally that is due; false at the end of all work. */
static bool
wait_for_work(struct scribe *scribe)
{
	while (scribe->queue == NULL && scribe->note_name == NULL && !scribe->is_stopping &&
	    !is_tally_due(scribe)) {
		if (scribe->tally_due != 0)
			wait_until(scribe, scribe->tally_due);
		else
			pthread_cond_wait(&scribe->work, &scribe->lock);
	}
	while (scribe->queue != NULL && !is_batch_full(scribe) &&
	    clock_mono() < scribe->queue->queued + BATCH_TIME)
		wait_until(scribe, scribe->queue->queued + BATCH_TIME);
	return scribe->queue != NULL || scribe->note_name != NULL || is_tally_due(scribe);
}

static struct item *
take_batch(struct scribe *scribe, size_t *ret_n)
{
	struct item *first = scribe->queue, **p = &scribe->queue;
	size_t n, bytes = 0, bytes_max = store_batch_max(scribe->store);

	for (n = 0; n < BATCH_MAX && *p != NULL; n++) {
		bytes += buf_len(&(*p)->encoded);
		if (n > 0 && bytes > bytes_max)
			break;
		p = &(*p)->next;
	}
	scribe->queue = *p;
	*p = NULL;
	if (scribe->queue == NULL)
		scribe->queue_end = &scribe->queue;
	*ret_n = n;
	return first;
}

static int
commit(struct scribe *scribe, const struct item *first, size_t n)
{
	struct entry *entries = xcalloc(n, sizeof(*entries));
	size_t i = 0;
	int r;

	for (const struct item *item = first; item != NULL; item = item->next) {
		/* Whoever encoded it was here: it is not summed up again. */
		r = entry_peek(buf_bytes(&item->encoded), &entries[i++]);
		assert(r == 0);
	}
	r = store_put(scribe->store, entries, n, clock_wall());
	xfree(entries);
	return r;
}

static void
note_commit(struct scribe *scribe, size_t n, int r)
{
	scribe->n_done += n;
	if (r == 0) {
		scribe->stat.stored += n;
		scribe->pause = PAUSE_MIN;
		return;
	}
	scribe->stat.errors++;
	scribe->stat.last_error = r == STORE_E_FULL ? -ENOSPC : r;
	if (r == STORE_E_FULL) {
		scribe->paused_until = clock_mono() + PAUSE_FULL;
		return;
	}
	scribe->paused_until = clock_mono() + scribe->pause;
	scribe->pause = scribe->pause * 2 < PAUSE_MAX ? scribe->pause * 2 : PAUSE_MAX;
}

/* Commit the next batch; entered and left with the lock. */
static void
write_batch(struct scribe *scribe)
{
	struct item *first, *next;
	size_t n;
	int r;

	first = take_batch(scribe, &n);
	pthread_mutex_unlock(&scribe->lock);
	r = commit(scribe, first, n);
	pthread_mutex_lock(&scribe->lock);
	for (struct item *item = first; item != NULL; item = next) {
		next = item->next;
		remove_item(scribe, item);
	}
	note_commit(scribe, n, r);
	pthread_cond_broadcast(&scribe->progress);
}

/* What was counted before, and what is new. */
static int
write_down(struct scribe *scribe, struct tally *tally)
{
	struct store_reader *reader = store_reader_open(scribe->store);
	struct bytes before;
	struct buf text;
	int r;

	if (store_get_value(reader, TALLY_NAME, &before) == 0)
		tally_read(tally, before);
	else if (store_get_value(reader, TALLY_OLD_NAME, &before) == 0)
		tally_read_old(tally, before);
	store_reader_close(reader);
	buf_init(&text, TALLY_TEXT_MAX);
	r = tally_write(tally, &text);
	if (r == 0)
		r = store_put_value(scribe->store, TALLY_NAME, buf_bytes(&text));
	buf_done(&text);
	return r;
}

/* Counts that cannot be written are no reason to pause, and not worth a second try. */
static void
write_tally(struct scribe *scribe)
{
	struct tally *tally = tally_new();

	tally_move(tally, scribe->tally);
	scribe->tally_due = 0;
	pthread_mutex_unlock(&scribe->lock);
	(void)!write_down(scribe, tally);
	pthread_mutex_lock(&scribe->lock);
	tally_free(tally);
}

static void
write_note(struct scribe *scribe)
{
	const char *name = take_ptr(&scribe->note_name);
	struct buf note = scribe->note;

	buf_init(&scribe->note, NOTE_MAX);
	pthread_mutex_unlock(&scribe->lock);
	(void)!store_put_value(scribe->store, name, buf_bytes(&note));
	buf_done(&note);
	pthread_mutex_lock(&scribe->lock);
	pthread_cond_broadcast(&scribe->progress);
}

/* H-52, H-55: who keeps old pages, and is the file still to be written to? */
static void
look_after(struct scribe *scribe)
{
	usec_t now = clock_mono();
	bool is_broken = store_is_broken(scribe->store);
	int pid = 0, r = 0;

	if (now - scribe->checked < CHECK_TIME)
		return;
	scribe->checked = now;
	pthread_mutex_unlock(&scribe->lock);
	if (is_broken)
		r = store_reopen(scribe->store);
	if (r == 0)
		(void)!store_check_readers(scribe->store, &pid);
	pthread_mutex_lock(&scribe->lock);
	scribe->stat.slow_reader = pid;
	scribe->stat.reopened += is_broken && r == 0;
}

static void *
run_scribe(void *arg)
{
	struct scribe *scribe = arg;

	pthread_mutex_lock(&scribe->lock);
	while (wait_for_work(scribe)) {
		scribe->stat.busy_since = clock_mono();
		look_after(scribe);
		if (is_tally_due(scribe))
			write_tally(scribe);
		if (scribe->note_name != NULL)
			write_note(scribe);
		if (scribe->queue != NULL)
			write_batch(scribe);
		scribe->stat.busy_since = 0;
	}
	pthread_mutex_unlock(&scribe->lock);
	return NULL;
}

int
scribe_start(struct store *store, size_t queue_max, struct scribe **ret_scribe)
{
	struct scribe *scribe = xcalloc(1, sizeof(*scribe));
	pthread_condattr_t attr;
	int r;

	scribe->store = store;
	scribe->queue_end = &scribe->queue;
	scribe->queue_max = queue_max;
	scribe->pause = PAUSE_MIN;
	scribe->tally = tally_new();
	buf_init(&scribe->note, NOTE_MAX);
	pthread_mutex_init(&scribe->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&scribe->work, &attr);
	pthread_cond_init(&scribe->progress, &attr);
	pthread_condattr_destroy(&attr);
	r = -pthread_create(&scribe->thread, NULL, run_scribe, scribe);
	if (r < 0) {
		tally_free(scribe->tally);
		buf_done(&scribe->note);
		xfree(scribe);
		return r;
	}
	(void)pthread_setname_np(scribe->thread, "scribe");
	*ret_scribe = scribe;
	return 0;
}

struct scribe *
scribe_stop(struct scribe *scribe)
{
	if (scribe == NULL)
		return NULL;
	pthread_mutex_lock(&scribe->lock);
	scribe->is_stopping = true;
	pthread_cond_signal(&scribe->work);
	pthread_mutex_unlock(&scribe->lock);
	pthread_join(scribe->thread, NULL);
	assert(scribe->queue == NULL && scribe->stat.queued_bytes == 0);
	pthread_cond_destroy(&scribe->progress);
	pthread_cond_destroy(&scribe->work);
	pthread_mutex_destroy(&scribe->lock);
	tally_free(scribe->tally);
	buf_done(&scribe->note);
	return xfree(scribe);
}

/* 0, or why the queue does not take LEN bytes more. */
static int
check_room(struct scribe *scribe, size_t len)
{
	if (clock_mono() < scribe->paused_until)
		return SCRIBE_E_PAUSED;
	if (scribe->stat.queued_bytes + len > scribe->queue_max)
		return SCRIBE_E_FULL;
	return 0;
}

static void
add_item(struct scribe *scribe, struct item *item)
{
	struct item **bucket = bucket_of(scribe, &item->key);

	item->bucket_next = *bucket;
	*bucket = item;
	*scribe->queue_end = item;
	scribe->queue_end = &item->next;
	scribe->stat.queued_bytes += buf_len(&item->encoded);
	scribe->n_put++;
	/* The first starts the clock of its batch, the last ends it. */
	if (scribe->queue == item || is_batch_full(scribe))
		pthread_cond_signal(&scribe->work);
}

static struct item *
item_new(const struct entry *entry, size_t len_max)
{
	struct item *item = xcalloc(1, sizeof(*item));

	item->key = entry->key;
	item->queued = clock_mono();
	buf_init(&item->encoded, len_max);
	if (entry_encode(entry, &item->encoded) == 0)
		return item;
	buf_done(&item->encoded);
	return xfree(item);
}

int
scribe_put(struct scribe *scribe, const struct entry *entry)
{
	struct item *item = item_new(entry, scribe->queue_max);
	int r = SCRIBE_E_FULL;

	pthread_mutex_lock(&scribe->lock);
	if (item != NULL)
		r = check_room(scribe, buf_len(&item->encoded));
	if (r == 0)
		add_item(scribe, item);
	else
		scribe->stat.refused++;
	pthread_mutex_unlock(&scribe->lock);
	if (r != 0 && item != NULL) {
		buf_done(&item->encoded);
		xfree(item);
	}
	return r;
}

static bool
copy_entry(const struct item *item, struct bytes question, struct entry *ret_entry, void **ret_mem)
{
	struct bytes bytes = buf_bytes(&item->encoded);
	struct entry entry;
	void *mem;

	if (entry_decode(bytes, &entry) != 0 ||
	    (question.ptr != NULL && !entry_answers(&entry, question)))
		return false;
	mem = mem_try_realloc(NULL, bytes.len);
	if (mem == NULL)
		return false;
	memcpy(mem, bytes.ptr, bytes.len);
	if (entry_decode((struct bytes){ mem, bytes.len }, ret_entry) != 0)
		unreachable("the same bytes were an entry a moment ago");
	*ret_mem = mem;
	return true;
}

bool
scribe_find(struct scribe *scribe, const struct key *key, struct bytes question,
    struct entry *ret_entry, void **ret_mem)
{
	bool is_found = false;
	struct item *item;

	pthread_mutex_lock(&scribe->lock);
	item = *bucket_of(scribe, key);
	while (item != NULL && memcmp(&item->key, key, sizeof(*key)) != 0)
		item = item->bucket_next;
	if (item != NULL)
		is_found = copy_entry(item, question, ret_entry, ret_mem);
	pthread_mutex_unlock(&scribe->lock);
	return is_found;
}

void
scribe_tally(struct scribe *scribe, struct tally *tally)
{
	if (tally_is_empty(tally))
		return;
	pthread_mutex_lock(&scribe->lock);
	tally_move(scribe->tally, tally);
	if (scribe->tally_due == 0) {
		scribe->tally_due = clock_mono() + TALLY_TIME;
		pthread_cond_signal(&scribe->work);
	}
	pthread_mutex_unlock(&scribe->lock);
}

void
scribe_note(struct scribe *scribe, const char *name, struct bytes text)
{
	pthread_mutex_lock(&scribe->lock);
	buf_consume(&scribe->note, buf_len(&scribe->note));
	if (buf_add(&scribe->note, text) == 0) {
		scribe->note_name = name;
		pthread_cond_signal(&scribe->work);
	}
	pthread_mutex_unlock(&scribe->lock);
}

void
scribe_flush(struct scribe *scribe)
{
	uint64_t until;

	pthread_mutex_lock(&scribe->lock);
	until = scribe->n_put;
	scribe->n_flushing++;
	pthread_cond_signal(&scribe->work);
	while (scribe->n_done < until)
		pthread_cond_wait(&scribe->progress, &scribe->lock);
	scribe->n_flushing--;
	pthread_mutex_unlock(&scribe->lock);
}

void
scribe_get_stat(struct scribe *scribe, struct scribe_stat *ret_stat)
{
	pthread_mutex_lock(&scribe->lock);
	*ret_stat = scribe->stat;
	ret_stat->paused = clock_mono() < scribe->paused_until;
	pthread_mutex_unlock(&scribe->lock);
}
