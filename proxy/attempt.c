/* SPDX-License-Identifier: MIT */
/*
 * attempt.c - the upstreams of a route in turn, as long as nothing was passed on.
 *
 * Without "retries" each of the others is tried once; with it there are as many more
 * attempts as it says, the same upstream again included, after a pause.
 */
#include "proxy/attempt.h"

#include <string.h>

#include "base/num.h"
#include "config/config.h"
#include "proxy/dialect/loading.h"
#include "proxy/forward.h"
#include "proxy/http/respond.h"
#include "proxy/question.h"
#include "proxy/upstream.h"
#include "proxy/worker.h"

#define PAUSE_BASE	(USEC_PER_SEC / 4)
#define PAUSE_MAX	(8 * USEC_PER_SEC)
#define RETRY_AFTER_MAX	(60 * USEC_PER_SEC)	/* a client rather hears of it */

static struct upstream *
upstream_at(const struct request *req, size_t at)
{
	const struct config_upstream *up = &req->config->upstreams[req->route->to[at]];

	return upstream_find(req->worker->upstreams, up->name);
}

bool
attempt_begin(struct request *req)
{
	struct attempt *attempt = &req->attempt;
	size_t n = req->route->n_to;
	usec_t now = loop_now(req->worker->loop);

	for (size_t i = 0; i < n; i++) {
		size_t at = (attempt->at + i) % n;
		struct upstream *up = upstream_at(req, at);

		if (!upstream_allows(up, now))
			continue;
		attempt->at = at;
		attempt->upstream = up;
		return true;
	}
	return false;
}

usec_t
attempt_wait(const struct request *req)
{
	usec_t now = loop_now(req->worker->loop), least = INT64_MAX;

	for (size_t i = 0; i < req->route->n_to; i++) {
		usec_t wait = upstream_wait(upstream_at(req, i), now);

		least = wait < least ? wait : least;
	}
	return least > USEC_PER_SEC ? least : USEC_PER_SEC;
}

/* PROTOCOLS.md 15. */
static bool
is_worth_a_retry(int status)
{
	static const int statuses[] = { 408, 409, 425, 429, 500, 502, 503, 504, 529 };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i] == status)
			return true;
	return false;
}

/* Nothing that may do something is done twice, unless it never got there. */
static bool
may_be_repeated(const struct request *req)
{
	if ((req->call.is_inference && question_is_meant(req)) || request_is_get(req))
		return true;
	return fetch_state(req->fetch) == FETCH_FAILED &&
	    (fetch_failure(req->fetch) == FETCH_E_CONNECT ||
	    fetch_failure(req->fetch) == FETCH_E_TLS);
}

static unsigned
retries_of(const struct config_route *route)
{
	return route->has_retries ? route->retries : (unsigned)route->n_to - 1;
}

static bool
has_time(const struct request *req)
{
	usec_t deadline = req->route->deadline;

	return deadline == 0 || loop_now(req->worker->loop) < req->started + deadline;
}

static bool
may_go_on(const struct request *req)
{
	return req->attempt.n_retries < retries_of(req->route) && req->reply.status == 0 &&
	    has_time(req) && may_be_repeated(req);
}

bool
attempt_may_retry(const struct request *req)
{
	return is_worth_a_retry(fetch_status(req->fetch)) && may_go_on(req);
}

/* As the upstream asks, in seconds; 0: it does not. */
static usec_t
retry_after(const struct request *req)
{
	uint64_t seconds = 0;

	if (fetch_state(req->fetch) == FETCH_FAILED ||
	    num_parse_u64(fields_get(fetch_fields(req->fetch), "retry-after"), &seconds) != 0)
		return 0;
	return seconds < 86400 ? (usec_t)seconds * USEC_PER_SEC : RETRY_AFTER_MAX + 1;
}

/* Anything up to a ceiling that doubles: those that failed together do not come together. */
static usec_t
draw_pause(const struct request *req)
{
	usec_t ceiling = PAUSE_BASE;

	for (unsigned i = 0; i < req->attempt.n_retries && ceiling < PAUSE_MAX; i++)
		ceiling *= 2;
	return (usec_t)(worker_draw_id(req->worker) % (uint64_t)ceiling);
}

/* The next upstream that was not asked in this round, at once; or the first, after a pause. */
static bool
plan_next(struct request *req)
{
	struct attempt *attempt = &req->attempt;
	usec_t now = loop_now(req->worker->loop), asked = retry_after(req), pause;

	attempt->due = 0;
	if (attempt->at + 1 < req->route->n_to) {
		attempt->at++;
		return true;
	}
	pause = draw_pause(req);
	if (asked > RETRY_AFTER_MAX || req->worker->is_draining)
		return false;
	attempt->at = 0;
	attempt->due = now + (asked > pause ? asked : pause);
	return req->route->deadline == 0 || attempt->due < req->started + req->route->deadline;
}

bool
attempt_retries(struct request *req)
{
	bool is_bad = fetch_state(req->fetch) == FETCH_FAILED ||
	    is_worth_a_retry(fetch_status(req->fetch));

	if (!is_bad || !may_go_on(req) || !plan_next(req))
		return false;
	req->attempt.n_retries++;
	req->worker->stats.retries++;
	return true;
}

bool
attempt_is_due(struct request *req)
{
	if (loop_now(req->worker->loop) >= req->attempt.due)
		return true;
	request_wake_at(req, req->attempt.due);
	return false;
}

/* One that has too much to do, is loading a model, or does not like the question, is well. */
static bool
has_failed(const struct request *req)
{
	int status;

	if (fetch_state(req->fetch) == FETCH_FAILED)
		return true;
	status = fetch_status(req->fetch);
	if (answer_is_loading(status, fetch_body(req->fetch)))
		return false;
	return status == 500 || (status >= 502 && status <= 504) || status == 529;
}

void
attempt_note(struct request *req)
{
	if (req->attempt.upstream == NULL)
		return;
	upstream_note(req->attempt.upstream, has_failed(req), loop_now(req->worker->loop));
	req->attempt.upstream = NULL;
}

void
attempt_end(struct request *req)
{
	if (req->attempt.upstream != NULL)
		upstream_forget(req->attempt.upstream);
	req->attempt.upstream = NULL;
}

int
attempt_add_fields(const struct request *req, struct buf *out)
{
	int r;

	if (req->route->n_to < 2)
		return 0;
	r = respond_field(out, "x-reprise-upstream", bytes_str(forward_upstream(req)->name));
	if (r == 0 && req->attempt.at > 0)
		r = respond_field(out, "x-reprise-fallback", BYTES_LIT("1"));
	return r;
}
