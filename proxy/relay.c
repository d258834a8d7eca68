/* SPDX-License-Identifier: MIT */
/*
 * relay.c - a body on its way to a client while it comes: of our own call, or of
 * that of another request, as far ahead of the client as is good for both.
 */
#include "proxy/relay.h"

#include "base/quota.h"
#include "proxy/answer.h"
#include "proxy/attempt.h"
#include "proxy/client.h"
#include "proxy/form.h"
#include "proxy/forward.h"
#include "proxy/guests.h"
#include "proxy/keep.h"
#include "proxy/limit.h"
#include "proxy/net/conn.h"
#include "proxy/share.h"
#include "proxy/worker.h"

#define SHOWN_MAX	((size_t)64 << 20)
#define AHEAD		((size_t)256 << 10)	/* unsent bytes at which we wait */
#define AHEAD_MIN	(QUOTA_FREE / 2)	/* ... where memory is short */
#define UNRIPE_MAX	((size_t)32 << 10)	/* of half an event; more is let pass */

bool
relay_begin(struct request *req)
{
	struct bytes type = fields_get(fetch_fields(req->fetch), "content-type");
	bool is_stream = fetch_status(req->fetch) == 200 && form_is_stream(&req->call, type);

	req->reply.is_stream = is_stream;
	req->reply.is_partial = is_stream && forward_adds_usage(req);
	if (req->reply.is_partial)
		buf_init(&req->reply.shown, SHOWN_MAX);
	req->reply.is_kept = is_stream && req->question.is_storable;
	return req->reply.is_kept;
}

struct bytes
relay_body(const struct request *req)
{
	const struct reply *reply = &req->reply;

	if (reply->is_partial)
		return buf_bytes(&reply->shown);
	return reply->is_stream ? bytes_first(fetch_body(req->fetch), reply->ripe) :
	    fetch_body(req->fetch);
}

/*
 * A client can do nothing with half an event, and whoever has none of it can be told in
 * the next one that nothing more comes.
 */
static void
ripen(struct request *req)
{
	struct bytes body = fetch_body(req->fetch);
	struct reply *reply = &req->reply;

	stream_mark_events(stream_form_of(&req->call), body, &reply->mark);
	if (fetch_state(req->fetch) == FETCH_DONE || fetch_is_paused(req->fetch) ||
	    body.len - reply->mark.whole > UNRIPE_MAX)
		reply->ripe = body.len;
	else if (reply->ripe < reply->mark.whole)
		reply->ripe = reply->mark.whole;
}

/* Does the client lag so far behind that there is no use in more? */
static bool
has_enough(const struct request *req)
{
	return !req->reply.is_kept && relay_body(req).len - req->reply.at > AHEAD;
}

int
relay_look(struct request *req)
{
	struct reply *reply = &req->reply;
	enum fetch_state state = fetch_state(req->fetch);
	struct bytes fresh = bytes_skip(fetch_body(req->fetch), reply->seen);
	size_t used = 0;
	int r;

	if (reply->is_stream && !reply->is_partial)
		ripen(req);
	if (!reply->is_partial || has_enough(req))
		return 0;
	r = form_drop_usage(fresh, state == FETCH_DONE, &reply->shown, &used);
	/* An event that fills the window alone will not become whole. */
	if (r == 0 && used + reply->seen == 0 && fetch_is_paused(req->fetch))
		r = form_drop_usage(fresh, true, &reply->shown, &used);
	if (r == 0)
		reply->seen += used;
	/* What is left of a broken stream will not become whole. */
	if (r == 0 && state == FETCH_FAILED)
		reply->seen = fetch_body(req->fetch).len;
	return r;
}

/* All has come, or all that will: for the cache, and for those who wait. */
static void
end_tee(struct request *req)
{
	bool is_whole = fetch_state(req->fetch) == FETCH_DONE;

	attempt_note(req);
	if (req->reply.is_kept && is_whole) {
		limit_settle(req);
		(void)keep_answer(req);
	}
	if (req->sharing.led != NULL)
		share_end(req, is_whole);
	req->reply.is_kept = false;
}

void
relay_tee(struct request *req)
{
	enum fetch_state state = fetch_state(req->fetch);

	if (state == FETCH_DONE || state == FETCH_FAILED) {
		end_tee(req);
		return;
	}
	if (fetch_is_paused(req->fetch))
		req->reply.is_kept = false;
	if (req->sharing.led != NULL)
		share_more(req);
}

/* The next piece to go to the client, and before the first the head: in one go. */
static int
send_next(struct request *req, struct bytes piece)
{
	req->reply.at += piece.len;
	return req->reply.status == 0 ? answer_relay_head(req, piece) :
	    answer_relay_piece(req, piece);
}

/* A piece at so many unsent bytes, and of so many, fits in what a connection has for free. */
static size_t
ahead(const struct request *req)
{
	return quota_has_room(guests_memory(req->worker->guests), 2 * AHEAD) ? AHEAD : AHEAD_MIN;
}

/* As much of the upstream's answer as there is and the client takes. */
static int
send_more(struct request *req)
{
	const size_t max = ahead(req);
	struct bytes piece;
	int r = 0;

	if (req->client == NULL) {
		req->reply.at = relay_body(req).len;
		return 0;
	}
	while (r == 0 && conn_unsent(client_conn(req->client)) < max) {
		piece = bytes_first(bytes_skip(relay_body(req), req->reply.at), max);
		if (piece.len == 0 && req->reply.status != 0)
			break;
		r = send_next(req, piece);
	}
	return r;
}

static size_t
less(size_t n, size_t by)
{
	return n > by ? n - by : 0;
}

/* What was sent is gone. */
static void
forget_ripe(struct reply *reply)
{
	reply->ripe = less(reply->ripe, reply->at);
	reply->mark.whole = less(reply->mark.whole, reply->at);
	reply->mark.line = less(reply->mark.line, reply->at);
}

/* What is neither kept nor still to be sent makes room for more. */
static void
let_go(struct request *req)
{
	if (req->reply.is_kept || req->reply.at == 0)
		return;
	if (req->reply.is_partial) {
		buf_consume(&req->reply.shown, req->reply.at);
		fetch_consume(req->fetch, req->reply.seen);
		req->reply.seen = 0;
	} else {
		fetch_consume(req->fetch, req->reply.at);
		forget_ripe(&req->reply);
	}
	if (req->sharing.led != NULL)
		req->sharing.published -= req->reply.at;
	req->reply.at = 0;
}

int
relay_send(struct request *req)
{
	int r = send_more(req);

	if (r == 0)
		let_go(req);
	return r;
}

bool
relay_has_more(const struct request *req)
{
	return relay_body(req).len > req->reply.at ||
	    (req->reply.is_partial && fetch_body(req->fetch).len > req->reply.seen);
}

int
relay_tail(struct request *req)
{
	struct flight_seat *seat = &req->sharing.seat;
	const size_t max = ahead(req);
	struct bytes piece;
	int r = 0;

	if (req->reply.status == 0)
		r = answer_tail_head(req);
	while (r == 0 && conn_unsent(client_conn(req->client)) < max) {
		piece = bytes_first(flight_read(seat), max);
		if (piece.len == 0)
			break;
		r = answer_relay_piece(req, piece);
		flight_advance(seat, piece.len);
	}
	return r;
}
