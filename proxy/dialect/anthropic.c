/* SPDX-License-Identifier: MIT */
/*
 * anthropic.c - the Messages API (PROTOCOLS.md 8).
 */
#include <string.h>

#include "proxy/dialect/dialect_priv.h"

/* cache_control is a mark of price, and only where the API defines it (DESIGN.md). */
static const char *const neutral[] = {
	"/model", "/stream", "/metadata", "/service_tier", "/user_profile_id", "/cache",
	"/system/*/cache_control", "/tools/*/cache_control",
	"/messages/*/content/*/cache_control",
	"/messages/*/content/*/content/*/cache_control", NULL,
};

static const char *const real[] = { "/temperature", "/top_p", NULL };

static const char *const watched[] = WATCHED_LIST("/cache", "/temperature", WATCHED_NOWHERE,
    WATCHED_NOWHERE, WATCHED_NOWHERE, WATCHED_NOWHERE);

static const struct canon_rules rules = {
	.neutral = neutral, .real = real, .watched = watched,
};

static const struct path_row rows[] = {
	{ "/messages", "messages", &rules, ROW_JSON | ROW_MODEL | ROW_SAMPLED },
	{ "/messages/count_tokens", "count_tokens", &rules, ROW_JSON | ROW_MODEL },
	{ 0 },
};

static bool
recognise(const struct request_head *head, struct call *call)
{
	if (recognise_path(&dialect_anthropic, head, without_v1(head->path), call))
		return true;
	/* Batches: what a POST does there is done anew each time. */
	if (!bytes_has_prefix(head->path, "/v1/messages/"))
		return false;
	call->dialect = &dialect_anthropic;
	call->path_class = "batches";
	return true;
}

/* What a server looked up on the way is true only now. */
static bool
used_server_tools(const json_t *content)
{
	const json_t *block;
	const char *type;
	size_t i;

	json_array_foreach(content, i, block) {
		type = json_string_value(json_object_get(block, "type"));
		if (type != NULL && strcmp(type, "server_tool_use") == 0)
			return true;
	}
	return false;
}

static enum answer_verdict
judge_message(const json_t *root)
{
	const json_t *content = json_object_get(root, "content");
	const char *stop = json_string_value(json_object_get(root, "stop_reason"));

	if (!json_says_something(content))
		return ANSWER_EMPTY;
	if (stop == NULL || strcmp(stop, "pause_turn") == 0 || used_server_tools(content))
		return ANSWER_PASSING;
	return ANSWER_STORABLE;
}

static enum answer_verdict
judge(const struct call *call, struct bytes content_type, struct bytes body)
{
	enum answer_verdict verdict;
	json_t *root;

	if (strcmp(call->path_class, "count_tokens") == 0)
		return judge_member(content_type, body, "input_tokens");
	verdict = judge_json(content_type, body, &root);
	if (verdict != ANSWER_STORABLE)
		return verdict;
	verdict = judge_message(root);
	json_decref(root);
	return verdict;
}

const struct dialect dialect_anthropic = {
	.name = "anthropic",
	.error_shape = ERROR_SHAPE_ANTHROPIC,
	.token_form = TOKEN_X_API_KEY,
	.rows = rows,
	.recognise = recognise,
	.judge = judge,
};
