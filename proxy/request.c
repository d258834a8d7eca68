/* SPDX-License-Identifier: MIT */
/*
 * request.c - how a request begins, and the one place where it ends.
 */
#include "proxy/request.h"

#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "proxy/access_log.h"
#include "proxy/answer.h"
#include "proxy/attempt.h"
#include "proxy/body_log.h"
#include "proxy/client.h"
#include "proxy/guests.h"
#include "proxy/hold.h"
#include "proxy/limit.h"
#include "proxy/metrics.h"
#include "proxy/net/conn.h"
#include "proxy/request_priv.h"
#include "proxy/share.h"
#include "proxy/span.h"
#include "proxy/worker.h"

#define HEAD_MAX	((size_t)64 << 10)
#define FIELDS_LIMIT	100
#define TARGET_MAX	((size_t)8 << 10)

/* Canonical form, question, spliced body: a few times the largest body (and see
 * CONFIG_MEMORY_PER_BODY). */
#define ARENA_PER_BODY	6
#define ARENA_BASE	((size_t)1 << 20)

static void
wake(void *arg)
{
	struct request *req = arg;

	if (req->client != NULL)
		client_wake(req->client);
	else
		request_run(req);
}

/* From the leader's thread. */
static void
post(void *arg)
{
	struct request *req = arg;

	loop_post(&req->sharing.mail);
}

struct request *
request_new(struct worker *worker, struct client *client)
{
	struct request *req = xcalloc(1, sizeof(*req));
	struct reader_limits limits = {
		.head_max = HEAD_MAX,
		.fields_max = FIELDS_LIMIT,
		.target_max = TARGET_MAX,
		.body_max = worker->config->max_body,
		.memory = guests_memory(worker->guests),
	};

	req->worker = worker;
	req->client = client;
	req->config = config_ref(worker->config);
	req->arena = arena_new(ARENA_BASE + ARENA_PER_BODY * worker->config->max_body);
	arena_charge(req->arena, guests_memory(worker->guests));
	req->reader = reader_new(req->arena, &limits);
	req->timing.started = loop_now(worker->loop);
	req->step = STEP_RECEIVE;
	loop_task_init(&req->task, worker->loop, wake, req);
	loop_mail_init(&req->sharing.mail, &req->task);
	req->sharing.seat.wake = post;
	req->sharing.seat.arg = req;
	req->admission.team_pass.wake = req->admission.route_pass.wake = post;
	req->admission.team_pass.arg = req->admission.route_pass.arg = req;
	req->question.inquiry.seat.wake = post;
	req->question.inquiry.seat.arg = req;
	req->hold.seat.wake = post;
	req->hold.seat.arg = req;
	stats_count(&worker->stats.requests);
	return req;
}

static void
request_free(void *arg)
{
	struct request *req = arg;

	assert(req->fetch == NULL);
	reader_free(req->reader);
	xfree(req->question.found_mem);
	buf_done(&req->question.converted);
	buf_done(&req->reply.shown);
	buf_done(&req->reply.copy);
	arena_free(req->arena);
	config_unref(req->config);
	xfree(req);
}

void
request_time_out(struct request *req)
{
	if (req->step != STEP_RECEIVE)
		return;
	if (!reader_has_begun(req->reader))
		request_end(req, END_CLIENT_GONE);
	else
		answer_error(req, 408, "request_timeout",
		    "the request did not arrive in time");
}

static bool
may_follow(const struct request *req, enum end_reason why)
{
	switch (why) {
	case END_HIT:
	case END_MISS:
	case END_COLLAPSED:
	case END_STALE:
	case END_BYPASS:
	case END_OWN:
	case END_REFUSED:
	case END_UPSTREAM_FAILED:
		return !req->reply.must_close;
	default:
		return false;
	}
}

/* An end that was written is one if it is sent as well; at a shutdown nobody waits for that. */
static bool
is_cut_short(const struct request *req, enum end_reason why)
{
	if (why == END_STREAM_BROKEN)
		return !req->reply.is_ended;
	return why == END_SHUTDOWN &&
	    (!req->reply.is_ended || conn_unsent(client_conn(req->client)) > 0);
}

/* What has begun and cannot be finished must not look finished. */
static void
tell_client(struct request *req, enum end_reason why)
{
	if (is_cut_short(req, why))
		client_break_off(req->client, req->reply.is_by_close);
	client_request_ended(req->client, may_follow(req, why));
}

/* Whose client has left may still have others that wait, or is finished to be kept. */
static bool
must_fly_on(const struct request *req)
{
	struct flight *led = req->sharing.led;

	if (led == NULL)
		return false;
	if (req->sharing.is_refresh || flight_is_awaited(led))
		return true;
	if (req->step == STEP_HOLD || req->step == STEP_LIMIT || req->step == STEP_BACKOFF)
		return false;
	if (strcmp(req->route->cache.finish_abandoned, "all") == 0)
		return true;
	return strcmp(req->route->cache.finish_abandoned, "whole") == 0 && !req->call.wants_stream;
}

bool
request_is_get(const struct request *req)
{
	return bytes_eq_str(req->head->method, "GET") || bytes_eq_str(req->head->method, "HEAD");
}

bool
request_is_wanted(const struct request *req)
{
	return req->client != NULL || must_fly_on(req);
}

/* Whose client has all it gets, and what others may still get is under way? */
static bool
is_left_flying(const struct request *req, enum end_reason why)
{
	bool has_answer = req->sharing.is_refresh && (why == END_HIT || why == END_STALE);

	return (has_answer || why == END_CLIENT_GONE) && must_fly_on(req);
}

static void
on_time(void *arg)
{
	struct request *req = arg;

	loop_task_wake(&req->task);
}

void
request_wake_at(struct request *req, usec_t when)
{
	usec_t delay = when - loop_now(req->worker->loop);

	if (req->timer == NULL)
		req->timer = loop_timer_new(req->worker->loop, on_time, req);
	loop_timer_set(req->timer, delay > 0 ? delay : 1);
}

/* From here on it is its worker's, until its flight has landed. */
static void
fly_on(struct request *req, enum end_reason why)
{
	client_request_ended(req->client, may_follow(req, why));
	req->client = NULL;
	req->sharing.flying_next = req->worker->flying;
	req->worker->flying = req;
}

static void
land(struct request *req)
{
	struct request **at = &req->worker->flying;

	while (*at != req)
		at = &(*at)->sharing.flying_next;
	*at = req->sharing.flying_next;
}

void
request_end(struct request *req, enum end_reason why)
{
	if (req->step == STEP_ENDED)
		return;
	if (req->client != NULL) {
		stats_end(&req->worker->stats, why);
		metrics_request(req->worker->metrics, req, why);
		access_log(req, why);
		body_log_end(req, why);
		span_request(req, why);
		if (is_left_flying(req, why)) {
			fly_on(req, why);
			return;
		}
	} else {
		land(req);
	}
	req->step = STEP_ENDED;

	loop_task_cancel(&req->task);
	req->timer = loop_timer_free(req->timer);
	hold_end(req);
	limit_end(req);
	attempt_end(req);
	flight_leave(&req->sharing.seat);
	board_leave(&req->question.inquiry.seat);
	if (req->sharing.led != NULL)
		flight_fail(req->sharing.led, FLIGHT_LOOK_AGAIN);
	loop_mail_cancel(&req->sharing.mail);	/* nobody posts any more */
	req->fetch = fetch_free(req->fetch);	/* stops a transfer under way */
	if (req->client != NULL)
		tell_client(req, why);
	loop_free_later(req->worker->loop, req, request_free);
}
