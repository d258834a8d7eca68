/* SPDX-License-Identifier: MIT */
/*
 * question.c - what a request is to the cache: whether its answer may be kept,
 * and the key it is kept under.
 *
 *	seen before:	target, fields and body, hashed ------> key
 *	else:		body --> canonical form --> question --> key
 */
#include "proxy/question.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cache/digest.h"
#include "cache/print.h"
#include "cache/scribe.h"
#include "cache/store.h"
#include "config/config.h"
#include "proxy/admit.h"
#include "proxy/edit_body.h"
#include "proxy/form.h"
#include "proxy/revision.h"
#include "proxy/worker.h"

/* May one of those that it is sent to be asked with the client's own credentials? */
static bool
is_asked_as_client(const struct request *req)
{
	for (size_t i = 0; i < req->route->n_to; i++)
		if (req->config->upstreams[req->route->to[i]].token_client)
			return true;
	return false;
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
owner_of(struct request *req, struct bytes *ret_owner)
{
	const struct config_team *team = req->admission.team;
	char hex[DIGEST_HEX_LEN + 1];
	struct bytes text;
	int r;

	*ret_owner = BYTES_NONE;
	if (team != NULL && strcmp(team->namespace, "team") == 0)
		return arena_printf(req->arena, ret_owner, "team:%s", team->name);
	if (!is_asked_as_client(req))
		return 0;
	r = credentials_of(req, &text);
	if (r < 0)
		return r;
	digest_hex(text, hex);
	return arena_printf(req->arena, ret_owner, "client:%s", hex);
}

/* In it, the request may name a part of its own. */
static int
scope_of(struct request *req, struct bytes *ret_scope)
{
	struct bytes space = req->call.controls.namespace;
	int r = owner_of(req, ret_scope);

	if (r < 0 || space.len == 0)
		return r;
	return arena_printf(req->arena, ret_scope, "%.*s%snamespace:%.*s",
	    BYTES_ARG(*ret_scope), ret_scope->len > 0 ? " " : "", BYTES_ARG(space));
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

/* A new model under an old name gives no old answers: its revision counts like a field. */
static int
add_revision(struct request *req, struct bytes *fields)
{
	struct bytes revision = req->question.revision;

	if (revision.len == 0)
		return 0;
	return arena_printf(req->arena, fields, "%.*srevision: %.*s\n", BYTES_ARG(*fields),
	    BYTES_ARG(revision));
}

static int
make_key(struct request *req)
{
	struct key_parts parts = {
		.dialect = bytes_str(req->call.dialect->name),
		.model = req->model,
		.form = req->call.form,
		.body = req->call.canonical,
	};
	int r = scope_of(req, &parts.scope);

	if (r == 0)
		r = path_class_of(req, &parts.path_class);
	if (r == 0)
		r = field_key(req->head, &req->call, req->arena, &parts.fields);
	if (r == 0)
		r = add_revision(req, &parts.fields);
	if (r == 0)
		r = key_question(&parts, req->arena, &req->question.text);
	if (r == 0 && req->worker->store != NULL)
		req->question.key = key_make(req->question.text, store_secret(req->worker->store));
	req->question.scope = parts.scope;
	return r;
}

bool
question_is_meant(const struct request *req)
{
	return req->call.path_class != NULL || req->route->path != NULL ||
	    req->route->dialect != NULL;
}

static bool
is_storable(const struct request *req)
{
	const struct config_route *route = req->route;

	if (!req->call.is_inference || !route->cache.is_used || !form_is_known(&req->call) ||
	    !question_is_meant(req))
		return false;
	return !route_stores(route, "deterministic") || !req->call.is_sampled;
}

bool
route_stores(const struct config_route *route, const char *what)
{
	return strcmp(route->cache.store != NULL ? route->cache.store : "always", what) == 0;
}

unsigned
question_variants(const struct request *req)
{
	return req->call.is_sampled ? req->route->cache.variants : 1;
}

static void
apply_alias(struct request *req)
{
	req->model = req->call.model;
	if (req->route->rewrite_model != NULL && req->call.model.len > 0)
		req->model = bytes_str(req->route->rewrite_model);
}

struct bytes
question_body(const struct request *req)
{
	return req->question.edited.ptr != NULL ? req->question.edited : req->body;
}

/*
 * Read what the route has made of the body as if it had come so: also of the cache it asks
 * only what it asks now.
 */
static int
read_edited(struct request *req)
{
	dialect_recognise(req->head, &req->call);
	/* What is wrong in them was said before. */
	(void)control_read_fields(&req->call.controls, &req->head->fields);
	return question_read_body(req, (const char *const *)req->route->cache.ignore);
}

/* A body that cannot be edited must not pass by what the route sets or strips. */
static bool
is_evasive(const struct request *req)
{
	return edits_are_strict(&req->route->edits, req->body.len == 0) &&
	    body_may_be_object(&req->head->fields, req->body);
}

/* What the route edits are the bodies that a dialect reads, unless they are no JSON at all. */
static int
edit(struct request *req)
{
	struct edited edited;
	int r;

	if (req->route->edits.n == 0 || req->call.rules == NULL ||
	    (req->body.len == 0 && !req->call.is_inference))
		return 0;
	if (!req->call.is_object)
		return is_evasive(req) ? QUESTION_E_UNEDITABLE : 0;
	r = edit_body(&req->route->edits, req->body, req->arena, &edited);
	if (r != 0)
		return r < 0 ? r : QUESTION_E_UNEDITABLE;
	if (edited.made == 0)
		return 0;
	req->question.edits_made = edited.made;
	req->question.edited = edited.text;
	req->question.model_raw = req->call.model_raw;
	return read_edited(req);
}

/* What the route leaves out of bodies is known only once their model is. */
static int
leave_out_ignored(struct request *req)
{
	const char *const *ignore = (const char *const *)req->route->cache.ignore;

	if (ignore == NULL || req->call.form != KEY_JSON || req->question.edited.ptr != NULL)
		return 0;
	return question_read_body(req, ignore);
}

int
question_read_body(struct request *req, const char *const *ignore)
{
	int r = call_read_body(&req->call, req->head, question_body(req), ignore, req->arena);

	admit_controls(req);
	return r;
}

bool
question_must_wait(struct request *req)
{
	apply_alias(req);
	return is_storable(req) && revision_must_wait(req);
}

int
question_make(struct request *req)
{
	int r = edit(req);

	if (r != 0)
		return r;
	apply_alias(req);
	req->question.is_storable = is_storable(req) && revision_is_known(req);
	if (!req->question.is_storable)
		return 0;
	r = leave_out_ignored(req);
	return r == 0 ? make_key(req) : r;
}

/*
 * All but the body that could make this request another one; its team, so that what is
 * recalled was allowed to the same; and the generation of the revisions, so that it is
 * void when one of them changes.
 */
static int
context_of(struct request *req, struct bytes *ret_context)
{
	const struct config_team *team = req->admission.team;
	uint64_t generation = board_generation(req->worker->board);
	struct bytes parts[8] = {
		req->head->target, BYTES_LIT("\n"), BYTES_NONE, BYTES_LIT("\n"),
		bytes_str(team != NULL ? team->name : NULL), BYTES_LIT("\n"),
		req->call.controls.namespace,
		{ (const char *)&generation, sizeof(generation) },
	};
	int r = field_raw_key(req->head, req->arena, &parts[2]);

	return r == 0 ? arena_join(req->arena, parts, ARRAY_LEN(parts), ret_context) : r;
}

bool
question_recall(struct request *req)
{
	struct question *question = &req->question;
	struct bytes body = req->body, context = BYTES_NONE;
	const struct known *known;

	/* The table names routes of the worker's configuration: ours may be an older one. */
	if (req->config != req->worker->config)
		return false;
	if (req->worker->prints == NULL || !req->call.is_inference || req->call.rules == NULL ||
	    body.len == 0 || context_of(req, &context) < 0)
		return false;
	question->print = prints_make(req->worker->prints, context, body);
	question->has_print = true;
	known = prints_find(req->worker->prints, &question->print);
	if (known == NULL)
		return false;
	question->is_recalled = true;
	question->is_storable = true;
	question->key = known->key;
	req->route = &req->config->routes[known->route];
	req->call.is_sampled = known->is_sampled;
	req->call.wants_stream = known->wants_stream;
	req->call.wants_usage = known->wants_usage;
	if (known->model_len > 0)
		req->call.model = bytes_first(bytes_skip(body, known->model_at), known->model_len);
	apply_alias(req);
	return true;
}

/* Where the model stands in the body as it came; false if it is spelled with escapes. */
static bool
find_model(const struct request *req, struct known *known)
{
	const struct question *question = &req->question;
	const struct call *call = &req->call;
	struct bytes body = req->body;
	struct bytes raw = question->edited.ptr != NULL ? question->model_raw : call->model_raw;

	if (call->model_in_path || call->model.len == 0)
		return true;
	if (call->form == KEY_JSON)
		raw = bytes_first(bytes_skip(raw, 1), raw.len - 2);
	if (!bytes_eq(raw, call->model) || body.len > UINT32_MAX)
		return false;
	known->model_at = (uint32_t)(raw.ptr - body.ptr);
	known->model_len = (uint32_t)raw.len;
	return true;
}

void
question_remember(struct request *req)
{
	size_t route = (size_t)(req->route - req->config->routes);
	struct known known = {
		.key = req->question.key,
		.route = (uint16_t)route,
		.is_sampled = req->call.is_sampled,
		.wants_stream = req->call.wants_stream,
		.wants_usage = req->call.wants_usage,
	};

	/* What a body asks of the cache, and whose it is, is not kept in the table. */
	if (!req->question.has_print || !req->question.is_storable || route > UINT16_MAX ||
	    req->question.revision_state != REVISION_KNOWN ||
	    req->call.own_member.ptr != NULL || req->call.controls.directives.no_cache ||
	    is_asked_as_client(req))
		return;
	if (find_model(req, &known))
		prints_put(req->worker->prints, &req->question.print, &known);
}

int
question_complete(struct request *req)
{
	int r;

	if (!req->question.is_recalled || req->question.text.ptr != NULL)
		return 0;
	r = question_read_body(req, NULL);
	return r == 0 ? question_make(req) : r;
}

/* Not yet committed: then a copy of our own. */
static bool
is_on_its_way(struct request *req, const struct key *key)
{
	if (req->worker->scribe == NULL)
		return false;
	req->question.found_mem = xfree(req->question.found_mem);
	return scribe_find(req->worker->scribe, key, req->question.text, &req->found,
	    &req->question.found_mem) &&
	    !store_is_purged(req->worker->reader, &req->found);	/* H-63 */
}

bool
question_find(struct request *req, const struct key *key, usec_t now)
{
	struct worker *worker = req->worker;
	bool is_behind;
	int r;

	if (worker->reader == NULL)
		return false;
	r = store_get(worker->reader, key, req->question.text, &req->found);
	/* Where there is none, or one that has expired, a newer one may be on its way. */
	is_behind = r == STORE_E_MISS || (r == 0 && now - req->found.made >= req->found.ttl);
	if (is_behind && is_on_its_way(req, key))
		return true;
	/* What was neither here nor there may have gone from there to here meanwhile. */
	if (is_behind && store_reader_refresh(worker->reader))
		r = store_get(worker->reader, key, req->question.text, &req->found);
	if (r < 0) {	/* a broken cache must not break the service */
		stats_count(&worker->stats.store_errors);
		log_debug("request %.*s: store: %s, taken for a miss", BYTES_ARG(req->id),
		    strerror(-r));
	}
	return r == 0;
}

bool
question_is_renewed(const struct request *req)
{
	struct entry newer;
	void *mem = NULL;
	bool is_renewed;

	is_renewed = scribe_find(req->worker->scribe, &req->question.key, req->question.text,
	    &newer, &mem) && newer.made > req->found.made;
	xfree(mem);
	return is_renewed;
}
