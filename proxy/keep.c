/* SPDX-License-Identifier: MIT */
/*
 * keep.c - what of an upstream's answer is kept, for how long, and when nothing
 * of it is.
 */
#include "proxy/keep.h"

#include <string.h>

#include "base/mem.h"
#include "cache/digest.h"
#include "cache/policy.h"
#include "cache/scribe.h"
#include "cache/store.h"
#include "cache/variant.h"
#include "config/config.h"
#include "proxy/answer.h"
#include "proxy/dialect/stream.h"
#include "proxy/form.h"
#include "proxy/forward.h"
#include "proxy/question.h"
#include "proxy/revision.h"
#include "proxy/worker.h"

#define FIELDS_MAX_LEN	((size_t)64 << 10)
#define OWN_POLICY	"reprise-cache-control"

/*
 * What the upstream's own fields say.  One of ours (a targeted field, RFC 9213)
 * takes the place of Cache-Control.
 */
static struct answer_policy
policy_of(const struct fields *fields, bool *ret_is_own)
{
	const char *name = fields_count(fields, OWN_POLICY) > 0 ? OWN_POLICY : "cache-control";
	struct answer_policy policy = { 0 };

	for (size_t i = 0; i < fields->n; i++)
		if (bytes_eq_str_nocase(fields->list[i].name, name))
			policy_read_answer(&policy, fields->list[i].value);
	*ret_is_own = strcmp(name, OWN_POLICY) == 0;
	return policy;
}

/*
 * The request's own time first, then what the upstream says to us by name, then
 * the route's, which an upstream's Cache-Control shortens where the route has
 * none of its own.  That of 0 means no-cache, which is passed over.
 */
static usec_t
ttl_of(const struct request *req, const struct answer_policy *policy, bool is_own)
{
	usec_t ttl = req->route->cache.ttl;
	bool is_fixed = req->route->cache.has_ttl || policy->max_age == 0;

	if (req->call.controls.has_ttl)
		return req->call.controls.ttl;
	if (!policy->has_max_age || (!is_own && is_fixed))
		return ttl;
	return is_own || policy->max_age < ttl ? policy->max_age : ttl;
}

/* A route that names both its time and what it stores knows better than its upstream. */
static bool
overrides(const struct config_route *route)
{
	return route->cache.has_ttl && route->cache.store != NULL && route_stores(route, "always");
}

static bool
head_forbids(const struct request *req, const struct answer_policy *policy)
{
	const struct fields *fields = fetch_fields(req->fetch);

	return (policy->forbids && !overrides(req->route)) ||
	    fields_has_token(fields, "vary", "*") ||
	    fields_count(fields, "content-encoding") > 0;
}

/*
 * Where there is another upstream to fall back to, an answer by another model
 * than the one asked for is not kept under its name (H-28).  "gpt-4o" and
 * "gpt-4o-2024-08-06" are one.
 */
static bool
is_of_another_model(struct request *req)
{
	struct bytes said = req->route->n_to < 2 ? BYTES_NONE :
	    answer_model(form_whole(req), req->arena);
	struct bytes asked = req->model;
	size_t n = said.len < asked.len ? said.len : asked.len;

	if (said.len == 0 || asked.len == 0)
		return false;
	return !bytes_eq(bytes_first(said, n), bytes_first(asked, n));
}

static bool
shows_its_end(const struct request *req)
{
	if (req->call.wants_stream)
		return stream_has_end(stream_form_of(&req->call), fetch_body(req->fetch));
	return req->call.is_json_answer;
}

static enum answer_verdict
judge(const struct request *req, struct bytes type)
{
	struct bytes body = fetch_body(req->fetch);

	if (req->call.wants_stream)
		return stream_judge(stream_form_of(&req->call), type, body);
	return req->call.dialect->judge(&req->call, type, body);
}

/* H-24, H-31: only what is whole, good, and true tomorrow as well. */
static bool
is_keepable(struct request *req, const struct answer_policy *policy)
{
	enum fetch_framing framing = fetch_framing(req->fetch);
	struct bytes type = fields_get(fetch_fields(req->fetch), "content-type");

	if (fetch_status(req->fetch) != 200 || req->call.controls.directives.no_store ||
	    route_stores(req->route, "never"))
		return false;
	/* A cut cannot be told from an end, unless the text itself shows it. */
	if (framing == FRAMING_DOUBTFUL || (framing == FRAMING_BY_CLOSE && !shows_its_end(req)))
		return false;
	if (head_forbids(req, policy) || judge(req, type) != ANSWER_STORABLE)
		return false;
	return revision_is_of(req, forward_upstream(req)) && !is_of_another_model(req);
}

static int
replayed_fields(struct request *req, struct bytes *ret_text)
{
	const struct fields *fields = fetch_fields(req->fetch);
	struct buf out;
	int r = 0;

	buf_init(&out, FIELDS_MAX_LEN);
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

/* Does one of the answers that are there say the same? */
static bool
is_said_already(struct request *req, uint64_t gist)
{
	for (unsigned n = 0; n < req->question.variant; n++) {
		struct key key = variant_key(&req->question.key, n);

		if (question_find(req, &key, clock_wall()) && req->found.gist == gist)
			return true;
	}
	return false;
}

/* Where a question has several answers, another one has to be another. */
static bool
is_news(struct request *req, struct entry *entry)
{
	if (question_variants(req) < 2)
		return true;
	entry->key = variant_key(&req->question.key, req->question.variant);
	entry->gist = answer_gist(form_whole(req));
	if (!is_said_already(req, entry->gist))
		return true;
	variants_settle(req->worker->variants, &req->question.key);
	return false;
}

static int
hide_question(struct request *req, struct entry *entry)
{
	char sum[DIGEST_LEN];

	if (req->config->cache.store_requests)
		return 0;
	digest_bytes(entry->question, sum);
	entry->flags |= ENTRY_HASHED;
	return arena_copy(req->arena, (struct bytes){ sum, sizeof(sum) }, &entry->question);
}

static bool
put(struct request *req, const struct entry *entry)
{
	if (scribe_put(req->worker->scribe, entry) == 0) {
		stats_count(&req->worker->stats.stored);
		return true;
	}
	stats_count(&req->worker->stats.store_refused);
	return false;
}

/* A stream may tell more than its client wanted to know. */
static unsigned
form_of_answer(struct request *req)
{
	unsigned form = form_wanted(&req->call);
	struct token_usage usage;

	return req->reply.is_partial && form_usage(req, &usage) ? form | ENTRY_USAGE : form;
}

/* What a hit saves, if the answer says it. */
static void
note_usage(struct request *req, struct entry *entry)
{
	struct token_usage usage;

	if (!form_usage(req, &usage) || usage.input > UINT32_MAX || usage.output > UINT32_MAX)
		return;
	entry->flags |= ENTRY_COUNTED;
	entry->input = (uint32_t)usage.input;
	entry->output = (uint32_t)usage.output;
}

bool
keep_answer(struct request *req)
{
	bool is_own;
	struct answer_policy policy = policy_of(fetch_fields(req->fetch), &is_own);
	struct entry entry = {
		.key = req->question.key,
		.made = clock_wall(),
		.ttl = ttl_of(req, &policy, is_own),
		.took = fetch_head_time(req->fetch),
		.status = fetch_status(req->fetch),
		.scope = req->question.scope,
		.model = req->model,
		.compute = answer_compute_type(req),
		.question = req->question.text,
		.body = fetch_body(req->fetch),
	};

	if (req->worker->scribe == NULL || entry.body.len > req->route->cache.max_entry ||
	    entry.ttl <= 0 || !is_keepable(req, &policy) || !is_news(req, &entry))
		return false;
	entry.flags = form_of_answer(req);
	note_usage(req, &entry);
	if (req->question.is_apart)
		entry.key = variant_apart(&entry.key);
	if (hide_question(req, &entry) < 0 || replayed_fields(req, &entry.fields) < 0)
		return false;
	return put(req, &entry);
}
