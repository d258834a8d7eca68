/* SPDX-License-Identifier: MIT */
/*
 * hold.c - a request whose model is being loaded is kept until it is there, rather
 * than told to come again: some clients do so at once and without end (PROTOCOLS.md
 * 0.2, point 9).
 *
 * Of all who wait for one model of one upstream, on whatever workers, one asks now
 * and then: it leads a flight (cache/flight.h) that carries no answer.  When it
 * lands, those with a seat ask for themselves; when its leader leaves, one of them
 * takes its place.
 */
#include "proxy/hold.h"

#include <string.h>

#include "base/mem.h"
#include "cache/digest.h"
#include "config/config.h"
#include "proxy/dialect/loading.h"
#include "proxy/forward.h"
#include "proxy/share.h"
#include "proxy/worker.h"

#define TIME_ASKED	(300 * USEC_PER_SEC)	/* where the request asks and no route says */
#define PAUSE_MIN	(USEC_PER_SEC / 2)
#define PAUSE_MAX	(10 * USEC_PER_SEC)

/* How long it is held at most. */
static usec_t
time_of(const struct request *req)
{
	enum wait wait = req->call.controls.wait;

	if (wait == WAIT_NO)
		return 0;
	if (req->route->wait_for_model > 0)
		return req->route->wait_for_model;
	return wait == WAIT_YES ? TIME_ASKED : 0;
}

/* Nobody asks for what nobody waits for. */
static bool
is_awaited(const struct request *req)
{
	return req->client != NULL ||
	    (req->sharing.led != NULL && flight_is_awaited(req->sharing.led));
}

bool
hold_may(const struct request *req)
{
	return fetch_status(req->fetch) == 503 && bytes_eq_str(req->head->method, "POST") &&
	    time_of(req) > 0 && is_awaited(req);
}

bool
hold_must(const struct request *req)
{
	return hold_may(req) && answer_is_loading(503, fetch_body(req->fetch));
}

/* The flight of those who wait for this model there. */
static int
join(struct request *req)
{
	char sum[DIGEST_LEN];
	struct bytes name;
	struct key key;
	int r = arena_printf(req->arena, &name, "loading\n%s\n%.*s", forward_upstream(req)->url,
	    BYTES_ARG(req->model));

	if (r < 0)
		return r;
	digest_bytes(name, sum);
	memcpy(key.bytes, sum, sizeof(key.bytes));
	flight_join(req->worker->flights, &key, name, &req->hold.seat, &req->hold.led);
	return 0;
}

/* The longer it takes, the less often it is asked for. */
static usec_t
pause_of(unsigned n_tries)
{
	usec_t pause = PAUSE_MIN;

	while (n_tries-- > 0 && pause < PAUSE_MAX)
		pause *= 2;
	return pause < PAUSE_MAX ? pause : PAUSE_MAX;
}

/* As the one who asks. */
static enum hold_state
check_lead(struct request *req, usec_t now)
{
	struct hold *hold = &req->hold;

	if (hold->due == 0)
		hold->due = now + pause_of(hold->n_tries++);
	if (now < hold->due) {
		request_wake_at(req, hold->due < hold->until ? hold->due : hold->until);
		return HOLD_WAIT;
	}
	hold->due = 0;
	return HOLD_RETRY;
}

/* As one who waits for the one who asks. */
static enum hold_state
check_seat(struct request *req)
{
	enum flight_state state = flight_state(&req->hold.seat);

	if (state == FLIGHT_WAITING) {
		request_wake_at(req, req->hold.until);
		return HOLD_WAIT;
	}
	flight_leave(&req->hold.seat);
	return HOLD_RETRY;
}

static bool
has_lost_leader(const struct flight_seat *seat)
{
	return seat->flight != NULL && flight_state(seat) == FLIGHT_FAILED;
}

enum hold_state
hold_check(struct request *req)
{
	struct hold *hold = &req->hold;
	usec_t now = loop_now(req->worker->loop);

	if (hold->until == 0) {
		hold->until = now + time_of(req);
		stats_count(&req->worker->stats.held);
	}
	if (has_lost_leader(&hold->seat))
		flight_leave(&hold->seat);
	if (now >= hold->until || req->worker->is_draining ||
	    (hold->led == NULL && hold->seat.flight == NULL && join(req) < 0)) {
		hold_end(req);
		return HOLD_OVER;
	}
	return hold->led != NULL ? check_lead(req, now) : check_seat(req);
}

void
hold_release(struct request *req)
{
	if (req->hold.led != NULL)
		flight_land(take_ptr(&req->hold.led));
}

void
hold_end(struct request *req)
{
	flight_leave(&req->hold.seat);
	if (req->hold.led != NULL)
		flight_fail(take_ptr(&req->hold.led), FLIGHT_LOOK_AGAIN);
}
