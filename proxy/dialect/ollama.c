/* SPDX-License-Identifier: MIT */
/*
 * ollama.c - Ollama's own API (PROTOCOLS.md 9).  It streams unless told not to.
 */
#include <string.h>

#include "proxy/dialect/dialect_priv.h"

static const char *const neutral[] = {
	"/model", "/stream", "/keep_alive", "/options/num_gpu", "/options/main_gpu",
	"/options/num_thread", "/options/num_batch", "/options/use_mmap", NULL,
};

static const char *const real[] = {
	"/options/temperature", "/options/top_p", "/options/min_p", "/options/typical_p",
	"/options/repeat_penalty", "/options/presence_penalty", "/options/frequency_penalty",
	"/options/mirostat_eta", "/options/mirostat_tau", NULL,
};

static const char *const watched[] = WATCHED_LIST(WATCHED_NOWHERE, "/options/temperature",
    "/options/seed", WATCHED_NOWHERE, WATCHED_NOWHERE, WATCHED_NOWHERE);

static const struct canon_rules rules = {
	.neutral = neutral, .real = real, .watched = watched,
};

#define ASKS	(ROW_JSON | ROW_MODEL | ROW_STREAMS | ROW_SAMPLED)

static const struct path_row rows[] = {
	{ "/api/generate", "generate", &rules, ASKS },
	{ "/api/chat", "chat", &rules, ASKS },
	{ "/api/embed", "embed", &rules, ROW_JSON | ROW_MODEL },
	{ "/api/embeddings", "embeddings", &rules, ROW_JSON | ROW_MODEL },
	{ "/api/show", "show", &rules, ROW_JSON | ROW_MODEL | ROW_PLAIN },
	{ "/api/pull", "pull", &rules, ROW_JSON | ROW_MODEL | ROW_STREAMS | ROW_PLAIN },
	{ "/api/push", "push", &rules, ROW_JSON | ROW_MODEL | ROW_STREAMS | ROW_PLAIN },
	{ "/api/create", "create", &rules, ROW_JSON | ROW_MODEL | ROW_STREAMS | ROW_PLAIN },
	{ "/api/copy", "copy", &rules, ROW_PLAIN },
	{ "/api/tags", "tags", NULL, ROW_JSON | ROW_PLAIN },
	{ "/api/ps", "ps", NULL, ROW_JSON | ROW_PLAIN },
	{ "/api/version", "version", NULL, ROW_JSON | ROW_PLAIN },
	{ 0 },
};

static bool
recognise(const struct request_head *head, struct call *call)
{
	return recognise_path(&dialect_ollama, head, head->path, call);
}

/* Loading and unloading a model answer too, and say nothing. */
static enum answer_verdict
judge_text(const json_t *root)
{
	static const char *const members[] = { "content", "thinking", "tool_calls" };
	const json_t *message = json_object_get(root, "message");
	const char *reason = json_string_value(json_object_get(root, "done_reason"));

	if (!json_is_true(json_object_get(root, "done")))
		return ANSWER_PASSING;
	if (reason != NULL && (strcmp(reason, "load") == 0 || strcmp(reason, "unload") == 0))
		return ANSWER_PASSING;
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (json_says_something(json_object_get(message, members[i])))
			return ANSWER_STORABLE;
	if (json_says_something(json_object_get(root, "response")) ||
	    json_says_something(json_object_get(root, "thinking")))
		return ANSWER_STORABLE;
	return ANSWER_EMPTY;
}

static enum answer_verdict
judge(const struct call *call, struct bytes content_type, struct bytes body)
{
	enum answer_verdict verdict;
	json_t *root;

	if (strcmp(call->path_class, "embed") == 0)
		return judge_member(content_type, body, "embeddings");
	if (strcmp(call->path_class, "embeddings") == 0)
		return judge_member(content_type, body, "embedding");
	verdict = judge_json(content_type, body, &root);
	if (verdict != ANSWER_STORABLE)
		return verdict;
	verdict = judge_text(root);
	json_decref(root);
	return verdict;
}

const struct dialect dialect_ollama = {
	.name = "ollama",
	.error_shape = ERROR_SHAPE_OLLAMA,
	.token_form = TOKEN_BEARER,
	.rows = rows,
	.recognise = recognise,
	.judge = judge,
};
