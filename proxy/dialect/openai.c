/* SPDX-License-Identifier: MIT */
/*
 * openai.c - the OpenAI API and the many that speak it, vLLM and the Hugging
 * Face router among them (PROTOCOLS.md 6, 11): /v1/x and /x are one,
 * /models/ID/v1/x names the model in the path, /PROVIDER/v1/x a provider.
 */
#include <string.h>

#include "proxy/dialect/dialect_priv.h"

/* PROTOCOLS.md 6.5, 11. */
#define NEUTRAL_FIELDS \
	"/stream", "/stream_options", "/user", "/safety_identifier", "/metadata", "/store", \
	"/prompt_cache_key", "/prompt_cache_options", "/prompt_cache_retention", \
	"/service_tier", "/request_id", "/session_id", "/priority", "/cache"

static const char *const neutral[] = { "/model", NEUTRAL_FIELDS, NULL };
static const char *const neutral_but_model[] = { NEUTRAL_FIELDS, NULL };

static const char *const real[] = {
	"/temperature", "/top_p", "/min_p", "/frequency_penalty", "/presence_penalty",
	"/repetition_penalty", "/length_penalty", "/logit_bias/*", NULL,
};

static const char *const watched[] = WATCHED_LIST("/cache", "/temperature", "/seed", "/n",
    WATCHED_NOWHERE, "/use_beam_search");

static const struct canon_rules rules = {
	.neutral = neutral, .real = real, .watched = watched,
};

/* Where the path names the model, one in the body may be an adapter's (PROTOCOLS.md 5.1). */
static const struct canon_rules rules_in_path = {
	.neutral = neutral_but_model, .real = real, .watched = watched,
};

static const struct path_row rows[] = {
	{ "/chat/completions", "chat", &rules, ROW_JSON | ROW_MODEL | ROW_SAMPLED },
	{ "/completions", "completions", &rules, ROW_JSON | ROW_MODEL | ROW_SAMPLED },
	{ "/embeddings", "embeddings", &rules, ROW_JSON | ROW_MODEL },
	{ "/responses", "responses", &rules, ROW_JSON | ROW_MODEL | ROW_STATEFUL | ROW_SAMPLED },
	{ "/moderations", "moderations", &rules, ROW_JSON | ROW_MODEL },
	{ "/audio/speech", "speech", &rules, ROW_MODEL | ROW_SAMPLED },
	{ "/audio/transcriptions", "transcriptions", &rules, ROW_MODEL | ROW_WARM },
	{ "/audio/translations", "translations", &rules, ROW_MODEL | ROW_WARM },
	/* Their answers are links that expire. */
	{ "/images/generations", "images", &rules, ROW_JSON | ROW_MODEL | ROW_PLAIN },
	{ "/images/edits", "images", &rules, ROW_JSON | ROW_MODEL | ROW_PLAIN },
	{ "/images/variations", "images", &rules, ROW_JSON | ROW_MODEL | ROW_PLAIN },
	{ "/models", "models", NULL, ROW_JSON | ROW_PLAIN },
	{ "/models/load", "models", NULL, ROW_JSON | ROW_PLAIN },
	{ "/models/unload", "models", NULL, ROW_JSON | ROW_PLAIN },
	{ 0 },
};

/* What a POST below these does is done anew each time: nothing to remember. */
static const char *const collections[] = {
	"assistants", "batches", "containers", "conversations", "evals", "files", "fine_tuning",
	"models", "realtime", "responses", "skills", "threads", "uploads", "vector_stores",
	"videos",
};

static bool
find_row(const struct request_head *head, struct bytes path, struct call *call)
{
	return recognise_path(&dialect_openai, head, path, call);
}

/* /models/ID/v1/x, perhaps with /hf-inference before it. */
static bool
recognise_in_path(const struct request_head *head, struct call *call)
{
	struct bytes path = head->path, rest;
	size_t v1;

	if (bytes_has_prefix(path, "/hf-inference/"))
		path = bytes_skip(path, strlen("/hf-inference"));
	if (!bytes_has_prefix(path, "/models/"))
		return false;
	rest = bytes_skip(path, strlen("/models/"));
	v1 = bytes_find_str(rest, "/v1/");
	if (v1 == rest.len || !find_row(head, bytes_skip(rest, v1 + strlen("/v1")), call))
		return false;
	call->model = bytes_first(rest, v1);
	call->model_in_path = true;
	call->rules = &rules_in_path;
	return true;
}

/* /PROVIDER/v1/x: another provider is another question. */
static bool
recognise_provider(const struct request_head *head, struct call *call)
{
	struct bytes rest = bytes_skip(head->path, 1);
	size_t slash = bytes_find_char(rest, '/');
	struct bytes path = bytes_skip(rest, slash);

	if (!bytes_has_prefix(path, "/v1/") || !find_row(head, without_v1(path), call))
		return false;
	call->path_detail = bytes_first(rest, slash);
	return true;
}

/* /v1/models/ID and the like; without /v1 that one is Hugging Face's. */
static bool
recognise_collection(const struct request_head *head, struct call *call)
{
	struct bytes rest, name;

	if (!bytes_has_prefix(head->path, "/v1/"))
		return false;
	rest = bytes_skip(head->path, strlen("/v1/"));
	name = bytes_cut(&rest, '/');
	for (size_t i = 0; i < ARRAY_LEN(collections); i++)
		if (bytes_eq_str(name, collections[i])) {
			call->dialect = &dialect_openai;
			call->path_class = collections[i];
			return true;
		}
	return false;
}

static bool
recognise(const struct request_head *head, struct call *call)
{
	return find_row(head, without_v1(head->path), call) || recognise_in_path(head, call) ||
	    recognise_provider(head, call) || recognise_collection(head, call);
}

/* Text, tool calls, reasoning: anything of a message that a client could use. */
static bool
choice_says_something(const json_t *choice)
{
	static const char *const members[] = {
		"content", "tool_calls", "function_call", "reasoning_content", "reasoning",
		"refusal",
	};
	const json_t *message = json_object_get(choice, "message");

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (json_says_something(json_object_get(message, members[i])))
			return true;
	return json_says_something(json_object_get(choice, "text"));
}

static enum answer_verdict
judge_choices(struct bytes content_type, struct bytes body)
{
	enum answer_verdict verdict;
	json_t *root, *choice;
	size_t i;

	verdict = judge_json(content_type, body, &root);
	if (verdict != ANSWER_STORABLE)
		return verdict;
	verdict = ANSWER_EMPTY;
	json_array_foreach(json_object_get(root, "choices"), i, choice)
		if (choice_says_something(choice))
			verdict = ANSWER_STORABLE;
	json_decref(root);
	return verdict;
}

/* What a server looked up on the way is true only now. */
static bool
used_server_tools(const json_t *output)
{
	static const char *const calls[] = {
		"web_search_call", "file_search_call", "code_interpreter_call", "mcp_call",
	};
	const json_t *item;
	const char *type;
	size_t i;

	json_array_foreach(output, i, item) {
		type = json_string_value(json_object_get(item, "type"));
		for (size_t k = 0; type != NULL && k < ARRAY_LEN(calls); k++)
			if (strcmp(type, calls[k]) == 0)
				return true;
	}
	return false;
}

static enum answer_verdict
judge_response(struct bytes content_type, struct bytes body)
{
	enum answer_verdict verdict;
	const json_t *output;
	const char *status;
	json_t *root;

	verdict = judge_json(content_type, body, &root);
	if (verdict != ANSWER_STORABLE)
		return verdict;
	output = json_object_get(root, "output");
	status = json_string_value(json_object_get(root, "status"));
	if (status != NULL && strcmp(status, "completed") != 0)
		verdict = ANSWER_PASSING;
	else if (!json_says_something(output))
		verdict = ANSWER_EMPTY;
	else if (used_server_tools(output))
		verdict = ANSWER_PASSING;
	json_decref(root);
	return verdict;
}

static enum answer_verdict
judge(const struct call *call, struct bytes content_type, struct bytes body)
{
	if (!call->is_json_answer)
		return judge_any(call, content_type, body);
	if (strcmp(call->path_class, "chat") == 0 || strcmp(call->path_class, "completions") == 0)
		return judge_choices(content_type, body);
	if (strcmp(call->path_class, "embeddings") == 0)
		return judge_member(content_type, body, "data");
	if (strcmp(call->path_class, "responses") == 0)
		return judge_response(content_type, body);
	return judge_member(content_type, body, "results");
}

const struct dialect dialect_openai = {
	.name = "openai",
	.error_shape = ERROR_SHAPE_OPENAI,
	.token_form = TOKEN_BEARER,
	.rows = rows,
	.recognise = recognise,
	.judge = judge,
};
