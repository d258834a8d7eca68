/* SPDX-License-Identifier: MIT */
/*
 * answer_call.c - what goes back of a call, our own or that of another request: whole
 * or piece by piece.
 */
#include "proxy/answer_priv.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "config/config.h"
#include "proxy/attempt.h"
#include "proxy/client.h"
#include "proxy/forward.h"
#include "proxy/http/respond.h"
#include "proxy/limit.h"
#include "proxy/net/conn.h"
#include "proxy/saving.h"

/* Fields of an upstream that we say ourselves, or that are about another host than us. */
static const char *const held_back[] = {
	"age", "alt-svc", "cache-status", "content-length", "date", "set-cookie",
	"strict-transport-security", "x-compute-time", "x-compute-type", "x-reprise-origin",
	"x-reprise-fallback", "x-reprise-upstream", "x-request-id",
};

bool
answer_passes_field(const struct fields *fields, struct bytes name)
{
	if (field_is_hop_by_hop(fields, name) || bytes_has_prefix_nocase(name, "access-control-"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(held_back); i++)
		if (bytes_eq_str_nocase(name, held_back[i]))
			return false;
	return true;
}

struct bytes
answer_compute_type(const struct request *req)
{
	struct bytes said = fields_get(fetch_fields(req->fetch), "x-compute-type");
	const char *configured = forward_upstream(req)->compute;

	if (said.len > 0)
		return said;
	return configured != NULL ? bytes_str(configured) : BYTES_LIT("upstream");
}

/* In seconds with 3 decimals. */
static int
format_time(struct request *req, usec_t time, struct bytes *ret_text)
{
	uint64_t msec = (uint64_t)(time + USEC_PER_MSEC / 2) / USEC_PER_MSEC;
	char text[NUM_DIGITS_MAX + 1], *end = text + sizeof(text), *point = end - 4, *start;

	/* The point takes the place of the 1, which keeps the zeros behind it. */
	num_format_u64(1000 + msec % 1000, end);
	*point = '.';
	start = num_format_u64(msec / 1000, point);
	return arena_copy(req->arena, (struct bytes){ start, (size_t)(end - start) }, ret_text);
}

int
answer_compute_time(struct request *req, struct bytes *ret_text)
{
	struct bytes said = fields_get(fetch_fields(req->fetch), "x-compute-time");
	usec_t time = fetch_head_time(req->fetch);
	uint64_t msec;

	if (said.len > 0 && !req->call.dialect->compute_time_in_msec) {
		*ret_text = said;
		return 0;
	}
	if (num_parse_u64(said, &msec) == 0 && msec < INT64_MAX / USEC_PER_MSEC)
		time = (usec_t)msec * USEC_PER_MSEC;
	return format_time(req, time, ret_text);
}

int
answer_passed_fields(const struct fields *fields, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < fields->n; i++)
		if (answer_passes_field(fields, fields->list[i].name))
			r = respond_copy(out, fields->list[i].name, fields->list[i].value);
	return r;
}

static int
tell_forwarded(struct request *req, int status, bool is_stored, struct bytes *ret_text)
{
	char digits[NUM_DIGITS_MAX], *end = digits + sizeof(digits);
	const char *start = num_format_u64((uint64_t)status, end);
	const struct bytes parts[] = {
		BYTES_LIT("reprise"), bytes_str(answer_fwd_word(req->fwd)),
		BYTES_LIT("; fwd-status="), { start, (size_t)(end - start) },
		is_stored ? BYTES_LIT("; stored") : BYTES_NONE,
	};

	return arena_join(req->arena, parts, ARRAY_LEN(parts), ret_text);
}

/* The head of an upstream's answer up to how its body is framed. */
static int
begin_upstream_head(struct request *req, struct buf *out, bool is_stored)
{
	struct answer_tags tags = { .compute = answer_compute_type(req) };
	int status = fetch_status(req->fetch), r;

	r = answer_compute_time(req, &tags.compute_time);
	if (r == 0)
		r = tell_forwarded(req, status, is_stored, &tags.status);
	if (r == 0)
		r = answer_begin_head(req, out, status, &tags);
	if (r == 0)
		r = attempt_add_fields(req, out);
	/* It was tried again as far as that was allowed: no need for the client to. */
	if (r == 0 && status >= 400 && req->attempt.n_retries > 0)
		r = respond_field(out, "x-should-retry", BYTES_LIT("false"));
	return r == 0 ? answer_passed_fields(fetch_fields(req->fetch), out) : r;
}

enum step
answer_from_upstream(struct request *req, bool is_stored)
{
	struct buf out;
	int r;

	buf_init(&out, ANSWER_HEAD_MAX);
	r = begin_upstream_head(req, &out, is_stored);
	if (r == 0)
		r = answer_send_whole(req, &out, fetch_body(req->fetch));
	buf_done(&out);
	return answer_end(req, r, END_MISS);
}

/* The body of a landed flight, chunk by chunk. */
static int
send_flight_body(struct request *req)
{
	int r = 0;

	while (r == 0) {
		struct bytes piece = flight_read(&req->sharing.seat);

		if (piece.len == 0)
			break;
		r = conn_write(client_conn(req->client), &piece, 1);
		flight_advance(&req->sharing.seat, piece.len);
		answer_note_body(req, piece);
	}
	return r;
}

/* The head of what another request's call brought, up to how its body is framed. */
static int
begin_flight_head(struct request *req, struct buf *out)
{
	const struct flight_head *head = flight_head(&req->sharing.seat);
	struct answer_tags tags = { .compute = head->compute, .compute_time = head->compute_time };
	int r;

	r = arena_printf(req->arena, &tags.status, "reprise%s; fwd-status=%d; collapsed",
	    answer_fwd_word(req->fwd), head->status);
	limit_note_follower(req);
	if (r == 0)
		r = answer_begin_head(req, out, head->status, &tags);
	return r == 0 ? buf_add(out, head->fields) : r;
}

static int
send_flight(struct request *req, struct buf *out)
{
	const struct flight_seat *seat = &req->sharing.seat;
	const struct flight_head *head = flight_head(seat);
	struct bytes part;
	int r = begin_flight_head(req, out);

	if (r == 0 && !answer_has_no_body(head->status))
		r = respond_number(out, BYTES_LIT("Content-Length"), flight_len(seat));
	if (r == 0)
		r = respond_end(out, &req->worker->date, clock_wall());
	if (r < 0)
		return r;
	part = buf_bytes(out);
	r = conn_write(client_conn(req->client), &part, 1);
	if (r == 0 && !answer_is_bare(req))
		r = send_flight_body(req);
	return r;
}

enum step
answer_from_flight(struct request *req)
{
	struct buf out;
	int r;

	buf_init(&out, ANSWER_HEAD_MAX);
	r = send_flight(req, &out);
	buf_done(&out);
	saving_note_follower(req);
	return answer_end(req, r, END_COLLAPSED);
}

static void
frame_without_length(struct request *req)
{
	req->reply.is_chunked = req->head->minor_version > 0 && !answer_is_bare(req);
	req->reply.is_by_close = req->head->minor_version == 0 && !answer_is_bare(req);
	req->reply.must_close = req->head->minor_version == 0;
}

/*
 * RFC 9112, 6: a length if it is known, chunks if the client can, else until
 * we close; chosen before the head, which says whether we do.
 */
static struct bytes
choose_framing(struct request *req)
{
	struct bytes length = req->reply.is_partial ? BYTES_NONE :
	    fields_get(fetch_fields(req->fetch), "content-length");

	req->reply.has_length = length.ptr != NULL;
	if (!answer_has_no_body(fetch_status(req->fetch)) && length.ptr == NULL)
		frame_without_length(req);
	return length;
}

static int
add_framing(struct request *req, struct buf *out, struct bytes length)
{
	if (answer_has_no_body(req->reply.status))
		return 0;
	if (length.ptr != NULL)
		return respond_field(out, "Content-Length", length);
	if (req->reply.is_chunked)
		return respond_field(out, "Transfer-Encoding", BYTES_LIT("chunked"));
	return 0;
}

/* The last bytes that a client got show whether it is in the middle of an event. */
static void
note_tail(struct reply *reply, struct bytes piece)
{
	size_t n = piece.len < STREAM_TAIL_LEN ? piece.len : STREAM_TAIL_LEN;
	size_t kept = reply->tail_len < STREAM_TAIL_LEN - n ? reply->tail_len :
	    STREAM_TAIL_LEN - n;

	memmove(reply->tail, reply->tail + reply->tail_len - kept, kept);
	if (n > 0)
		memcpy(reply->tail + kept, piece.ptr + piece.len - n, n);
	reply->tail_len = kept + n;
}

/* HEAD, if there is one, and a piece of the body, in a chunk if need be. */
static int
send_piece(struct request *req, struct bytes head, struct bytes piece)
{
	char line[24];
	struct bytes parts[4] = { head, BYTES_NONE, piece, BYTES_NONE };

	if (req->reply.is_chunked && piece.len > 0) {
		parts[1].ptr = line;
		parts[1].len = (size_t)snprintf(line, sizeof(line), "%zx\r\n", piece.len);
		parts[3] = BYTES_LIT("\r\n");
	}
	answer_note_body(req, piece);
	note_tail(&req->reply, piece);
	return conn_write(client_conn(req->client), parts, ARRAY_LEN(parts));
}

/* The end of a head whose body follows piece by piece, and all of it on its way with the first. */
static int
send_head(struct request *req, struct buf *out, struct bytes length, struct bytes piece)
{
	int r = add_framing(req, out, length);

	if (r == 0)
		r = respond_end(out, &req->worker->date, clock_wall());
	return r < 0 ? r : send_piece(req, buf_bytes(out), piece);
}

int
answer_relay_head(struct request *req, struct bytes piece)
{
	struct bytes length = choose_framing(req);
	struct buf out;
	int r;

	buf_init(&out, ANSWER_HEAD_MAX);
	r = begin_upstream_head(req, &out, false);
	if (r == 0)
		r = send_head(req, &out, length, piece);
	buf_done(&out);
	return r;
}

int
answer_tail_head(struct request *req)
{
	struct buf out;
	int r;

	frame_without_length(req);
	req->reply.is_stream = flight_head(&req->sharing.seat)->is_stream;
	buf_init(&out, ANSWER_HEAD_MAX);
	r = begin_flight_head(req, &out);
	if (r == 0)
		r = send_head(req, &out, BYTES_NONE, BYTES_NONE);
	buf_done(&out);
	return r;
}

int
answer_relay_piece(struct request *req, struct bytes piece)
{
	return send_piece(req, BYTES_NONE, piece);
}

int
answer_relay_end(struct request *req)
{
	const struct bytes last = BYTES_LIT("0\r\n\r\n");

	return req->reply.is_chunked ? conn_write(client_conn(req->client), &last, 1) : 0;
}

/* An event of its own: what was begun before is ended first. */
static int
add_last_event(const struct request *req, const struct failure *failure, struct buf *out)
{
	const struct reply *reply = &req->reply;
	enum stream_form form = stream_form_of(&req->call);
	int r = 0;

	if (!stream_is_at_rest(form, (struct bytes){ reply->tail, reply->tail_len }))
		r = buf_add_str(out, "\n\n");
	return r == 0 ? stream_add_error(form, failure->status, failure->code,
	    bytes_str(failure->message), out) : r;
}

bool
answer_relay_failed(struct request *req, const struct failure *failure)
{
	struct reply *reply = &req->reply;
	struct buf out;
	int r;

	if (reply->status != 200 || !reply->is_stream || reply->has_length)
		return false;
	buf_init(&out, ANSWER_HEAD_MAX);
	r = add_last_event(req, failure, &out);
	if (r == 0)
		r = send_piece(req, BYTES_NONE, buf_bytes(&out));
	if (r == 0)
		r = answer_relay_end(req);
	buf_done(&out);
	reply->is_ended = r == 0;
	return reply->is_ended;
}
