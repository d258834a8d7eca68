/* SPDX-License-Identifier: MIT */
/*
 * verdict.c - what all dialects ask of an answer before it may be stored
 * (DESIGN.md, Points settled).
 */
#include <string.h>

#include "base/buf.h"
#include "cache/digest.h"
#include "proxy/dialect/brief.h"
#include "proxy/dialect/dialect_priv.h"

#define ARENA_SPARE	((size_t)64 << 10)

static struct bytes
essence_of(struct bytes content_type)
{
	return bytes_trim(bytes_cut(&content_type, ';'));
}

bool
type_is_json(struct bytes content_type)
{
	struct bytes essence = essence_of(content_type);
	struct bytes end = bytes_skip(essence, essence.len < 5 ? essence.len : essence.len - 5);

	return bytes_eq_str_nocase(essence, "application/json") ||
	    bytes_eq_str_nocase(end, "+json");
}

bool
type_has_prefix(struct bytes content_type, const char *prefix)
{
	return bytes_has_prefix_nocase(content_type, prefix);
}

/* What judges ask for has names and words shorter than those of a brief. */
static json_t *
load_brief(struct bytes text)
{
	/* Integers of any size are fine: nothing is computed with them. */
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
	struct buf brief;
	json_t *root;

	buf_init(&brief, text.len);
	if (brief_make(text, &brief) == 0)
		text = buf_bytes(&brief);
	root = json_loadb(text.ptr, text.len, flags, NULL);
	buf_done(&brief);
	return root;
}

enum answer_verdict
judge_json(struct bytes content_type, struct bytes body, json_t **ret_root)
{
	json_t *root;

	if (!type_is_json(content_type))
		return ANSWER_NOT_OF_TYPE;
	if (body.len == 0)
		return ANSWER_EMPTY;
	root = load_brief(body);
	if (root == NULL)
		return ANSWER_NOT_WHOLE;
	if (json_holds_error(root)) {
		json_decref(root);
		return ANSWER_HOLDS_ERROR;
	}
	*ret_root = root;
	return ANSWER_STORABLE;
}

enum answer_verdict
judge_plain_json(const struct call *call, struct bytes content_type, struct bytes body)
{
	enum answer_verdict verdict;
	json_t *root;

	(void)call;
	verdict = judge_json(content_type, body, &root);
	if (verdict != ANSWER_STORABLE)
		return verdict;
	if (!json_says_something(root))
		verdict = ANSWER_EMPTY;
	json_decref(root);
	return verdict;
}

enum answer_verdict
judge_any(const struct call *call, struct bytes content_type, struct bytes body)
{
	static const char *const others[] = {
		"text/html", "text/event-stream", "application/x-ndjson",
	};

	if (type_is_json(content_type))
		return judge_plain_json(call, content_type, body);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (type_has_prefix(content_type, others[i]))
			return ANSWER_NOT_OF_TYPE;
	if (content_type.len == 0)
		return ANSWER_NOT_OF_TYPE;
	return body.len > 0 ? ANSWER_STORABLE : ANSWER_EMPTY;
}

enum answer_verdict
judge_member(struct bytes content_type, struct bytes body, const char *name)
{
	enum answer_verdict verdict;
	json_t *root;

	verdict = judge_json(content_type, body, &root);
	if (verdict != ANSWER_STORABLE)
		return verdict;
	if (!json_says_something(json_object_get(root, name)))
		verdict = ANSWER_EMPTY;
	json_decref(root);
	return verdict;
}

uint64_t
answer_gist(struct bytes body)
{
	/* What differs between two answers that say the same. */
	static const char *const passing[] = {
		"/id", "/created", "/created_at", "/usage", "/system_fingerprint", "/service_tier",
		"/timings", "/total_duration", "/load_duration", "/prompt_eval_duration",
		"/eval_duration", "/choices/*/message/tool_calls/*/id", "/content/*/id",
		"/details/seed", NULL,
	};
	static const struct canon_rules rules = { .neutral = passing };
	struct arena *arena = arena_new(8 * body.len + ARENA_SPARE);
	char sum[DIGEST_LEN];
	struct canon canon;
	uint64_t gist;

	if (canon_make(body, &rules, arena, &canon) == 0)
		body = canon.text;
	digest_bytes(body, sum);
	arena_free(arena);
	memcpy(&gist, sum, sizeof(gist));
	return gist != 0 ? gist : 1;
}

struct bytes
answer_model(struct bytes body, struct arena *arena)
{
	json_t *root = json_loadb(body.ptr, body.len, JSON_DECODE_INT_AS_REAL, NULL);
	const json_t *model = json_object_get(root, "model");
	struct bytes name = { json_string_value(model), json_string_length(model) };

	if (name.ptr == NULL || arena_copy(arena, name, &name) < 0)
		name = BYTES_NONE;
	json_decref(root);
	return name;
}
