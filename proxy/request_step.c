/* SPDX-License-Identifier: MIT */
/*
 * request_step.c - the steps of a request, and the engine that walks them.
 *
 *	receive --> identify --> lookup --> deliver	a hit
 *	               | learn --> |        deliver --> pace	of a stream, event by event
 *	               |           |------> fetch --> answer	a miss, and we lead
 *	               |           |------> follow		a miss, and someone else leads
 *	               |           `------> follow --> tail	and it is a stream
 *	               `--------------------> fetch --> relay	a stream, or not ours to store
 *	             list			what models there are
 *	                                      fetch <-> hold	the model is being loaded
 *	                                      fetch <-> limit	what its team may use
 *
 * A step looks at what it has, does what it can, and names the next step; to
 * wait, it names itself.  Steps never call one another.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rate.h"
#include "cache/variant.h"
#include "config/config.h"
#include "proxy/admit.h"
#include "proxy/answer.h"
#include "proxy/attempt.h"
#include "proxy/form.h"
#include "proxy/forward.h"
#include "proxy/hold.h"
#include "proxy/keep.h"
#include "proxy/limit.h"
#include "proxy/lookup.h"
#include "proxy/models.h"
#include "proxy/question.h"
#include "proxy/receive.h"
#include "proxy/relay.h"
#include "proxy/request_priv.h"
#include "proxy/revision.h"
#include "proxy/saving.h"
#include "proxy/share.h"
#include "proxy/timing.h"
#include "proxy/worker.h"

#define MAX_STEPS_PER_TURN	256	/* each upstream of a route may fail at once */
#define TO(step)		(1u << (step))

typedef enum step step_fn(struct request *req);

static step_fn step_identify, step_learn, step_lookup, step_deliver, step_limit,
    step_fetch, step_backoff, step_hold, step_follow, step_tail, step_answer, step_relay;

static const struct {
	const char	*name;
	step_fn		*run;
	unsigned	 may_go;	/* set of steps it may name */
} steps[] = {
	[STEP_RECEIVE]	= { "receive", receive_step, TO(STEP_IDENTIFY) },
	[STEP_IDENTIFY]	= { "identify", step_identify, TO(STEP_LOOKUP) | TO(STEP_FETCH) |
			    TO(STEP_LEARN) | TO(STEP_LIST) },
	[STEP_LIST]	= { "list", models_answer, 0 },
	[STEP_LEARN]	= { "learn", step_learn, TO(STEP_LOOKUP) | TO(STEP_FETCH) },
	[STEP_LOOKUP]	= { "lookup", step_lookup,
			    TO(STEP_DELIVER) | TO(STEP_FETCH) | TO(STEP_FOLLOW) |
			    TO(STEP_PACE) },
	[STEP_DELIVER]	= { "deliver", step_deliver, TO(STEP_FETCH) | TO(STEP_PACE) },
	[STEP_PACE]	= { "pace", answer_pace, 0 },
	[STEP_LIMIT]	= { "limit", step_limit, TO(STEP_FETCH) | TO(STEP_PACE) },
	[STEP_FETCH]	= { "fetch", step_fetch, TO(STEP_LIMIT) | TO(STEP_HOLD) |
			    TO(STEP_ANSWER) | TO(STEP_RELAY) | TO(STEP_PACE) |
			    TO(STEP_BACKOFF) },
	[STEP_BACKOFF]	= { "backoff", step_backoff, TO(STEP_FETCH) | TO(STEP_ANSWER) |
			    TO(STEP_RELAY) | TO(STEP_PACE) },
	[STEP_HOLD]	= { "hold", step_hold,
			    TO(STEP_FETCH) | TO(STEP_ANSWER) | TO(STEP_RELAY) },
	[STEP_FOLLOW]	= { "follow", step_follow,
			    TO(STEP_LOOKUP) | TO(STEP_FETCH) | TO(STEP_TAIL) |
			    TO(STEP_PACE) },
	[STEP_TAIL]	= { "tail", step_tail, 0 },
	[STEP_ANSWER]	= { "answer", step_answer, TO(STEP_PACE) },
	[STEP_RELAY]	= { "relay", step_relay, 0 },
};

const char *
request_step_name(enum step step)
{
	return steps[step].name;
}

/* The only place where a request changes step. */
void
request_run(struct request *req)
{
	timing_run(req);
	for (unsigned n = 0; req->step != STEP_ENDED; n++) {
		enum step next = steps[req->step].run(req);

		if (next == req->step)
			timing_wait(req);
		if (next == req->step || next == STEP_ENDED)
			return;
		assert(steps[req->step].may_go & TO(next));
		assert(n < MAX_STEPS_PER_TURN);
		log_debug("request %.*s: %s -> %s", BYTES_ARG(req->id), steps[req->step].name,
		    steps[next].name);
		req->step = next;
	}
}

/* Only what neither we nor an upstream could take for another path passes (H-29). */
static const char *
path_fault(const struct request *req)
{
	if (!path_is_valid(req->head->path))
		return "the path holds '..', an encoded slash or another trick; "
		    "write it plainly";
	if (req->call.model_in_path && !model_id_is_valid(req->call.model))
		return "the model id in the path is not one: "
		    "letters, digits, '.', '_', '-', '/' and a ':tag'";
	return NULL;
}

static bool
is_mode(const struct request *req, const char *mode)
{
	return strcmp(req->config->cache.mode, mode) == 0;
}

static enum step
not_in_cache(struct request *req)
{
	if (req->call.controls.is_legacy && req->question.is_storable)
		return answer_own(req, 200, "application/json",
		    BYTES_LIT("{\"error\":\"not loaded yet\"}"));
	return answer_error(req, 504, "not_in_cache", is_mode(req, "replay") ?
	    "not in the cache, and cache.mode replay never goes upstream; see reprise explain" :
	    "not in the cache, and the request allows nothing else");
}

static bool
must_not_go_upstream(const struct request *req)
{
	return req->call.controls.directives.only_if_cached || is_mode(req, "replay");
}

static enum step
too_large(struct request *req)
{
	if (arena_is_starved(req->arena))
		return answer_starved(req);
	return answer_error(req, 413, "request_too_large",
	    "the body takes too much memory to read");
}

static enum step
uneditable(struct request *req)
{
	return answer_error(req, 400, "bad_body", "the route edits the body, which must be one "
	    "strict JSON object for that: no name twice, sent as application/json");
}

/* All that makes a question of it is there. */
static enum step
ask(struct request *req)
{
	int r = question_make(req);

	if (r != 0)
		return r < 0 ? too_large(req) : uneditable(req);
	question_remember(req);
	if (req->question.is_storable)
		return STEP_LOOKUP;
	if (must_not_go_upstream(req))
		return not_in_cache(req);
	req->fwd = FWD_BYPASS;
	return STEP_FETCH;
}

/* Until the upstream has said which model it has. */
static enum step
step_learn(struct request *req)
{
	return question_must_wait(req) ? STEP_LEARN : ask(req);
}

/* Read all of it: the body, the route, the question. */
static enum step
understand(struct request *req)
{
	const char *fault;
	int r = question_read_body(req, NULL);

	if (r < 0)
		return too_large(req);
	fault = admit_model(req);
	if (fault != NULL)
		return answer_error(req, 403, "model_not_allowed", fault);
	req->route = config_route_find(req->config, req->admission.team, req->call.model,
	    req->head->path, req->call.dialect->name);
	if (req->route == NULL)
		return answer_error(req, 404, "model_not_found",
		    "no route takes this request; add one for its model or path");
	return question_must_wait(req) ? STEP_LEARN : ask(req);
}

static enum step
step_identify(struct request *req)
{
	const char *fault;

	if (request_is_get(req) && bytes_eq_str(req->head->path, "/healthz"))
		return answer_own(req, 200, "application/json", BYTES_LIT("{\"status\":\"ok\"}\n"));
	if (bytes_eq_str(req->head->method, "OPTIONS"))
		return answer_options(req);
	fault = admit_key(req);
	if (fault != NULL)
		return answer_error(req, 401, "invalid_api_key", fault);
	if (models_are_asked(req))
		return models_answer(req);
	fault = path_fault(req);
	if (fault != NULL)
		return answer_error(req, 400, "bad_path", fault);
	fault = control_read_fields(&req->call.controls, &req->head->fields);
	if (admit_controls(req) && fault != NULL)
		return answer_error(req, 400, "bad_control", fault);
	return question_recall(req) ? STEP_LOOKUP : understand(req);
}

/* Lead, or follow who leads; or find that it has just landed. */
static enum step
join(struct request *req)
{
	struct key key = variant_key(&req->question.key, req->question.variant);
	struct sharing *sharing = &req->sharing;

	flight_join(req->worker->flights, &key, req->question.text, &sharing->seat,
	    &sharing->led);
	if (sharing->led == NULL)
		return STEP_FOLLOW;
	if (lookup_again(req) != FWD_NONE)
		return STEP_FETCH;
	flight_fail(take_ptr(&sharing->led), FLIGHT_LOOK_AGAIN);
	return STEP_DELIVER;
}

/* Who wants it computed anew (no-cache, max-age), or unkept, wants no one else's answer. */
static bool
may_share(const struct request *req)
{
	return req->fwd != FWD_REQUEST && !req->call.controls.directives.no_store &&
	    !req->sharing.is_alone;
}

/* If we lead, the client gets what there is, and we go on without it. */
static void
note_refresh(struct request *req)
{
	if (req->sharing.led == NULL)
		return;
	req->sharing.is_refresh = true;
	stats_count(&req->worker->stats.refreshes);
}

/* The client has its answer, and the call is still to be made? */
static bool
is_flying(const struct request *req)
{
	return req->sharing.is_refresh && req->step != STEP_ENDED;
}

/* RFC 5861, 3: the old answer now, and a new one for those who come later. */
static enum step
revalidate(struct request *req)
{
	enum step next = join(req);

	if (next == STEP_DELIVER || !lookup_stale(req, req->route->cache.stale_while_revalidate))
		return next;
	flight_leave(&req->sharing.seat);
	note_refresh(req);
	next = answer_stale(req, STALE_UNASKED);
	return is_flying(req) ? STEP_FETCH : next;
}

static enum step
miss(struct request *req, enum fwd fwd)
{
	req->fwd = fwd;
	if (question_complete(req) != 0)
		return too_large(req);
	if (must_not_go_upstream(req))
		return not_in_cache(req);
	/* Recalled, and its revision is in doubt since. */
	if (!req->question.is_storable || !may_share(req))
		return STEP_FETCH;
	return lookup_stale(req, req->route->cache.stale_while_revalidate) ? revalidate(req) :
	    join(req);
}

static enum step
step_lookup(struct request *req)
{
	enum fwd fwd;

	if (req->call.controls.directives.no_cache || is_mode(req, "record"))
		return miss(req, FWD_REQUEST);
	fwd = lookup_answer(req);
	return fwd == FWD_NONE ? STEP_DELIVER : miss(req, fwd);
}

/* Is what was found so near its end, and so often asked for, that it is fetched anew? */
static bool
is_due_early(const struct request *req)
{
	struct worker *worker = req->worker;
	usec_t left = req->question.lifetime.left;

	return req->route->cache.refresh_ahead && question_variants(req) == 1 &&
	    !must_not_go_upstream(req) &&
	    policy_is_due_early(req->found.took, left, worker_draw_id(worker)) &&
	    rate_take(worker->refreshes, &req->config->cache.refresh_rate, clock_mono());
}

/* As with what has expired, but that it has not. */
static enum step
refresh_ahead(struct request *req)
{
	struct sharing *sharing = &req->sharing;
	enum step next;

	if (question_complete(req) == 0 && req->question.is_storable) {
		flight_join(req->worker->flights, &req->question.key, req->question.text,
		    &sharing->seat, &sharing->led);
		flight_leave(&sharing->seat);
		if (sharing->led != NULL && question_is_renewed(req))
			flight_fail(take_ptr(&sharing->led), FLIGHT_LOOK_AGAIN);
		note_refresh(req);
	}
	next = answer_from_cache(req);
	return is_flying(req) ? STEP_FETCH : next;
}

/* Nobody is there any more to be told. */
static enum step
end_alone(struct request *req)
{
	request_end(req, END_CLIENT_GONE);
	return STEP_ENDED;
}

/* What one team may not do, another may: those who wait ask for themselves. */
static enum step
refuse_limited(struct request *req, const struct limit_refusal *refusal)
{
	if (req->sharing.led != NULL)
		flight_fail(take_ptr(&req->sharing.led), FLIGHT_LOOK_AGAIN);
	if (req->client == NULL)
		return end_alone(req);
	if (lookup_stale(req, req->route->cache.stale_if_error))
		return answer_stale(req, 0);
	return answer_limited(req, refusal);
}

static enum step
step_limit(struct request *req)
{
	struct limit_refusal refusal;

	if (!request_is_wanted(req))
		return end_alone(req);
	switch (limit_check(req, &refusal)) {
	case LIMIT_PASSED:
		return STEP_FETCH;
	case LIMIT_WAIT:
		return STEP_LIMIT;
	case LIMIT_REFUSED:
		return refuse_limited(req, &refusal);
	}
	unreachable("limit verdict");
}

static enum step
step_deliver(struct request *req)
{
	struct limit_refusal refusal;

	if (limit_check_hit(req, &refusal) == LIMIT_REFUSED)
		return answer_limited(req, &refusal);
	return is_due_early(req) ? refresh_ahead(req) : answer_from_cache(req);
}

/*
 * It will not be stored, as too large or not known: it is passed on as it comes, also
 * to those who wait already, unless they would ask for too much memory.
 */
static enum step
outgrown(struct request *req)
{
	if (req->sharing.led != NULL && !share_fits(req))
		flight_fail(take_ptr(&req->sharing.led), FLIGHT_NOT_SHARED);
	return STEP_RELAY;
}

static enum step
give_failure(struct request *req, enum fetch_failure failure)
{
	if (lookup_stale(req, req->route->cache.stale_if_error))
		return answer_stale(req, 0);
	return answer_fetch_failed(req, failure);
}

/* All upstreams of the route failed too often lately; nobody is asked. */
static enum step
all_fail(struct request *req)
{
	const struct limit_refusal refusal = {
		.status = 503, .code = "upstreams_unavailable",
		.message = "all upstreams of the route failed too often; they are left alone "
		    "for a moment",
		.wait = attempt_wait(req),
	};

	return refuse_limited(req, &refusal);
}

/* One call, one error, for all who waited for it. */
static enum step
fail(struct request *req)
{
	enum fetch_failure failure = fetch_failure(req->fetch);

	if (req->sharing.led != NULL)
		flight_fail(take_ptr(&req->sharing.led), (int)failure);
	if (req->client != NULL)
		return give_failure(req, failure);
	return end_alone(req);
}

static enum step
not_sent(struct request *req)
{
	if (req->client == NULL)
		return end_alone(req);
	if (arena_is_starved(req->arena))
		return answer_starved(req);
	return answer_error(req, 413, "request_too_large", "the request is too large");
}

/* With the head of an answer there, and its body still coming. */
static enum step
fetch_begun(struct request *req)
{
	bool has_room = !fetch_is_paused(req->fetch);

	if (relay_begin(req))
		return STEP_RELAY;
	if (has_room && (hold_may(req) || attempt_may_retry(req)))
		return STEP_FETCH;
	if (req->call.wants_stream && fetch_status(req->fetch) == 200)
		return outgrown(req);
	return has_room && req->question.is_storable ? STEP_FETCH : outgrown(req);
}

/* What has come is the answer, whatever it is. */
static enum step
pass_on(struct request *req)
{
	hold_release(req);
	if (fetch_state(req->fetch) == FETCH_FAILED)
		return fail(req);
	if (relay_begin(req))
		return STEP_RELAY;
	return req->question.is_storable ? STEP_ANSWER : STEP_RELAY;
}

static enum step
fetch_ended(struct request *req)
{
	revision_note_call(req);
	if (fetch_state(req->fetch) == FETCH_DONE && hold_must(req) &&
	    !lookup_stale(req, req->route->cache.stale_if_error))
		return STEP_HOLD;
	attempt_note(req);
	return attempt_retries(req) ? STEP_BACKOFF : pass_on(req);
}

/*
 * An answer that may be stored is collected whole before its head is sent, so
 * that the head can say what became of it and a failure is still an error; one
 * that outgrows the window is passed on unstored.
 */
static enum step
step_fetch(struct request *req)
{
	if (!request_is_wanted(req))
		return end_alone(req);
	if (req->fetch == NULL && !limit_is_passed(req))
		return STEP_LIMIT;
	if (req->fetch == NULL && req->attempt.upstream == NULL && !attempt_begin(req))
		return all_fail(req);
	if (req->fetch == NULL && forward_start(req) < 0)
		return not_sent(req);
	switch (fetch_state(req->fetch)) {
	case FETCH_WAITING:
		return STEP_FETCH;
	case FETCH_HEAD:
		if (!hold_may(req))
			hold_release(req);
		return fetch_begun(req);
	case FETCH_DONE:
	case FETCH_FAILED:
		return fetch_ended(req);
	}
	unreachable("fetch state");
}

/* Nothing was passed on, and another upstream, or the same, may do better. */
static enum step
step_backoff(struct request *req)
{
	if (!request_is_wanted(req))
		return end_alone(req);
	switch (attempt_next(req)) {
	case ATTEMPT_WAIT:
		return STEP_BACKOFF;
	case ATTEMPT_BEGUN:
		req->fetch = fetch_free(req->fetch);
		return STEP_FETCH;
	case ATTEMPT_NONE:
		return pass_on(req);
	}
	unreachable("next attempt");
}

static enum step
step_hold(struct request *req)
{
	if (!request_is_wanted(req))
		return end_alone(req);
	switch (hold_check(req)) {
	case HOLD_WAIT:
		return STEP_HOLD;
	case HOLD_RETRY:
		attempt_end(req);
		req->fetch = fetch_free(req->fetch);
		return STEP_FETCH;
	case HOLD_OVER:
		return req->question.is_storable ? STEP_ANSWER : STEP_RELAY;
	}
	unreachable("hold state");
}

static enum step
step_answer(struct request *req)
{
	bool is_stored;

	limit_settle(req);
	is_stored = keep_answer(req);
	if (req->sharing.led != NULL)
		share_whole(req);
	if (req->client != NULL && attempt_is_trouble(fetch_status(req->fetch)) &&
	    lookup_stale(req, req->route->cache.stale_if_error))
		return answer_stale(req, fetch_status(req->fetch));
	if (req->client != NULL)
		return answer_from_upstream(req, is_stored);
	return end_alone(req);
}

/* Another's answer of the other form is of use once it is stored; an error is one in any. */
static enum step
take_landed(struct request *req)
{
	const struct flight_head *head = flight_head(&req->sharing.seat);

	if (attempt_is_trouble(head->status) && lookup_stale(req, req->route->cache.stale_if_error))
		return answer_stale(req, head->status);
	if (head->form == form_wanted(&req->call) || head->status != 200)
		return head->is_live ? STEP_TAIL : answer_from_flight(req);
	flight_leave(&req->sharing.seat);
	return STEP_LOOKUP;
}

/* Has the one call failed, it has for all; but for a reason of its leader's, it has not. */
static enum step
take_failed(struct request *req)
{
	int failure = flight_failure(&req->sharing.seat);

	flight_leave(&req->sharing.seat);
	req->sharing.is_alone = failure == FLIGHT_NOT_SHARED;
	if (req->sharing.is_alone)
		return STEP_FETCH;
	return failure == FLIGHT_LOOK_AGAIN || failure >= FLIGHT_BROKEN ? STEP_LOOKUP :
	    give_failure(req, (enum fetch_failure)failure);
}

static enum step
step_follow(struct request *req)
{
	const struct flight_head *head;

	switch (flight_state(&req->sharing.seat)) {
	case FLIGHT_WAITING:
		return STEP_FOLLOW;
	case FLIGHT_HEAD:
		head = flight_head(&req->sharing.seat);
		return head->is_live && head->form == form_wanted(&req->call) ?
		    STEP_TAIL : STEP_FOLLOW;
	case FLIGHT_LANDED:
		return take_landed(req);
	case FLIGHT_FAILED:
		return take_failed(req);
	}
	unreachable("flight state");
}

static enum step
break_off(struct request *req)
{
	request_end(req, END_STREAM_BROKEN);
	return STEP_ENDED;
}

static const struct failure ending = {
	503, "shutting_down", "the proxy is ending; the request may be tried again",
};

/*
 * What has begun cannot be taken back: the client is told in the stream, or by a reset.
 * A failure that is none of its call's is that of who made it, who may have been cut.
 */
static enum step
fail_stream(struct request *req, enum fetch_failure failure)
{
	bool is_cut = failure == FETCH_OK && req->worker->is_draining;

	(void)answer_relay_failed(req, is_cut ? &ending : answer_failure(failure));
	return break_off(req);
}

static enum step
end_stream(struct request *req, enum end_reason why)
{
	if (answer_relay_end(req) < 0)
		return break_off(req);
	request_end(req, why);
	return STEP_ENDED;
}

/* That of its call, if it is known; its leader may have ended for another reason. */
static enum fetch_failure
tail_failure(const struct flight_seat *seat)
{
	int failure = flight_failure(seat);

	return failure >= FLIGHT_BROKEN ? (enum fetch_failure)(failure - FLIGHT_BROKEN) : FETCH_OK;
}

static enum step
step_tail(struct request *req)
{
	struct flight_seat *seat = &req->sharing.seat;
	/* First, so that what has landed is all there. */
	enum flight_state state = flight_state(seat);

	if (relay_tail(req) < 0)
		return break_off(req);
	if (flight_read(seat).len > 0 || state == FLIGHT_HEAD)
		return STEP_TAIL;
	if (state == FLIGHT_FAILED)
		return fail_stream(req, tail_failure(seat));
	saving_note_follower(req);
	return end_stream(req, END_COLLAPSED);
}

static enum step
step_relay(struct request *req)
{
	enum fetch_state state = fetch_state(req->fetch);

	if (relay_look(req) < 0)
		return fail_stream(req, FETCH_OK);
	if (request_is_wanted(req))
		relay_tee(req);
	if (req->client == NULL && (req->sharing.led == NULL || !request_is_wanted(req)))
		return end_alone(req);
	if (relay_send(req) < 0)
		return break_off(req);
	if (relay_has_more(req) || state == FETCH_HEAD)
		return STEP_RELAY;
	if (state == FETCH_FAILED) {
		revision_note_call(req);
		return fail_stream(req, fetch_failure(req->fetch));
	}
	return end_stream(req, req->fwd == FWD_BYPASS ? END_BYPASS : END_MISS);
}

void
request_cut(struct request *req)
{
	if (req->client != NULL && (req->step == STEP_RELAY || req->step == STEP_TAIL))
		(void)answer_relay_failed(req, &ending);
	request_end(req, END_SHUTDOWN);
}
