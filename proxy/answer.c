/* SPDX-License-Identifier: MIT */
/*
 * answer.c - what every answer says of itself (DESIGN.md, What every answer says),
 * and the answers that are our own.
 */
#include "proxy/answer.h"

#include <string.h>

#include "base/mem.h"
#include "proxy/answer_priv.h"
#include "proxy/body_log.h"
#include "proxy/client.h"
#include "proxy/diff.h"
#include "proxy/http/respond.h"
#include "proxy/limit.h"
#include "proxy/net/conn.h"
#include "proxy/question.h"
#include "proxy/worker.h"

#define REQUEST_ID_MAX	128
#define STARVED_TIME	(1 * USEC_PER_SEC)
#define RETRY_MAX	60	/* seconds for which a client may wait */
#define EXPLANATION_MAX	((size_t)4 << 10)

#define EXPOSED_FIELDS	"x-compute-type, x-compute-time, Cache-Status, Age, x-request-id, " \
			"x-reprise-origin, x-reprise-upstream, x-reprise-fallback"
#define ALLOWED_METHODS	"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

bool
answer_is_bare(const struct request *req)
{
	return req->head != NULL && bytes_eq_str(req->head->method, "HEAD");
}

bool
answer_has_no_body(int status)
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
int
answer_give_id(struct request *req)
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
add_tags(struct request *req, struct buf *out, const struct answer_tags *tags)
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

/* SDKs try a 429 again at once, or soon, unless they are told. */
static int
add_refusal(struct buf *out, const struct answer_tags *tags)
{
	uint64_t seconds = (uint64_t)(tags->retry_after + USEC_PER_SEC - 1) / USEC_PER_SEC;
	int r = 0;

	if (!tags->is_refusal)
		return 0;
	if (seconds > 0)
		r = respond_number(out, BYTES_LIT("Retry-After"), seconds);
	if (r == 0 && (seconds == 0 || seconds > RETRY_MAX))
		r = respond_field(out, "x-should-retry", BYTES_LIT("false"));
	return r;
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

int
answer_begin_head(struct request *req, struct buf *out, int status, const struct answer_tags *tags)
{
	int r = answer_give_id(req);

	req->reply.status = status;
	if (r == 0)
		r = respond_begin(out, status);
	if (r == 0)
		r = add_tags(req, out, tags);
	if (r == 0)
		r = add_refusal(out, tags);
	if (r == 0)
		r = limit_add_fields(req, out);
	if (r == 0)
		r = add_cors(req, out);
	if (r == 0)
		r = add_explanation(req, out);
	if (r == 0)
		r = add_connection(req, out);
	return r;
}

void
answer_note_body(struct request *req, struct bytes piece)
{
	req->reply.body_len += piece.len;
	body_log_piece(req, piece);
}

int
answer_send_whole(struct request *req, struct buf *out, struct bytes body)
{
	return answer_send_part(req, out, body.len, body);
}

int
answer_send_part(struct request *req, struct buf *out, size_t len, struct bytes body)
{
	struct bytes parts[2];
	int r = 0;

	if (!answer_has_no_body(req->reply.status))
		r = respond_number(out, BYTES_LIT("Content-Length"), len);
	if (r == 0)
		r = respond_end(out, &req->worker->date, clock_wall());
	if (r < 0)
		return r;
	parts[0] = buf_bytes(out);
	parts[1] = answer_is_bare(req) ? BYTES_NONE : body;
	answer_note_body(req, parts[1]);
	return conn_write(client_conn(req->client), parts, 2);
}

enum step
answer_end(struct request *req, int r, enum end_reason why)
{
	request_end(req, r < 0 ? END_STREAM_BROKEN : why);
	return STEP_ENDED;
}

const char *
answer_fwd_word(enum fwd fwd)
{
	static const char *const words[] = {
		[FWD_NONE] = "", [FWD_MISS] = "; fwd=miss", [FWD_REQUEST] = "; fwd=request",
		[FWD_STALE] = "; fwd=stale", [FWD_BYPASS] = "; fwd=bypass",
	};

	return words[fwd];
}

static int
send_own(struct request *req, int status, const char *content_type, struct bytes body,
    const struct answer_tags *tags)
{
	struct buf out;
	int r;

	buf_init(&out, ANSWER_HEAD_MAX);
	r = answer_begin_head(req, &out, status, tags);
	if (r == 0 && status == 401)
		r = respond_field(&out, "WWW-Authenticate", BYTES_LIT("Bearer"));
	if (r == 0 && content_type != NULL)
		r = respond_field(&out, "Content-Type", bytes_str(content_type));
	if (r == 0)
		r = answer_send_whole(req, &out, body);
	buf_done(&out);
	return r;
}

static int
send_error(struct request *req, int status, const char *code, const char *message,
    struct answer_tags tags)
{
	const struct dialect *dialect = req->call.dialect;
	struct buf body;
	int r;

	tags.compute = BYTES_LIT("none");
	r = arena_printf(req->arena, &tags.status, "reprise%s; detail=%s",
	    answer_fwd_word(req->fwd), code);
	if (r < 0)
		tags.status = BYTES_LIT("reprise");
	buf_init(&body, ANSWER_HEAD_MAX);
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
	const struct answer_tags tags = { 0 };

	return answer_end(req, send_error(req, status, code, message, tags), END_REFUSED);
}

enum step
answer_limited(struct request *req, const struct limit_refusal *refusal)
{
	const struct answer_tags tags = { .is_refusal = true, .retry_after = refusal->wait };

	return answer_end(req, send_error(req, refusal->status, refusal->code, refusal->message,
	    tags), END_REFUSED);
}

const struct failure *
answer_failure(enum fetch_failure failure)
{
	static const struct failure rows[] = {
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

	return &rows[failure];
}

enum step
answer_starved(struct request *req)
{
	const struct limit_refusal refusal = {
		.status = 503, .code = "overloaded", .wait = STARVED_TIME,
		.message = "too many large requests are under way; try again in a moment",
	};

	stats_count(&req->worker->stats.memory_refused);
	return answer_limited(req, &refusal);
}

enum step
answer_fetch_failed(struct request *req, enum fetch_failure outcome)
{
	const struct failure *failure = answer_failure(outcome);
	int r = send_error(req, failure->status, failure->code, failure->message,
	    (struct answer_tags){ 0 });

	return answer_end(req, r, END_UPSTREAM_FAILED);
}

enum step
answer_own(struct request *req, int status, const char *content_type, struct bytes body)
{
	const struct answer_tags tags = {
		.compute = BYTES_LIT("none"), .status = BYTES_LIT("reprise"),
	};

	return answer_end(req, send_own(req, status, content_type, body, &tags), END_OWN);
}

static int
send_options(struct request *req, struct buf *out)
{
	const struct answer_tags tags = {
		.compute = BYTES_LIT("none"), .status = BYTES_LIT("reprise"),
	};
	struct bytes asked = fields_get(&req->head->fields, "access-control-request-headers");
	int r;

	r = answer_begin_head(req, out, 204, &tags);
	if (r == 0)
		r = respond_field(out, "Allow", BYTES_LIT(ALLOWED_METHODS));
	if (r == 0 && fields_get(&req->head->fields, "origin").ptr != NULL)
		r = respond_field(out, "Access-Control-Allow-Methods", BYTES_LIT(ALLOWED_METHODS));
	if (r == 0 && asked.ptr != NULL) {
		r = respond_field(out, "Access-Control-Allow-Headers", asked);
		if (r == 0)
			r = respond_field(out, "Access-Control-Max-Age", BYTES_LIT("86400"));
	}
	return r < 0 ? r : answer_send_whole(req, out, BYTES_NONE);
}

enum step
answer_options(struct request *req)
{
	struct buf out;
	int r;

	buf_init(&out, ANSWER_HEAD_MAX);
	r = send_options(req, &out);
	buf_done(&out);
	return answer_end(req, r, END_OWN);
}
