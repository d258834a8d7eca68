/* SPDX-License-Identifier: MIT */
/*
 * exporter.c - two buffers: what waits, under a lock, and the batch that is being sent.
 */
#include "proxy/exporter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "proxy/net/fetch.h"
#include "proxy/version.h"

#define WAITING_MAX	((size_t)4 << 20)
#define BATCH_SPANS	512
#define BATCH_TIME	(5 * USEC_PER_SEC)
#define PAUSE_MIN	(1 * USEC_PER_SEC)
#define PAUSE_MAX	(60 * USEC_PER_SEC)
#define FLUSH_TIME	(1 * USEC_PER_SEC)
#define CONNECT_TIME	(5 * USEC_PER_SEC)
#define TOTAL_TIME	(10 * USEC_PER_SEC)
#define UNIX_PREFIX	"unix:"
#define UNIX_URL	"http://localhost/v1/traces"
#define FRAME_MAX	((size_t)4 << 10)
#define ANSWER_MAX	((size_t)64 << 10)

static const struct bytes before = BYTES_LIT("{\"resourceSpans\":[{\"resource\":{\"attributes\":["
    "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"reprise\"}},"
    "{\"key\":\"service.version\",\"value\":{\"stringValue\":\"" VERSION "\"}}]},"
    "\"scopeSpans\":[{\"scope\":{\"name\":\"reprise\"},\"spans\":[");
static const struct bytes behind = BYTES_LIT("]}]}]}");

struct exporter {
	struct loop		*loop;		/* borrowed: outlive us */
	struct multi		*multi;
	pthread_mutex_t		 lock;
	struct buf		 waiting;	/* under the lock: spans, with commas between */
	unsigned		 n_waiting;	/* likewise */
	_Atomic uint64_t	 dropped;
	struct loop_task	 task;		/* of the main thread, as all below */
	struct loop_mail	 mail;
	struct loop_timer	*timer;
	char			*url;		/* NULL: nowhere */
	char			*ca_file;
	struct buf		 batch;		/* a whole body; empty: there is none */
	unsigned		 n_batch;
	struct fetch		*fetch;
	usec_t			 pause;		/* how long the last one was; 0: all is well */
	usec_t			 due;		/* not before this is it sent again */
	usec_t			 flush_end;	/* 0: not the end yet */
	bool			 is_told;	/* that it fails */
};

static void
on_time(void *arg)
{
	struct exporter *exporter = arg;

	loop_task_wake(&exporter->task);
}

static void
drop(struct exporter *exporter, uint64_t n)
{
	atomic_fetch_add_explicit(&exporter->dropped, n, memory_order_relaxed);
}

void
exporter_put(struct exporter *exporter, struct bytes span)
{
	bool is_full_batch, has_room;

	pthread_mutex_lock(&exporter->lock);
	has_room = buf_len(&exporter->waiting) + span.len + 1 <= WAITING_MAX;
	if (has_room)
		has_room = (exporter->n_waiting == 0 ||
		    buf_add_str(&exporter->waiting, ",") == 0) &&
		    buf_add(&exporter->waiting, span) == 0;
	exporter->n_waiting += has_room;
	is_full_batch = has_room && exporter->n_waiting == BATCH_SPANS;
	pthread_mutex_unlock(&exporter->lock);
	if (!has_room)
		drop(exporter, 1);
	if (is_full_batch)
		loop_post(&exporter->mail);
}

uint64_t
exporter_dropped(const struct exporter *exporter)
{
	return atomic_load_explicit(&exporter->dropped, memory_order_relaxed);
}

static void
end_batch(struct exporter *exporter)
{
	buf_done(&exporter->batch);
	exporter->n_batch = 0;
}

/* All that waits becomes the batch. */
static void
take_batch(struct exporter *exporter)
{
	struct buf spans;
	int r;

	pthread_mutex_lock(&exporter->lock);
	spans = exporter->waiting;
	exporter->n_batch = exporter->n_waiting;
	buf_init(&exporter->waiting, WAITING_MAX);
	exporter->n_waiting = 0;
	pthread_mutex_unlock(&exporter->lock);
	if (exporter->n_batch == 0)
		return;
	r = exporter->url == NULL ? -1 : buf_add(&exporter->batch, before);
	if (r == 0)
		r = buf_add(&exporter->batch, buf_bytes(&spans));
	if (r == 0)
		r = buf_add(&exporter->batch, behind);
	buf_done(&spans);
	if (r < 0) {
		drop(exporter, exporter->n_batch);
		end_batch(exporter);
	}
}

static void
send_batch(struct exporter *exporter)
{
	bool is_unix = bytes_has_prefix(bytes_str(exporter->url), UNIX_PREFIX);
	struct arena *arena = arena_new(FRAME_MAX);
	struct fields fields = { 0 };
	const struct fetch_request fr = {
		.method = BYTES_LIT("POST"),
		.base_url = is_unix ? UNIX_URL : exporter->url,
		.unix_socket = is_unix ? exporter->url + strlen(UNIX_PREFIX) : NULL,
		.ca_file = exporter->ca_file,
		.fields = &fields,
		.body = buf_bytes(&exporter->batch),
		.window = ANSWER_MAX,
		.timeouts = { CONNECT_TIME, TOTAL_TIME, TOTAL_TIME, TOTAL_TIME },
	};

	if (fields_add(&fields, arena, BYTES_LIT("User-Agent"), BYTES_LIT(VERSION_PRODUCT)) == 0 &&
	    fields_add(&fields, arena, BYTES_LIT("Content-Type"),
	    BYTES_LIT("application/json")) == 0)
		exporter->fetch = fetch_start(exporter->multi, &fr, &exporter->task);
	arena_free(arena);
}

static bool
is_over(const struct fetch *fetch)
{
	enum fetch_state state = fetch_state(fetch);

	return state == FETCH_DONE || state == FETCH_FAILED;
}

/* Of what a collector answers, that which the standard has a client try again. */
static bool
may_try_again(const struct fetch *fetch)
{
	int status;

	if (fetch_state(fetch) == FETCH_FAILED)
		return true;
	status = fetch_status(fetch);
	return status == 429 || status == 502 || status == 503 || status == 504;
}

static void
tell(struct exporter *exporter, int status)
{
	if (!exporter->is_told)
		log_warn("log.otlp: %s%.0d; spans are kept as far as there is room",
		    status == 0 ? "the collector cannot be reached" : "the collector answers ",
		    status);
	exporter->is_told = true;
}

static void
note_failure(struct exporter *exporter)
{
	const struct fetch *fetch = exporter->fetch;

	tell(exporter, fetch_state(fetch) == FETCH_DONE ? fetch_status(fetch) : 0);
	if (!may_try_again(fetch)) {
		drop(exporter, exporter->n_batch);
		end_batch(exporter);
	}
	exporter->pause = exporter->pause == 0 ? PAUSE_MIN : exporter->pause * 2;
	if (exporter->pause > PAUSE_MAX)
		exporter->pause = PAUSE_MAX;
	exporter->due = loop_now(exporter->loop) + exporter->pause;
}

static void
note_success(struct exporter *exporter)
{
	if (exporter->is_told)
		log_info("log.otlp: the collector takes spans again");
	exporter->is_told = false;
	exporter->pause = exporter->due = 0;
	end_batch(exporter);
}

static void
conclude(struct exporter *exporter)
{
	struct fetch *fetch = exporter->fetch;

	if (fetch_state(fetch) == FETCH_DONE && fetch_status(fetch) / 100 == 2)
		note_success(exporter);
	else
		note_failure(exporter);
	exporter->fetch = fetch_free(exporter->fetch);
}

static void
run(void *arg)
{
	struct exporter *exporter = arg;
	usec_t now = loop_now(exporter->loop);

	if (exporter->fetch != NULL && !is_over(exporter->fetch))
		return;
	if (exporter->fetch != NULL)
		conclude(exporter);
	if (exporter->n_batch == 0)
		take_batch(exporter);
	if (exporter->n_batch > 0 && now >= exporter->due)
		send_batch(exporter);
	if (exporter->url != NULL)
		loop_timer_set(exporter->timer,
		    exporter->due > now ? exporter->due - now : BATCH_TIME);
}

struct exporter *
exporter_new(struct loop *loop, struct multi *multi)
{
	struct exporter *exporter = xcalloc(1, sizeof(*exporter));

	exporter->loop = loop;
	exporter->multi = multi;
	pthread_mutex_init(&exporter->lock, NULL);
	buf_init(&exporter->waiting, WAITING_MAX);
	buf_init(&exporter->batch, WAITING_MAX + FRAME_MAX);
	loop_task_init(&exporter->task, loop, run, exporter);
	loop_mail_init(&exporter->mail, &exporter->task);
	exporter->timer = loop_timer_new(loop, on_time, exporter);
	return exporter;
}

struct exporter *
exporter_free(struct exporter *exporter)
{
	if (exporter == NULL)
		return NULL;
	loop_task_cancel(&exporter->task);
	loop_mail_cancel(&exporter->mail);
	loop_timer_free(exporter->timer);
	fetch_free(exporter->fetch);
	buf_done(&exporter->waiting);
	buf_done(&exporter->batch);
	pthread_mutex_destroy(&exporter->lock);
	xfree(exporter->url);
	xfree(exporter->ca_file);
	return xfree(exporter);
}

static void
replace(char **text, const char *other)
{
	xfree(*text);
	*text = other != NULL ? xstrdup(other) : NULL;
}

void
exporter_renew(struct exporter *exporter, const struct config *config)
{
	/* A call under way goes on to where it went; its batch, if it fails, goes the new way. */
	if (config->log.otlp == NULL && exporter->n_batch > 0) {
		exporter->fetch = fetch_free(exporter->fetch);
		drop(exporter, exporter->n_batch);
		end_batch(exporter);
	}
	replace(&exporter->url, config->log.otlp);
	replace(&exporter->ca_file, config->ca_file);
	exporter->due = 0;
	loop_timer_set(exporter->timer, BATCH_TIME);
}

static bool
is_empty(struct exporter *exporter)
{
	bool is_waiting;

	pthread_mutex_lock(&exporter->lock);
	is_waiting = exporter->n_waiting > 0;
	pthread_mutex_unlock(&exporter->lock);
	return !is_waiting && exporter->n_batch == 0;
}

bool
exporter_is_flushing(struct exporter *exporter)
{
	usec_t now = loop_now(exporter->loop);

	if (exporter->url == NULL || is_empty(exporter))
		return false;
	if (exporter->flush_end == 0) {
		exporter->flush_end = now + FLUSH_TIME;
		exporter->due = 0;
		loop_task_wake(&exporter->task);
		return true;
	}
	if (now >= exporter->flush_end || exporter->due != 0)
		return false;
	loop_timer_set(exporter->timer, exporter->flush_end - now);
	return true;
}
