/* SPDX-License-Identifier: MIT */
/*
 * forward.c - what of a request goes upstream, and where: address, token, fields,
 * and the body as the client wrote it, but for what a route changes in it.
 */
#include "proxy/forward.h"

#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "proxy/attempt.h"
#include "proxy/dialect/stream.h"
#include "proxy/guests.h"
#include "proxy/question.h"
#include "proxy/splice.h"
#include "proxy/target.h"
#include "proxy/tracing.h"
#include "proxy/version.h"
#include "proxy/worker.h"

#define RELAY_WINDOW	((size_t)1 << 20)	/* of a stream, between upstream and client */
#define WINDOW_MIN	((size_t)64 << 10)
#define EDITS_MAX	3
#define OPTIONS		"\"stream_options\""
#define ASKING		"\"include_usage\":true"
#define ASKED		"{" ASKING "}"

const struct config_upstream *
forward_upstream(const struct request *req)
{
	return &req->config->upstreams[attempt_to(req)];
}

/* The alias where the model stands in the body: a JSON string in JSON. */
static int
alias_in_body(struct request *req, struct edit *ret_edit)
{
	struct buf name;
	int r;

	*ret_edit = (struct edit){ req->call.model_raw, req->model };
	if (req->call.form == KEY_PARTS)
		return 0;
	buf_init(&name, RELAY_WINDOW);
	r = json_add_string(&name, req->model);
	if (r == 0)
		r = arena_copy(req->arena, buf_bytes(&name), &ret_edit->text);
	buf_done(&name);
	return r;
}

bool
forward_adds_usage(const struct request *req)
{
	const struct call *call = &req->call;
	enum stream_form form = stream_form_of(call);

	return forward_upstream(req)->include_usage && call->form == KEY_JSON &&
	    call->wants_stream && !call->wants_usage &&
	    (form == STREAM_CHAT || form == STREAM_COMPLETIONS);
}

/* Where a first member of the object RAW would begin. */
static struct bytes
inside(struct bytes raw)
{
	return (struct bytes){ raw.ptr + bytes_find_char(raw, '{') + 1, 0 };
}

/* Is RAW an object with something in it? */
static bool
has_members(struct bytes raw)
{
	return raw.ptr[0] == '{' &&
	    bytes_trim(bytes_first(bytes_skip(raw, 1), raw.len - 2)).len > 0;
}

/* As the client would have said it: a new member, or the value of one that is there. */
static struct edit
usage_edit(const struct request *req)
{
	const struct call *call = &req->call;

	if (call->include_usage.len > 0)
		return (struct edit){ call->include_usage, BYTES_LIT("true") };
	if (call->stream_options.len == 0)
		return (struct edit){
			inside(question_body(req)), BYTES_LIT(OPTIONS ":" ASKED ","),
		};
	if (has_members(call->stream_options))
		return (struct edit){ inside(call->stream_options), BYTES_LIT(ASKING ",") };
	return (struct edit){ call->stream_options, BYTES_LIT(ASKED) };
}

/* In the order of their ranges, as they are spliced; what is only put in goes first. */
static void
add_edit(struct edit *edits, size_t *n, struct edit edit)
{
	size_t at = (*n)++;

	while (at > 0 && (edits[at - 1].range.ptr > edit.range.ptr ||
	    (edits[at - 1].range.ptr == edit.range.ptr && edit.range.len == 0))) {
		edits[at] = edits[at - 1];
		at--;
	}
	edits[at] = edit;
}

/* What the body says instead of what the client wrote. */
static int
edits_of(struct request *req, bool has_alias, struct edit *edits, size_t *ret_n)
{
	struct edit edit;
	size_t n = 0;
	int r = 0;

	if (has_alias) {
		r = alias_in_body(req, &edit);
		if (r < 0)
			return r;
		add_edit(edits, &n, edit);
	}
	if (req->call.own_member.ptr != NULL)
		add_edit(edits, &n, (struct edit){
			splice_member(question_body(req), req->call.own_member),
			BYTES_NONE,
		});
	if (forward_adds_usage(req))
		add_edit(edits, &n, usage_edit(req));
	*ret_n = n;
	return 0;
}

/*
 * The alias takes the place of the model where the client wrote it, what was for
 * us alone goes, what we want to know is asked for; all else stays as it came.
 */
static int
edit_request(struct request *req, struct fetch_request *fr)
{
	bool has_alias = req->route->rewrite_model != NULL && req->call.model.len > 0;
	struct edit edits[EDITS_MAX], in_path = { req->call.model, req->model };
	size_t n;
	int r;

	if (has_alias && req->call.model_in_path) {
		r = splice(fr->path, &in_path, 1, req->arena, &fr->path);
		if (r < 0)
			return r;
	}
	r = edits_of(req, has_alias && !req->call.model_in_path, edits, &n);
	return r < 0 || n == 0 ? r : splice(fr->body, edits, n, req->arena, &fr->body);
}

static bool
goes_upstream(const struct request *req, struct bytes name)
{
	if (field_is_hop_by_hop(&req->head->fields, name))
		return false;
	switch (field_use(name)) {
	case FIELD_NEUTRAL:
	case FIELD_KEYED:
		return true;
	case FIELD_CREDENTIAL:
		return forward_upstream(req)->token_client;
	default:
		return false;
	}
}

static int
choose_fields(struct request *req, struct fields *fields)
{
	const struct fields *from = &req->head->fields;
	int r;

	r = fields_add(fields, req->arena, BYTES_LIT("User-Agent"), BYTES_LIT(VERSION_PRODUCT));
	/* What is stored must be what every client can read. */
	if (r == 0)
		r = fields_add(fields, req->arena, BYTES_LIT("Accept-Encoding"),
		    BYTES_LIT("identity"));
	for (size_t i = 0; r == 0 && i < from->n; i++)
		if (goes_upstream(req, from->list[i].name))
			r = fields_add(fields, req->arena, from->list[i].name,
			    from->list[i].value);
	if (r == 0)
		r = tracing_add_fields(req, fields);
	return r == 0 ? target_add_token(forward_upstream(req), req->attempt.token,
	    req->call.dialect->token_form, req->arena, fields) : r;
}

/* An answer to be stored has to fit in whole; what libcurl gives at once in any case. */
static size_t
window_of(const struct request *req)
{
	if (!req->question.is_storable)
		return RELAY_WINDOW;
	return req->route->cache.max_entry > WINDOW_MIN ? req->route->cache.max_entry : WINDOW_MIN;
}

/* What is left of the route's deadline bounds the call, if that is less than its own time. */
static usec_t
total_of(const struct request *req, const struct config_upstream *up)
{
	usec_t total = up->timeouts.total, left;

	if (req->route->deadline == 0)
		return total;
	left = req->timing.started + req->route->deadline - loop_now(req->worker->loop);
	left = left > 0 ? left : 1;
	return total == 0 || left < total ? left : total;
}

int
forward_start(struct request *req)
{
	const struct config_upstream *up = forward_upstream(req);
	struct fields fields = { 0 };
	struct fetch_request fr = {
		.method = req->head->method,
		.path = req->head->path,
		.query = req->head->query,
		.fields = &fields,
		.body = question_body(req),
		.window = window_of(req),
		.memory = guests_memory(req->worker->guests),
	};
	int r;

	target_address(req->config, up, &fr);
	fr.timeouts.total = total_of(req, up);
	r = choose_fields(req, &fields);
	if (r == 0)
		r = edit_request(req, &fr);
	if (r < 0)
		return r;
	req->timing.n_calls++;
	req->fetch = fetch_start(req->worker->multi, &fr, &req->task);
	return 0;
}
