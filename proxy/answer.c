/* SPDX-License-Identifier: MIT */
/*
 * answer.c - what goes back to the client, and what every answer says of
 * itself (DESIGN.md, What every answer says).
 */
#include "proxy/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "cache/tally.h"
#include "config/config.h"
#include "proxy/client.h"
#include "proxy/diff.h"
#include "proxy/form.h"
#include "proxy/forward.h"
#include "proxy/http/respond.h"
#include "proxy/net/conn.h"
#include "proxy/question.h"
#include "proxy/worker.h"

#define HEAD_MAX	WORKER_HEAD_MAX
#define REQUEST_ID_MAX	128
#define EXPLANATION_MAX	((size_t)4 << 10)

#define EXPOSED_FIELDS	"x-compute-type, x-compute-time, Cache-Status, Age, x-request-id, " \
			"x-reprise-origin"
#define ALLOWED_METHODS	"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

/* Fields of an upstream that we say ourselves, or that are about another host than us. */
static const char *const held_back[] = {
	"age", "alt-svc", "cache-status", "content-length", "date", "set-cookie",
	"strict-transport-security", "x-compute-time", "x-compute-type", "x-reprise-origin",
	"x-request-id",
};

/* The parts of a head that differ from answer to answer. */
struct tags {
	struct bytes	compute;	/* x-compute-type */
	struct bytes	compute_time;	/* no ptr: absent, as the following */
	struct bytes	origin;
	struct bytes	status;		/* Cache-Status */
	bool		has_age;
	uint64_t	age;		/* in seconds */
};

static bool
is_head_request(const struct request *req)
{
	return req->head != NULL && bytes_eq_str(req->head->method, "HEAD");
}

static bool
has_no_body(int status)
{
	return status < 200 || status == 204 || status == 304;
}

static int
format_id(struct request *req, uint64_t id)
{
	static const char digits[] = "0123456789abcdef";
	char text[16];

	for (size_t i = sizeof(text); i-- > 0; id >>= 4)
		text[i] = digits[id & 15];
	return arena_copy(req->arena, (struct bytes){ text, sizeof(text) }, &req->id);
}

/* A client's own id is taken if it could be one; else the request gets one. */
static int
give_id(struct request *req)
{
	struct bytes id = BYTES_NONE;

	if (req->id.ptr != NULL)
		return 0;
	if (req->head != NULL)
		id = fields_get(&req->head->fields, "x-request-id");
	if (id.len > 0 && id.len <= REQUEST_ID_MAX && field_value_is_valid(id)) {
		req->id = id;
		return 0;
	}
	return format_id(req, worker_draw_id(req->worker));
}

static int
add_cors(struct request *req, struct buf *out)
{
	int r;

	if (req->head == NULL || fields_get(&req->head->fields, "origin").ptr == NULL)
		return 0;
	r = respond_field(out, "Access-Control-Allow-Origin", BYTES_LIT("*"));
	if (r == 0)
		r = respond_field(out, "Access-Control-Expose-Headers", BYTES_LIT(EXPOSED_FIELDS));
	return r;
}

static int
add_tags(struct request *req, struct buf *out, const struct tags *tags)
{
	int r = respond_copy(out, BYTES_LIT("x-compute-type"), tags->compute);

	if (r == 0 && tags->compute_time.ptr != NULL)
		r = respond_copy(out, BYTES_LIT("x-compute-time"), tags->compute_time);
	if (r == 0 && tags->origin.ptr != NULL)
		r = respond_copy(out, BYTES_LIT("x-reprise-origin"), tags->origin);
	if (r == 0)
		r = respond_own(out, BYTES_LIT("Cache-Status"), tags->status);
	if (r == 0 && tags->has_age)
		r = respond_number(out, BYTES_LIT("Age"), tags->age);
	/* That of a client has been looked at when it was taken. */
	return r == 0 ? respond_own(out, BYTES_LIT("x-request-id"), req->id) : r;
}

static void
add_left_out(void *arg, enum diff diff, const char *path)
{
	struct buf *list = arg;

	if (diff == DIFF_ONLY_A)
		(void)!buf_addf(list, "%s%s", buf_len(list) > 0 ? " " : "", path);
}

/* What a client sees that asked why: the key is a hash under a secret of ours. */
static int
add_explanation(struct request *req, struct buf *out)
{
	const struct question *question = &req->question;
	struct buf left_out;
	char key[33];
	int r;

	if (!req->call.controls.explains || !question->is_storable)
		return 0;
	r = question_complete(req);
	buf_init(&left_out, EXPLANATION_MAX);
	diff_json(req->body, req->call.canonical, INT32_MAX, add_left_out, &left_out);
	key_format(&question->key, key);
	if (r == 0)
		r = respond_field(out, "x-reprise-key", bytes_str(key));
	if (r == 0)
		r = respond_copy(out, BYTES_LIT("x-reprise-namespace"),
		    question->scope.len > 0 ? question->scope : BYTES_LIT("shared"));
	if (r == 0)
		r = respond_field(out, "x-reprise-fingerprint",
		    question->is_recalled ? BYTES_LIT("hit") : BYTES_LIT("miss"));
	if (r == 0)
		r = respond_field(out, "x-reprise-left-out", buf_bytes(&left_out));
	buf_done(&left_out);
	return r;
}

/* May another request follow on this connection, as far as this answer goes? */
static int
add_connection(struct request *req, struct buf *out)
{
	if (req->head == NULL || !req->head->keep_alive || req->step == STEP_RECEIVE ||
	    req->worker->is_draining)
		req->reply.must_close = true;
	if (req->reply.must_close)
		return respond_field(out, "Connection", BYTES_LIT("close"));
	if (req->head->minor_version == 0)
		return respond_field(out, "Connection", BYTES_LIT("keep-alive"));
	return 0;
}

/* Status line and all that is ours; what came from elsewhere follows. */
static int
begin_head(struct request *req, struct buf *out, int status, const struct tags *tags)
{
	int r = give_id(req);

	req->reply.status = status;
	if (r == 0)
		r = respond_begin(out, status);
	if (r == 0)
		r = add_tags(req, out, tags);
	if (r == 0)
		r = add_cors(req, out);
	if (r == 0)
		r = add_explanation(req, out);
	if (r == 0)
		r = add_connection(req, out);
	return r;
}

/* The end of a head whose body is BODY, and both on their way. */
static int
send_whole(struct request *req, struct buf *out, struct bytes body)
{
	struct bytes parts[2];
	int r = 0;

	if (!has_no_body(req->reply.status))
		r = respond_number(out, BYTES_LIT("Content-Length"), body.len);
	if (r == 0)
		r = respond_end(out, &req->worker->date, clock_wall());
	if (r < 0)
		return r;
	parts[0] = buf_bytes(out);
	parts[1] = is_head_request(req) ? BYTES_NONE : body;
	req->reply.body_len = parts[1].len;
	return conn_write(client_conn(req->client), parts, 2);
}

/* When there is no memory to say even that something went wrong, we hang up. */
static enum step
end_after(struct request *req, int r, enum end_reason why)
{
	request_end(req, r < 0 ? END_STREAM_BROKEN : why);
	return STEP_ENDED;
}

static const char *
fwd_word(enum fwd fwd)
{
	static const char *const words[] = {
		[FWD_NONE] = "", [FWD_MISS] = "; fwd=miss", [FWD_REQUEST] = "; fwd=request",
		[FWD_STALE] = "; fwd=stale", [FWD_BYPASS] = "; fwd=bypass",
	};

	return words[fwd];
}

static int
send_own(struct request *req, int status, const char *content_type, struct bytes body,
    const struct tags *tags)
{
	struct buf out;
	int r;

	buf_init(&out, HEAD_MAX);
	r = begin_head(req, &out, status, tags);
	if (r == 0 && content_type != NULL)
		r = respond_field(&out, "Content-Type", bytes_str(content_type));
	if (r == 0)
		r = send_whole(req, &out, body);
	buf_done(&out);
	return r;
}

static int
send_error(struct request *req, int status, const char *code, const char *message)
{
	const struct dialect *dialect = req->call.dialect;
	struct tags tags = { .compute = BYTES_LIT("none") };
	struct buf body;
	int r;

	r = arena_printf(req->arena, &tags.status, "reprise%s; detail=%s", fwd_word(req->fwd),
	    code);
	if (r < 0)
		tags.status = BYTES_LIT("reprise");
	buf_init(&body, HEAD_MAX);
	r = error_body(&body, dialect != NULL ? dialect->error_shape : ERROR_SHAPE_HF, status,
	    code, bytes_str(message));
	if (r == 0)
		r = send_own(req, status, "application/json", buf_bytes(&body), &tags);
	buf_done(&body);
	return r;
}

enum step
answer_error(struct request *req, int status, const char *code, const char *message)
{
	return end_after(req, send_error(req, status, code, message), END_REFUSED);
}

enum step
answer_fetch_failed(struct request *req, enum fetch_failure failure)
{
	static const struct {
		int		 status;
		const char	*code;
		const char	*message;
	} rows[] = {
		[FETCH_OK] = { 502, "upstream_failed", "the upstream failed" },
		[FETCH_E_CONNECT] = { 502, "upstream_unreachable",
		    "no connection to the upstream; is it up, and is its url right?" },
		[FETCH_E_TLS] = { 502, "upstream_tls",
		    "no trusted TLS connection to the upstream; see ca_file" },
		[FETCH_E_TIMEOUT] = { 504, "upstream_timeout",
		    "the upstream did not answer in time; see its timeouts" },
		[FETCH_E_CLOSED] = { 502, "upstream_closed",
		    "the upstream broke off its answer; the request may be tried again" },
		[FETCH_E_BAD_ANSWER] = { 502, "upstream_bad_answer",
		    "what the upstream sent is no whole HTTP answer" },
	};
	int r;

	r = send_error(req, rows[failure].status, rows[failure].code, rows[failure].message);
	return end_after(req, r, END_UPSTREAM_FAILED);
}

enum step
answer_own(struct request *req, int status, const char *content_type, struct bytes body)
{
	const struct tags tags = { .compute = BYTES_LIT("none"), .status = BYTES_LIT("reprise") };

	return end_after(req, send_own(req, status, content_type, body, &tags), END_OWN);
}

static int
send_options(struct request *req, struct buf *out)
{
	const struct tags tags = { .compute = BYTES_LIT("none"), .status = BYTES_LIT("reprise") };
	struct bytes asked = fields_get(&req->head->fields, "access-control-request-headers");
	int r;

	r = begin_head(req, out, 204, &tags);
	if (r == 0)
		r = respond_field(out, "Allow", BYTES_LIT(ALLOWED_METHODS));
	if (r == 0 && fields_get(&req->head->fields, "origin").ptr != NULL)
		r = respond_field(out, "Access-Control-Allow-Methods", BYTES_LIT(ALLOWED_METHODS));
	if (r == 0 && asked.ptr != NULL) {
		r = respond_field(out, "Access-Control-Allow-Headers", asked);
		if (r == 0)
			r = respond_field(out, "Access-Control-Max-Age", BYTES_LIT("86400"));
	}
	return r < 0 ? r : send_whole(req, out, BYTES_NONE);
}

enum step
answer_options(struct request *req)
{
	struct buf out;
	int r;

	buf_init(&out, HEAD_MAX);
	r = send_options(req, &out);
	buf_done(&out);
	return end_after(req, r, END_OWN);
}

/* What was found, with STATUS as its Cache-Status. */
static int
send_entry(struct request *req, struct buf *out, struct bytes status)
{
	struct tags tags = {
		.compute = BYTES_LIT("cache"),
		.origin = req->found.compute,
		.status = status,
		.has_age = true,
		.age = (uint64_t)(req->lifetime.age / USEC_PER_SEC),
	};
	int r = form_retouch(req);

	if (r == 0)
		r = begin_head(req, out, req->found.status, &tags);
	tally_add(req->worker->tally, req->found.model, 1);
	if (r == 0)
		r = buf_add(out, req->found.fields);
	return r < 0 ? r : send_whole(req, out, req->found.body);
}

enum step
answer_from_cache(struct request *req)
{
	char status[] = "reprise; hit; ttl=01234567890123456789";
	char *digits = status + strlen("reprise; hit; ttl="), *start;
	struct buf *out = &req->worker->head;
	size_t len;
	int r;

	/* Rounded up, as Age is rounded down: together they are the time to live. */
	start = num_format_u64((uint64_t)(req->lifetime.left + USEC_PER_SEC - 1) / USEC_PER_SEC,
	    status + sizeof(status) - 1);
	len = (size_t)(status + sizeof(status) - 1 - start);
	memmove(digits, start, len);
	r = send_entry(req, out, (struct bytes){ status, (size_t)(digits - status) + len });
	buf_consume(out, buf_len(out));
	return end_after(req, r, END_HIT);
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
	struct buf *out = &req->worker->head;
	struct bytes text;
	int r = stale_status(req, status, &text);

	if (r == 0)
		r = send_entry(req, out, text);
	buf_consume(out, buf_len(out));
	return end_after(req, r, END_STALE);
}

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
	return arena_printf(req->arena, ret_text, "%.3f", (double)time / USEC_PER_SEC);
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

/* The head of an upstream's answer up to how its body is framed. */
static int
begin_upstream_head(struct request *req, struct buf *out, bool is_stored)
{
	struct tags tags = { .compute = answer_compute_type(req) };
	int status = fetch_status(req->fetch), r;

	r = answer_compute_time(req, &tags.compute_time);
	if (r == 0)
		r = arena_printf(req->arena, &tags.status, "reprise%s; fwd-status=%d%s",
		    fwd_word(req->fwd), status, is_stored ? "; stored" : "");
	if (r == 0)
		r = begin_head(req, out, status, &tags);
	return r == 0 ? answer_passed_fields(fetch_fields(req->fetch), out) : r;
}

enum step
answer_from_upstream(struct request *req, bool is_stored)
{
	struct buf out;
	int r;

	buf_init(&out, HEAD_MAX);
	r = begin_upstream_head(req, &out, is_stored);
	if (r == 0)
		r = send_whole(req, &out, fetch_body(req->fetch));
	buf_done(&out);
	return end_after(req, r, END_MISS);
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
		req->reply.body_len += piece.len;
	}
	return r;
}

/* The head of what another request's call brought, up to how its body is framed. */
static int
begin_flight_head(struct request *req, struct buf *out)
{
	const struct flight_head *head = flight_head(&req->sharing.seat);
	struct tags tags = { .compute = head->compute, .compute_time = head->compute_time };
	int r;

	r = arena_printf(req->arena, &tags.status, "reprise%s; fwd-status=%d; collapsed",
	    fwd_word(req->fwd), head->status);
	if (r == 0)
		r = begin_head(req, out, head->status, &tags);
	return r == 0 ? buf_add(out, head->fields) : r;
}

static int
send_flight(struct request *req, struct buf *out)
{
	const struct flight_seat *seat = &req->sharing.seat;
	const struct flight_head *head = flight_head(seat);
	struct bytes part;
	int r = begin_flight_head(req, out);

	if (r == 0 && !has_no_body(head->status))
		r = respond_number(out, BYTES_LIT("Content-Length"), flight_len(seat));
	if (r == 0)
		r = respond_end(out, &req->worker->date, clock_wall());
	if (r < 0)
		return r;
	part = buf_bytes(out);
	r = conn_write(client_conn(req->client), &part, 1);
	if (r == 0 && !is_head_request(req))
		r = send_flight_body(req);
	return r;
}

enum step
answer_from_flight(struct request *req)
{
	struct buf out;
	int r;

	buf_init(&out, HEAD_MAX);
	r = send_flight(req, &out);
	buf_done(&out);
	return end_after(req, r, END_COLLAPSED);
}

static void
frame_without_length(struct request *req)
{
	req->reply.is_chunked = req->head->minor_version > 0 && !is_head_request(req);
	req->reply.must_close = req->head->minor_version == 0;
}

/*
 * RFC 9112, 6: a length if it is known, chunks if the client can, else until
 * we close; chosen before the head, which says whether we do.
 */
static struct bytes
choose_framing(struct request *req)
{
	struct bytes length = fields_get(fetch_fields(req->fetch), "content-length");

	if (!has_no_body(fetch_status(req->fetch)) && length.ptr == NULL)
		frame_without_length(req);
	return length;
}

static int
add_framing(struct request *req, struct buf *out, struct bytes length)
{
	if (has_no_body(req->reply.status))
		return 0;
	if (length.ptr != NULL)
		return respond_field(out, "Content-Length", length);
	if (req->reply.is_chunked)
		return respond_field(out, "Transfer-Encoding", BYTES_LIT("chunked"));
	return 0;
}

/* The end of a head whose body follows piece by piece, and all of it on its way. */
static int
send_head(struct request *req, struct buf *out, struct bytes length)
{
	int r = add_framing(req, out, length);
	struct bytes part;

	if (r == 0)
		r = respond_end(out, &req->worker->date, clock_wall());
	if (r < 0)
		return r;
	part = buf_bytes(out);
	return conn_write(client_conn(req->client), &part, 1);
}

int
answer_relay_head(struct request *req)
{
	struct bytes length = choose_framing(req);
	struct buf out;
	int r;

	buf_init(&out, HEAD_MAX);
	r = begin_upstream_head(req, &out, false);
	if (r == 0)
		r = send_head(req, &out, length);
	buf_done(&out);
	return r;
}

int
answer_tail_head(struct request *req)
{
	struct buf out;
	int r;

	frame_without_length(req);
	buf_init(&out, HEAD_MAX);
	r = begin_flight_head(req, &out);
	if (r == 0)
		r = send_head(req, &out, BYTES_NONE);
	buf_done(&out);
	return r;
}

int
answer_relay_piece(struct request *req, struct bytes piece)
{
	char line[24];
	struct bytes parts[3];

	req->reply.body_len += piece.len;
	if (!req->reply.is_chunked)
		return conn_write(client_conn(req->client), &piece, 1);
	parts[0].ptr = line;
	parts[0].len = (size_t)snprintf(line, sizeof(line), "%zx\r\n", piece.len);
	parts[1] = piece;
	parts[2] = BYTES_LIT("\r\n");
	return conn_write(client_conn(req->client), parts, 3);
}

int
answer_relay_end(struct request *req)
{
	const struct bytes last = BYTES_LIT("0\r\n\r\n");

	return req->reply.is_chunked ? conn_write(client_conn(req->client), &last, 1) : 0;
}
