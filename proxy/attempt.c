/* SPDX-License-Identifier: MIT */
/*
 * attempt.c - the upstreams of a route in turn, as long as nothing was passed on.
 *
 * Which of them is the first, and which follow, is chosen once (base/choice.h).  One
 * round goes from the first to the last, and passes over what a breaker leaves alone;
 * where there are more retries than others, another round follows after a pause.
 */
#include "proxy/attempt.h"

#include <errno.h>
#include <string.h>

#include "base/choice.h"
#include "base/mem.h"
#include "config/config.h"
#include "proxy/dialect/loading.h"
#include "proxy/forward.h"
#include "proxy/http/respond.h"
#include "proxy/http/retry_after.h"
#include "proxy/metrics.h"
#include "proxy/question.h"
#include "proxy/span.h"
#include "proxy/upstream.h"
#include "proxy/worker.h"

#define PAUSE_BASE	(USEC_PER_SEC / 4)
#define PAUSE_MAX	(8 * USEC_PER_SEC)
#define RETRY_AFTER_MAX	(60 * USEC_PER_SEC)	/* a client rather hears of it */

/* How long a token rests, unless the answer says. */
#define REST_LIMITED	(10 * USEC_PER_SEC)
#define REST_REFUSED	(300 * USEC_PER_SEC)
#define REST_MIN	USEC_PER_SEC
#define REST_MAX	(3600 * USEC_PER_SEC)

/* The one that is tried as number AT, from 0. */
static size_t
to_at(const struct request *req, size_t at)
{
	return req->route->to[req->attempt.order == NULL ? at : req->attempt.order[at]];
}

size_t
attempt_to(const struct request *req)
{
	return to_at(req, req->attempt.at);
}

static size_t
count_tokens(const struct request *req)
{
	return req->config->upstreams[attempt_to(req)].n_tokens;
}

static struct upstream *
upstream_at(const struct request *req, size_t at)
{
	const struct config_upstream *up = &req->config->upstreams[to_at(req, at)];

	return upstream_find(req->worker->upstreams, up->name);
}

static int
order_by_load(struct request *req, size_t *order)
{
	size_t n = req->route->n_to;
	struct choice_load *loads = arena_alloc(req->arena, n * sizeof(*loads));

	if (loads == NULL)
		return -E2BIG;
	for (size_t i = 0; i < n; i++)
		loads[i] = upstream_load(upstream_at(req, i));
	choice_by_load(loads, n, order);
	return 0;
}

static int
order_by_weight(struct request *req, size_t *order)
{
	const struct config_route *route = req->route;
	size_t number = (size_t)(route - req->config->routes);

	choice_by_weight(route->weights, route->n_to,
	    upstreams_take_turn(req->worker->upstreams, number), order);
	return 0;
}

/*
 * What is not a question may be about something that one of them keeps, a file or a
 * batch: it goes to the first that is listed.
 */
static void
choose(struct request *req)
{
	const struct config_route *route = req->route;
	bool is_by_load = strcmp(route->balance, "least_busy") == 0;
	size_t *order;

	req->attempt.is_chosen = true;
	if (!req->call.is_inference || (route->weights == NULL && !is_by_load))
		return;
	order = arena_alloc(req->arena, route->n_to * sizeof(*order));
	if (order != NULL &&
	    (is_by_load ? order_by_load(req, order) : order_by_weight(req, order)) == 0)
		req->attempt.order = order;
}

/* After a reload what is known of tokens is of others than those of REQ, perhaps. */
static bool
knows_tokens(const struct request *req)
{
	return req->config == req->worker->config;
}

static size_t
choose_token(const struct request *req, struct upstream *up)
{
	size_t n = count_tokens(req);

	if (n < 2)
		return 0;
	return knows_tokens(req) ? upstream_take_token(up, n, loop_now(req->worker->loop)) :
	    (req->attempt.token + 1) % n;
}

bool
attempt_begin(struct request *req)
{
	struct attempt *attempt = &req->attempt;
	usec_t now = loop_now(req->worker->loop);

	if (!attempt->is_chosen)
		choose(req);
	for (size_t at = attempt->at; at < req->route->n_to; at++) {
		struct upstream *up = upstream_at(req, at);

		if (!upstream_allows(up, now, &attempt->is_probe))
			continue;
		upstream_call_begins(up);
		attempt->at = at;
		attempt->upstream = up;
		attempt->token = choose_token(req, up);
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

/* What an upstream's status says: PROTOCOLS.md 15, and RFC 5861, 4. */
enum {
	MAY_PASS	= 1 << 0,	/* another attempt may do better */
	IS_TROUBLE	= 1 << 1,	/* an old answer is better than this */
	IS_FAILURE	= 1 << 2,	/* of the upstream, which counts for its breaker */
	IS_DOWN		= MAY_PASS | IS_TROUBLE | IS_FAILURE,
	IS_OF_TOKEN	= 1 << 3,	/* another token may do better */
	MAY_PASS_ONCE	= 1 << 4,	/* TGI's and TEI's engine, or else the question */
};

static const struct {
	int		status;
	unsigned	says;
} statuses[] = {
	{ 401, IS_OF_TOKEN }, { 402, IS_OF_TOKEN }, { 403, IS_OF_TOKEN },
	{ 408, MAY_PASS }, { 409, MAY_PASS }, { 424, MAY_PASS_ONCE }, { 425, MAY_PASS },
	{ 429, MAY_PASS | IS_TROUBLE | IS_OF_TOKEN },
	{ 500, IS_DOWN }, { 502, IS_DOWN }, { 503, IS_DOWN }, { 504, IS_DOWN },
	{ 529, IS_DOWN },
};

static bool
says(int status, unsigned what)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].status == status)
			return (statuses[i].says & what) != 0;
	return false;
}

bool
attempt_is_trouble(int status)
{
	return says(status, IS_TROUBLE);
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

static bool
has_time(const struct request *req)
{
	usec_t deadline = req->route->deadline;

	return deadline == 0 || loop_now(req->worker->loop) < req->timing.started + deadline;
}

static bool
may_go_on(const struct request *req)
{
	return req->reply.status == 0 && has_time(req) && may_be_repeated(req);
}

static bool
may_pass(const struct request *req)
{
	return says(fetch_status(req->fetch),
	    req->attempt.is_spent ? MAY_PASS : MAY_PASS | MAY_PASS_ONCE);
}

static bool
has_retries(const struct request *req)
{
	return req->attempt.n_retries < req->route->retries;
}

/* Each token has one attempt, whatever the route says of retries: the call was not made. */
static bool
may_swap_token(const struct request *req)
{
	const struct attempt *attempt = &req->attempt;
	size_t n = count_tokens(req);

	return n > attempt->n_swaps + 1 && fetch_state(req->fetch) != FETCH_FAILED &&
	    says(fetch_status(req->fetch), IS_OF_TOKEN) && may_go_on(req) &&
	    upstream_has_other_token(upstream_at(req, attempt->at), n, attempt->token,
	    loop_now(req->worker->loop));
}

bool
attempt_may_retry(const struct request *req)
{
	return may_swap_token(req) || (has_retries(req) && may_pass(req) && may_go_on(req));
}

/* As the upstream asks; 0: it does not. */
static usec_t
retry_after(const struct request *req)
{
	usec_t delay;

	if (fetch_state(req->fetch) == FETCH_FAILED ||
	    !retry_after_read(fields_get(fetch_fields(req->fetch), "retry-after"), clock_wall(),
	    &delay))
		return 0;
	return delay;
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

/* The first again, after a pause, if there is time for that. */
static bool
plan_round(struct request *req)
{
	struct attempt *attempt = &req->attempt;
	usec_t asked = retry_after(req), pause = draw_pause(req);

	if (asked > RETRY_AFTER_MAX || req->worker->is_draining)
		return false;
	attempt->at = 0;
	attempt->due = loop_now(req->worker->loop) + (asked > pause ? asked : pause);
	return req->route->deadline == 0 ||
	    attempt->due < req->timing.started + req->route->deadline;
}

/* The next upstream at once, as long as there is one. */
static bool
plan_next(struct request *req)
{
	if (req->attempt.at + 1 >= req->route->n_to)
		return plan_round(req);
	req->attempt.at++;
	return true;
}

bool
attempt_retries(struct request *req)
{
	bool is_broken = fetch_state(req->fetch) == FETCH_FAILED;

	req->attempt.due = 0;
	if (may_swap_token(req)) {
		req->attempt.n_swaps++;
		return true;
	}
	if ((!is_broken && !may_pass(req)) || !has_retries(req) || !may_go_on(req) ||
	    !plan_next(req))
		return false;
	if (!is_broken && says(fetch_status(req->fetch), MAY_PASS_ONCE))
		req->attempt.is_spent = true;
	req->attempt.n_retries++;
	req->attempt.n_swaps = 0;
	return true;
}

/* Are there more attempts than one at each? */
static bool
may_repeat(const struct request *req)
{
	return req->route->retries >= req->route->n_to;
}

enum attempt_next
attempt_next(struct request *req)
{
	struct attempt *attempt = &req->attempt;
	usec_t now = loop_now(req->worker->loop);

	if (now >= attempt->due) {
		if (attempt_begin(req)) {
			stats_count(&req->worker->stats.retries);
			return ATTEMPT_BEGUN;
		}
		/* Those behind the one that failed are left alone: another round, if any. */
		if (attempt->at == 0 || !may_repeat(req) || !plan_round(req))
			return ATTEMPT_NONE;
	}
	if (req->worker->is_draining)
		return ATTEMPT_NONE;
	request_wake_at(req, attempt->due);
	return ATTEMPT_WAIT;
}

/* The token that was refused, or has no more calls for now; one alone never rests. */
static void
note_token(const struct request *req, struct upstream *up)
{
	usec_t asked = retry_after(req);
	int status = fetch_status(req->fetch);

	if (count_tokens(req) < 2 || !knows_tokens(req) ||
	    fetch_state(req->fetch) == FETCH_FAILED || !says(status, IS_OF_TOKEN))
		return;
	if (asked == 0)
		asked = status == 429 ? REST_LIMITED : REST_REFUSED;
	asked = asked > REST_MIN ? asked : REST_MIN;
	upstream_rest_token(up, req->attempt.token, loop_now(req->worker->loop),
	    asked < REST_MAX ? asked : REST_MAX);
}

/* One that has too much to do, is loading a model, or does not like the question, is well. */
static bool
has_failed(const struct request *req)
{
	if (fetch_state(req->fetch) == FETCH_FAILED)
		return true;
	return says(fetch_status(req->fetch), IS_FAILURE) &&
	    !answer_is_loading(fetch_status(req->fetch), fetch_body(req->fetch));
}

/* If it was sent at all. */
static void
count_call(struct request *req)
{
	bool is_over;

	if (req->fetch == NULL)
		return;
	is_over = fetch_state(req->fetch) == FETCH_DONE || fetch_state(req->fetch) == FETCH_FAILED;
	metrics_call(req->worker->metrics, req, !is_over);
	span_call(req, !is_over);
	req->timing.calls += fetch_time(req->fetch);
}

/* An error may come fast: it does not show how long an answer takes. */
static usec_t
time_of(const struct request *req)
{
	return fetch_state(req->fetch) == FETCH_DONE && fetch_status(req->fetch) == 200 ?
	    fetch_head_time(req->fetch) : 0;
}

void
attempt_note(struct request *req)
{
	struct upstream *up = take_ptr(&req->attempt.upstream);

	if (up == NULL)
		return;
	count_call(req);
	upstream_note(up, req->attempt.is_probe, has_failed(req), loop_now(req->worker->loop));
	upstream_call_ends(up, time_of(req));
	note_token(req, up);
}

void
attempt_end(struct request *req)
{
	struct upstream *up = take_ptr(&req->attempt.upstream);

	if (up == NULL)
		return;
	count_call(req);
	upstream_forget(up, req->attempt.is_probe);
	upstream_call_ends(up, 0);
}

int
attempt_add_fields(const struct request *req, struct buf *out)
{
	int r;

	r = respond_field(out, "x-reprise-upstream", bytes_str(forward_upstream(req)->name));
	if (r == 0 && req->attempt.at > 0)
		r = respond_field(out, "x-reprise-fallback", BYTES_LIT("1"));
	return r;
}
