/* SPDX-License-Identifier: MIT */
/*
 * forward.c - what a request is to the cache and to its upstream: the question
 * and its key, the bytes and fields that go upstream, and what of the answer
 * is kept.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "cache/digest.h"
#include "cache/policy.h"
#include "cache/scribe.h"
#include "cache/store.h"
#include "config/config.h"
#include "proxy/request_priv.h"
#include "proxy/version.h"
#include "proxy/worker.h"

#define ENTRY_MAX	((size_t)8 << 20)	/* a larger answer is passed on unstored */
#define RELAY_WINDOW	((size_t)1 << 20)	/* of a stream, between upstream and client */
#define UNIX_PREFIX	"unix:"

const struct config_upstream *
forward_upstream(const struct request *req)
{
	return &req->config->upstreams[req->route->to[0]];
}

/* The credentials of the client, all of them: whatever an upstream may look at. */
static int
credentials_of(struct request *req, struct bytes *ret_text)
{
	const struct fields *fields = &req->head->fields;
	struct bytes text = BYTES_NONE;
	int r = 0;

	for (size_t i = 0; r == 0 && i < fields->n; i++)
		if (field_use(fields->list[i].name) == FIELD_CREDENTIAL)
			r = arena_printf(req->arena, &text, "%.*s%.*s: %.*s\n", BYTES_ARG(text),
			    BYTES_ARG(fields->list[i].name), BYTES_ARG(fields->list[i].value));
	*ret_text = text;
	return r;
}

/* Whose part of the cache: everybody's, unless answers depend on who asks (H-27). */
static int
scope_of(struct request *req, struct bytes *ret_scope)
{
	char hex[DIGEST_HEX_LEN + 1];
	struct bytes text;
	int r;

	*ret_scope = BYTES_NONE;
	if (!forward_upstream(req)->token_client)
		return 0;
	r = credentials_of(req, &text);
	if (r < 0)
		return r;
	digest_hex(text, hex);
	return arena_printf(req->arena, ret_scope, "client:%s", hex);
}

/* Where the path itself is the question, or there is a query, they are part of it. */
static int
path_class_of(struct request *req, struct bytes *ret_class)
{
	const struct request_head *head = req->head;
	const struct call *call = &req->call;

	if (call->path_class == NULL)
		return arena_printf(req->arena, ret_class, "%.*s %.*s", BYTES_ARG(head->method),
		    BYTES_ARG(head->target));
	return arena_printf(req->arena, ret_class, "%s %.*s?%.*s", call->path_class,
	    BYTES_ARG(call->path_detail), BYTES_ARG(head->query));
}

static int
make_question(struct request *req)
{
	struct key_parts parts = {
		.dialect = bytes_str(req->call.dialect->name),
		.model = req->model,
		.is_canonical = req->call.is_canonical,
		.body = req->call.canonical,
	};
	int r = scope_of(req, &parts.scope);

	if (r == 0)
		r = path_class_of(req, &parts.path_class);
	if (r == 0)
		r = field_key(req->head, &req->call, req->arena, &parts.fields);
	if (r == 0)
		r = key_question(&parts, req->arena, &req->question.text);
	if (r == 0 && req->worker->store != NULL)
		req->question.key = key_make(req->question.text, store_secret(req->worker->store));
	return r;
}

/*
 * A POST that no API is known by may do something instead of asking: that it
 * is a question, a route has to say, by its path or as dialect raw.
 */
static bool
is_meant(const struct request *req)
{
	return req->call.path_class != NULL || req->route->path != NULL ||
	    req->route->dialect != NULL;
}

int
forward_identify(struct request *req)
{
	const struct config_route *route = req->route;

	req->model = req->call.model;
	if (route->rewrite_model != NULL && req->call.model.len > 0)
		req->model = bytes_str(route->rewrite_model);
	req->question.is_storable = req->call.is_inference && route->cache &&
	    !req->call.wants_stream && is_meant(req);
	return req->question.is_storable ? make_question(req) : 0;
}

/* WHOLE with PART, which lies in it, replaced by NEW. */
static int
splice(struct request *req, struct bytes whole, struct bytes part, struct bytes new,
    struct bytes *ret_text)
{
	size_t before = (size_t)(part.ptr - whole.ptr);
	struct bytes after = bytes_skip(whole, before + part.len);
	size_t len = before + new.len + after.len;
	char *text = arena_alloc(req->arena, len);

	assert(part.ptr >= whole.ptr && before + part.len <= whole.len);
	if (text == NULL)
		return -E2BIG;
	memcpy(text, whole.ptr, before);
	memcpy(text + before, new.ptr, new.len);
	if (after.len > 0)
		memcpy(text + before + new.len, after.ptr, after.len);
	*ret_text = (struct bytes){ text, len };
	return 0;
}

/* The alias takes the place of the model where the client wrote it; all else stays as it came. */
static int
apply_alias(struct request *req, struct fetch_request *fr)
{
	struct buf name;
	int r;

	if (req->route->rewrite_model == NULL || req->call.model.len == 0)
		return 0;
	if (req->call.model_in_path)
		return splice(req, fr->path, req->call.model, req->model, &fr->path);
	buf_init(&name, RELAY_WINDOW);
	r = json_add_string(&name, req->model);
	if (r == 0)
		r = splice(req, fr->body, req->call.model_raw, buf_bytes(&name), &fr->body);
	buf_done(&name);
	return r;
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

/* The token in the form its API takes, unless the upstream names another (H-29b). */
static int
add_token(struct request *req, struct fields *fields)
{
	const struct config_upstream *up = forward_upstream(req);
	struct bytes name = bytes_str(up->token_header), value;
	int r;

	if (up->token == NULL)
		return 0;
	if (name.ptr == NULL)
		name = req->call.dialect->token_form == TOKEN_X_API_KEY ?
		    BYTES_LIT("x-api-key") : BYTES_LIT("Authorization");
	value = secret_reveal(up->token);
	if (bytes_eq_str_nocase(name, "authorization")) {
		r = arena_printf(req->arena, &value, "Bearer %.*s", BYTES_ARG(value));
		if (r < 0)
			return r;
	}
	return fields_add(fields, req->arena, name, value);
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
	return r == 0 ? add_token(req, fields) : r;
}

static void
choose_address(const struct config_upstream *up, struct fetch_request *fr)
{
	fr->base_url = up->url;
	if (!bytes_has_prefix(bytes_str(up->url), UNIX_PREFIX))
		return;
	fr->base_url = "http://localhost";
	fr->unix_socket = up->url + strlen(UNIX_PREFIX);
}

int
forward_start(struct request *req)
{
	const struct config_upstream *up = forward_upstream(req);
	struct fields fields = { 0 };
	struct fetch_request fr = {
		.method = req->head->method,
		.ca_file = up->ca_file,
		.path = req->head->path,
		.query = req->head->query,
		.fields = &fields,
		.body = reader_body(req->reader),
		.window = req->question.is_storable ? ENTRY_MAX : RELAY_WINDOW,
		.timeouts = {
			.connect = up->timeouts.connect,
			.first_byte = up->timeouts.first_byte,
			.idle = up->timeouts.idle,
			.total = up->timeouts.total,
		},
	};
	int r;

	if (fr.ca_file == NULL)
		fr.ca_file = req->config->ca_file;
	choose_address(up, &fr);
	r = choose_fields(req, &fields);
	if (r == 0)
		r = apply_alias(req, &fr);
	if (r < 0)
		return r;
	req->fetch = fetch_start(req->worker->multi, &fr, &req->task);
	return 0;
}

static bool
head_forbids_storing(const struct fields *fields)
{
	for (size_t i = 0; i < fields->n; i++)
		if (bytes_eq_str_nocase(fields->list[i].name, "cache-control") &&
		    policy_forbids_storing(fields->list[i].value))
			return true;
	return fields_has_token(fields, "vary", "*") ||
	    fields_count(fields, "content-encoding") > 0;
}

/* H-24, H-31: only what is whole, good, and true tomorrow as well. */
static bool
is_storable(struct request *req)
{
	const struct fields *fields = fetch_fields(req->fetch);
	enum fetch_framing framing = fetch_framing(req->fetch);

	if (fetch_status(req->fetch) != 200 || req->call.directives.no_store)
		return false;
	/* A cut cannot be told from an end, unless the text itself shows it. */
	if (framing == FRAMING_DOUBTFUL ||
	    (framing == FRAMING_BY_CLOSE && !req->call.is_json_answer))
		return false;
	if (head_forbids_storing(fields))
		return false;
	return req->call.dialect->judge(&req->call, fields_get(fields, "content-type"),
	    fetch_body(req->fetch)) == ANSWER_STORABLE;
}

static int
replayed_fields(struct request *req, struct bytes *ret_text)
{
	const struct fields *fields = fetch_fields(req->fetch);
	struct buf out;
	int r = 0;

	buf_init(&out, ENTRY_MAX);
	for (size_t i = 0; r == 0 && i < fields->n; i++) {
		const struct field *f = &fields->list[i];

		if (answer_passes_field(fields, f->name) && field_is_replayed(fields, f->name))
			r = buf_addf(&out, "%.*s: %.*s\r\n", BYTES_ARG(f->name),
			    BYTES_ARG(f->value));
	}
	if (r == 0)
		r = arena_copy(req->arena, buf_bytes(&out), ret_text);
	buf_done(&out);
	return r;
}

bool
forward_store(struct request *req)
{
	struct entry entry = {
		.key = req->question.key,
		.made = clock_wall(),
		.ttl = req->route->cache_ttl,
		.status = fetch_status(req->fetch),
		.model = req->model,
		.compute = answer_compute_type(req),
		.question = req->question.text,
		.body = fetch_body(req->fetch),
	};

	if (req->worker->scribe == NULL || !is_storable(req))
		return false;
	if (replayed_fields(req, &entry.fields) < 0)
		return false;
	if (scribe_put(req->worker->scribe, &entry) != 0) {
		req->worker->stats.store_refused++;
		return false;
	}
	req->worker->stats.stored++;
	return true;
}
