/* SPDX-License-Identifier: MIT */
/*
 * answer_cache.c - what goes back where an answer was there, fresh or not; of a stream
 * perhaps event by event, for clients that animate.
 */
#include "proxy/answer_priv.h"

#include <inttypes.h>
#include <string.h>

#include "base/num.h"
#include "config/config.h"
#include "proxy/client.h"
#include "proxy/dialect/stream.h"
#include "proxy/form.h"
#include "proxy/http/respond.h"
#include "proxy/net/conn.h"
#include "proxy/saving.h"

#define UNSENT_MAX	((size_t)64 << 10)

/* What goes on behind an answer has no time to wait for it. */
static bool
is_paced(const struct request *req)
{
	return req->call.wants_stream && req->route->cache.replay_pace.n > 0 &&
	    !req->sharing.is_refresh;
}

/* What was found, with STATUS as its Cache-Status; of one that is paced the head. */
static int
send_entry(struct request *req, struct buf *out, struct bytes status)
{
	struct answer_tags tags = {
		.compute = BYTES_LIT("cache"),
		.origin = req->found.compute,
		.status = status,
		.has_age = true,
		.age = (uint64_t)(req->question.lifetime.age / USEC_PER_SEC),
	};
	int r = form_retouch(req);

	if (r == 0)
		r = answer_begin_head(req, out, req->found.status, &tags);
	saving_note_hit(req);
	if (r == 0)
		r = buf_add(out, req->found.fields);
	if (r < 0 || !is_paced(req))
		return r < 0 ? r : answer_send_whole(req, out, req->found.body);
	r = form_hold(req);
	return r < 0 ? r : answer_send_part(req, out, req->found.body.len, BYTES_NONE);
}

static enum step
give(struct request *req, struct bytes status, enum end_reason why)
{
	struct buf *out = &req->worker->head;
	int r = send_entry(req, out, status);

	buf_consume(out, buf_len(out));
	if (r < 0 || !is_paced(req))
		return answer_end(req, r, why);
	req->reply.rest = req->found.body;
	req->reply.due = loop_now(req->worker->loop);
	req->reply.why = why;
	return STEP_PACE;
}

/* Send what is due; the client takes it or not. */
static int
send_due(struct request *req, usec_t now)
{
	const struct rate *pace = &req->route->cache.replay_pace;
	enum stream_form form = stream_form_of(&req->call);
	struct reply *reply = &req->reply;
	struct bytes piece;
	int r = 0;

	while (r == 0 && reply->due <= now && stream_next_piece(form, &reply->rest, &piece)) {
		r = conn_write(client_conn(req->client), &piece, 1);
		answer_note_body(req, piece);
		reply->due += pace->per / (usec_t)pace->n;
	}
	return r;
}

enum step
answer_pace(struct request *req)
{
	usec_t now = loop_now(req->worker->loop);
	struct reply *reply = &req->reply;
	int r;

	if (conn_unsent(client_conn(req->client)) > UNSENT_MAX) {
		reply->due = now;	/* who is slow gets no burst afterwards */
		return STEP_PACE;
	}
	r = send_due(req, now);
	if (r < 0 || reply->rest.len == 0)
		return answer_end(req, r, reply->why);
	request_wake_at(req, reply->due);
	return STEP_PACE;
}

enum step
answer_from_cache(struct request *req)
{
	char status[] = "reprise; hit; ttl=01234567890123456789";
	char *digits = status + strlen("reprise; hit; ttl="), *start;
	/* Rounded up, as Age is rounded down: together they are the time to live. */
	usec_t left = req->question.lifetime.left + USEC_PER_SEC - 1;
	size_t len;

	start = num_format_u64((uint64_t)left / USEC_PER_SEC, status + sizeof(status) - 1);
	len = (size_t)(status + sizeof(status) - 1 - start);
	memmove(digits, start, len);
	return give(req, (struct bytes){ status, (size_t)(digits - status) + len }, END_HIT);
}

/* RFC 9211, 2.2 and 2.3: gone past its time, as a hit or instead of what came. */
static int
stale_status(struct request *req, int status, struct bytes *ret_text)
{
	if (status == STALE_UNASKED)
		return arena_printf(req->arena, ret_text, "reprise; hit; ttl=-%" PRIu64,
		    (uint64_t)(req->question.overdue / USEC_PER_SEC));
	if (status == 0)
		return arena_printf(req->arena, ret_text, "reprise; fwd=stale");
	return arena_printf(req->arena, ret_text, "reprise; fwd=stale; fwd-status=%d", status);
}

enum step
answer_stale(struct request *req, int status)
{
	struct bytes text;
	int r = stale_status(req, status, &text);

	return r < 0 ? answer_end(req, r, END_STALE) : give(req, text, END_STALE);
}
