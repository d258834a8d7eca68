/* SPDX-License-Identifier: MIT */
/*
 * stream_openai_unfold.c - a whole completion as the chunks of a stream, in the order
 * of PROTOCOLS.md 7.1: choice by choice, as the SDKs' accumulators want it.
 *
 * Names, ids and roles are said once, because those accumulators join them.  What
 * else a choice has goes with its last chunk, what else the answer has with the
 * last of all, as the engines do it.
 */
#include <errno.h>
#include <string.h>

#include "proxy/dialect/stream_priv.h"

/* In the order in which they are said. */
static const char *const texts[] = { "reasoning_content", "reasoning", "content", "refusal" };

/* A choice that is being said. */
struct choice_unfold {
	const struct unfold	*unfold;
	json_t			*choice;	/* borrowed */
	json_t			*logprobs;	/* borrowed; NULL when said */
	bool			 is_last;
};

static const struct member_row shared_members[] = {
	{ "id", member_keep_last },
	{ "object", member_drop },
	{ "created", member_keep_last },
	{ "model", member_keep_last },
	{ "system_fingerprint", member_keep_last },
	{ "service_tier", member_keep_last },
	{ NULL, member_drop },
};

static const struct member_row last_members[] = {
	{ "id", member_drop },
	{ "object", member_drop },
	{ "created", member_drop },
	{ "model", member_drop },
	{ "system_fingerprint", member_drop },
	{ "service_tier", member_drop },
	{ "choices", member_drop },
	{ "usage", member_drop },
	{ NULL, member_keep_last },
};

static const struct member_row extra_members[] = {
	{ "index", member_drop },
	{ "message", member_drop },
	{ "delta", member_refuse },
	{ "text", member_drop },
	{ "logprobs", member_drop },
	{ "finish_reason", member_drop },
	{ NULL, member_keep_last },
};

/* Say a chunk with CHOICES and USAGE, both taken, USAGE NULL if chunks have none. */
static int
say_chunk(const struct unfold *unfold, json_t *choices, json_t *usage, bool is_last)
{
	json_t *chunk = json_copy(unfold->base);
	int r = member_set(chunk, "choices", choices);

	if (r == 0 && usage != NULL)
		r = member_set(chunk, "usage", usage);
	if (r == 0 && is_last)
		r = member_put_all(chunk, unfold->answer, last_members);
	if (r == 0)
		return unfold_event(unfold, NULL, chunk);
	json_decref(chunk);
	return r;
}

/* Say PIECE, a choice's part of a chunk, which is taken. */
static int
say_piece(const struct choice_unfold *c, json_t *piece, bool is_last)
{
	json_t *usage = c->unfold->include_usage ? json_null() : NULL;

	if (piece == NULL)
		return -ENOMEM;
	return say_chunk(c->unfold, json_pack("[o]", piece), usage, is_last);
}

/* The logprobs of a chunk: null where the answer has some that go elsewhere. */
static json_t *
logprobs_of(struct choice_unfold *c, bool says_them)
{
	json_t *logprobs = c->logprobs;

	if (json_object_get(c->choice, "logprobs") == NULL)
		return NULL;
	if (!says_them || logprobs == NULL)
		return json_null();
	c->logprobs = NULL;
	return json_incref(logprobs);
}

/* A chunk whose content is CONTENT, which is taken: a delta or a text. */
static int
say_content(struct choice_unfold *c, json_t *content, bool has_tokens)
{
	bool is_chat = c->unfold->form == STREAM_CHAT;

	return say_piece(c, json_pack("{s:O, s:o, s:o*, s:n}",
	    "index", json_object_get(c->choice, "index"), is_chat ? "delta" : "text", content,
	    "logprobs", logprobs_of(c, has_tokens), "finish_reason"), false);
}

static int
say_end(struct choice_unfold *c)
{
	bool is_chat = c->unfold->form == STREAM_CHAT;
	json_t *piece = json_pack("{s:O, s:o, s:o*, s:O}",
	    "index", json_object_get(c->choice, "index"),
	    is_chat ? "delta" : "text", is_chat ? json_object() : json_string(""),
	    "logprobs", logprobs_of(c, true),
	    "finish_reason", json_object_get(c->choice, "finish_reason"));
	int r = piece != NULL ? member_put_all(piece, c->choice, extra_members) : -ENOMEM;

	if (r == 0)
		return say_piece(c, piece, c->is_last);
	json_decref(piece);
	return r;
}

/* What has no text of its own, "" or null, is said with the role. */
static int
say_role(struct choice_unfold *c, json_t *message)
{
	json_t *role = json_object_get(message, "role");
	json_t *delta = json_object(), *text;
	int r = member_set(delta, "role", role != NULL ? json_incref(role) :
	    json_string("assistant"));

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++) {
		bool is_content = strcmp(texts[i], "content") == 0;

		text = json_object_get(message, texts[i]);
		if (json_says_something(text) ? is_content : exact_json_is_string(text))
			r = member_set(delta, texts[i], json_string(""));
		else if (json_is_null(text) || (text == NULL && is_content))
			r = member_set(delta, texts[i], json_null());
	}
	if (r == 0)
		return say_content(c, delta, false);
	json_decref(delta);
	return r;
}

static int
say_texts(struct choice_unfold *c, json_t *message)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++) {
		json_t *text = json_object_get(message, texts[i]);
		bool is_reasoning = strncmp(texts[i], "reasoning", strlen("reasoning")) == 0;

		if (json_says_something(text))
			r = say_content(c, json_pack("{s:O}", texts[i], text), !is_reasoning);
	}
	return r;
}

/* A function in two deltas, both taken: its name with ARGUMENTS still empty, then these. */
static int
say_function(struct choice_unfold *c, json_t *first, json_t *second, const json_t *arguments)
{
	int r = say_content(c, first, false);

	if (r == 0 && json_says_something(arguments))
		return say_content(c, second, false);
	json_decref(second);
	return r;
}

static int
say_call(struct choice_unfold *c, json_t *call, size_t n)
{
	json_t *function = json_object_get(call, "function");
	json_t *name = json_object_get(function, "name");
	json_t *arguments = json_object_get(function, "arguments");
	const json_t *type = json_object_get(call, "type");

	if (!exact_json_is_string(name) || !exact_json_is_string(arguments) ||
	    (type != NULL && !bytes_eq_str(exact_json_text(type), "function")))
		return STREAM_E_CANNOT;
	return say_function(c,
	    json_pack("{s:[{s:I, s:O*, s:s, s:{s:O, s:s}}]}", "tool_calls",
		"index", (json_int_t)n, "id", json_object_get(call, "id"), "type", "function",
		"function", "name", name, "arguments", ""),
	    json_pack("{s:[{s:I, s:{s:O}}]}", "tool_calls", "index", (json_int_t)n,
		"function", "arguments", arguments), arguments);
}

static int
say_calls(struct choice_unfold *c, json_t *message)
{
	static const struct member_row call_members[] = {
		{ "index", member_drop }, { "id", member_drop }, { "type", member_drop },
		{ "function", member_drop }, { NULL, member_refuse },
	};
	static const struct member_row function_members[] = {
		{ "name", member_drop }, { "arguments", member_drop }, { NULL, member_refuse },
	};
	json_t *calls = json_object_get(message, "tool_calls");
	int r = json_is_array(calls) || !json_says_something(calls) ? 0 : STREAM_E_CANNOT;

	for (size_t i = 0; r == 0 && i < json_array_size(calls); i++) {
		json_t *call = json_array_get(calls, i);

		r = member_put_all(NULL, call, call_members);
		if (r == 0)
			r = member_put_all(NULL, json_object_get(call, "function"),
			    function_members);
		if (r == 0)
			r = say_call(c, call, i);
	}
	return r;
}

static int
say_old_call(struct choice_unfold *c, json_t *message)
{
	static const struct member_row rows[] = {
		{ "name", member_drop }, { "arguments", member_drop }, { NULL, member_refuse },
	};
	json_t *call = json_object_get(message, "function_call");
	json_t *name = json_object_get(call, "name");
	json_t *arguments = json_object_get(call, "arguments");

	if (!json_says_something(call))
		return 0;
	if (!exact_json_is_string(name) || !exact_json_is_string(arguments) ||
	    member_put_all(NULL, call, rows) != 0)
		return STREAM_E_CANNOT;
	return say_function(c,
	    json_pack("{s:{s:O, s:s}}", "function_call", "name", name, "arguments", ""),
	    json_pack("{s:{s:O}}", "function_call", "arguments", arguments), arguments);
}

static int
refuse_unless_text(json_t *to, const char *name, json_t *value)
{
	(void)to, (void)name;
	return json_is_null(value) || exact_json_is_string(value) ? 0 : STREAM_E_CANNOT;
}

static int
say_message(struct choice_unfold *c)
{
	static const struct member_row rows[] = {
		{ "role", refuse_unless_text },
		{ "content", refuse_unless_text },
		{ "refusal", refuse_unless_text },
		{ "reasoning_content", refuse_unless_text },
		{ "reasoning", refuse_unless_text },
		{ "tool_calls", member_drop },
		{ "function_call", member_drop },
		{ NULL, member_refuse },
	};
	json_t *message = json_object_get(c->choice, "message");
	int r = json_is_object(message) ? member_put_all(NULL, message, rows) : STREAM_E_CANNOT;

	if (r == 0)
		r = say_role(c, message);
	if (r == 0)
		r = say_texts(c, message);
	if (r == 0)
		r = say_calls(c, message);
	return r == 0 ? say_old_call(c, message) : r;
}

static int
say_text(struct choice_unfold *c)
{
	json_t *text = json_object_get(c->choice, "text");

	if (!exact_json_is_string(text))
		return STREAM_E_CANNOT;
	return json_says_something(text) ? say_content(c, json_incref(text), true) : 0;
}

static int
say_choice(struct choice_unfold *c, size_t n)
{
	const json_t *index = json_object_get(c->choice, "index");
	int r;

	/* The SDKs take a choice that is new to them for the next one. */
	if (!json_is_integer(index) || json_integer_value(index) != (json_int_t)n ||
	    !json_says_something(json_object_get(c->choice, "finish_reason")))
		return STREAM_E_CANNOT;
	c->logprobs = json_object_get(c->choice, "logprobs");
	r = c->unfold->form == STREAM_CHAT ? say_message(c) : say_text(c);
	return r == 0 ? say_end(c) : r;
}

static int
begin(struct unfold *unfold)
{
	bool is_chat = unfold->form == STREAM_CHAT;
	int r = member_put_all(unfold->base, unfold->answer, shared_members);

	return r == 0 ? member_set(unfold->base, "object",
	    json_string(is_chat ? "chat.completion.chunk" : "text_completion")) : r;
}

int
stream_unfold_openai(struct unfold *unfold)
{
	json_t *choices = json_object_get(unfold->answer, "choices");
	json_t *usage = json_object_get(unfold->answer, "usage");
	size_t n = json_array_size(choices);
	int r;

	if (n == 0 || n > STREAM_ITEMS_MAX || (unfold->include_usage && !json_is_object(usage)))
		return STREAM_E_CANNOT;
	r = begin(unfold);
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct choice_unfold c = {
			.unfold = unfold,
			.choice = json_array_get(choices, i),
			.is_last = i == n - 1 && !unfold->include_usage,
		};

		r = say_choice(&c, i);
	}
	if (r == 0 && unfold->include_usage)
		r = say_chunk(unfold, json_array(), json_incref(usage), true);
	return r == 0 ? buf_add_str(unfold->out, "data: [DONE]\n\n") : r;
}
