/* SPDX-License-Identifier: MIT */
/*
 * stream_openai.c - chunks of chat completions and of completions, judged and folded
 * (PROTOCOLS.md 7.2).
 *
 * Choices are gathered by their index in an array of their own, which ends as the
 * answer's.  Of what is not listed here, members of a choice and of the whole are
 * kept as they came last; in a delta, where it might have to be joined in some way
 * nobody knows, it makes the stream one that cannot be folded.
 */
#include <errno.h>
#include <string.h>

#include "proxy/dialect/stream_priv.h"

static const char *const texts[] = { "content", "refusal", "reasoning_content", "reasoning" };

static bool
delta_says_something(const json_t *delta)
{
	if (json_says_something(json_object_get(delta, "tool_calls")) ||
	    json_says_something(json_object_get(delta, "function_call")))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (json_says_something(json_object_get(delta, texts[i])))
			return true;
	return false;
}

static void
note_choice(struct stream_facts *facts, const json_t *choice)
{
	const json_t *index = json_object_get(choice, "index");

	if (!facts_has_seen(facts, index) && !facts_open(facts, index)) {
		facts->is_broken = true;
		return;
	}
	if (json_says_something(json_object_get(choice, "finish_reason")))
		facts_close(facts, index);
	if (json_says_something(json_object_get(choice, "text")) ||
	    delta_says_something(json_object_get(choice, "delta")))
		facts->says_something = true;
}

static void
note_chunk(struct stream_facts *facts, const json_t *chunk)
{
	const json_t *choices = json_object_get(chunk, "choices");

	for (size_t i = 0; i < json_array_size(choices); i++)
		note_choice(facts, json_array_get(choices, i));
}

static int
put_function(json_t *to, const char *name, json_t *value)
{
	static const struct member_row rows[] = {
		{ "name", member_keep_same },
		{ "arguments", member_add_text },
		{ NULL, member_refuse },
	};
	json_t *function = json_object_get(to, name);

	if (!json_is_object(value))
		return member_refuse(to, name, value);
	if (function == NULL) {
		if (member_set(to, name, json_object()) != 0)
			return -ENOMEM;
		function = json_object_get(to, name);
	}
	return member_put_all(function, value, rows);
}

static int
put_tool_calls(json_t *to, const char *name, json_t *value)
{
	static const struct member_row rows[] = {
		{ "index", member_drop },
		{ "id", member_keep_same },
		{ "type", member_keep_same },
		{ "function", put_function },
		{ NULL, member_refuse },
	};
	json_t *calls;
	int r = 0;

	if (!json_is_array(value) || json_array_size(value) == 0)
		return member_refuse(to, name, value);
	calls = member_array(to, name);
	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		json_t *piece = json_array_get(value, i);
		json_t *call = member_slot(calls, json_object_get(piece, "index"));

		r = call != NULL ? member_put_all(call, piece, rows) : STREAM_E_CANNOT;
	}
	return r;
}

static int
put_delta(json_t *to, const char *name, json_t *value)
{
	static const struct member_row rows[] = {
		{ "role", member_keep_same },
		{ "content", member_add_text },
		{ "refusal", member_add_text },
		{ "reasoning_content", member_add_text },
		{ "reasoning", member_add_text },
		{ "tool_calls", put_tool_calls },
		{ "function_call", put_function },
		{ "obfuscation", member_drop },
		{ NULL, member_refuse },
	};

	if (!json_is_object(value))
		return member_refuse(to, name, value);
	return member_put_all(json_object_get(to, "message"), value, rows);
}

static int
put_logprobs(json_t *to, const char *name, json_t *value)
{
	static const struct member_row rows[] = { { NULL, member_add_items } };
	json_t *there = json_object_get(to, name);

	if (!json_is_object(value))
		return json_is_null(value) ? member_keep_last(to, name, value) : STREAM_E_CANNOT;
	if (there == NULL || json_is_null(there)) {
		if (member_set(to, name, json_object()) != 0)
			return -ENOMEM;
		there = json_object_get(to, name);
	}
	return member_put_all(there, value, rows);
}

/* "" means "not yet" to TGI (PROTOCOLS.md 5.3). */
static int
put_finish_reason(json_t *to, const char *name, json_t *value)
{
	if (!json_says_something(value))
		return json_object_get(to, name) == NULL ? member_set(to, name, json_null()) : 0;
	return member_set(to, name, json_incref(value));
}

static const struct member_row chat_choice[] = {
	{ "index", member_drop },
	{ "delta", put_delta },
	{ "message", member_refuse },
	{ "text", member_drop },	/* Together repeats the content so */
	{ "logprobs", put_logprobs },
	{ "finish_reason", put_finish_reason },
	{ "token_ids", member_add_items },
	{ NULL, member_keep_last },
};

static const struct member_row completions_choice[] = {
	{ "index", member_drop },
	{ "text", member_add_text },
	{ "delta", member_refuse },
	{ "message", member_refuse },
	{ "logprobs", put_logprobs },
	{ "finish_reason", put_finish_reason },
	{ "token_ids", member_add_items },
	{ NULL, member_keep_last },
};

/* What every choice of an answer has, in the usual order. */
static int
begin_choice(const struct fold *fold, json_t *choice, json_t *index)
{
	int r;

	if (json_object_size(choice) > 0)
		return 0;
	r = member_set(choice, "index", json_incref(index));
	if (r != 0)
		return r;
	if (fold->form == STREAM_CHAT)
		return member_set(choice, "message", json_object());
	return member_set(choice, "text", json_array());
}

static int
fold_choice(struct fold *fold, json_t *piece)
{
	json_t *index = json_object_get(piece, "index");
	json_t *choice = member_slot(fold->items, index);
	int r;

	if (choice == NULL)
		return STREAM_E_CANNOT;
	r = begin_choice(fold, choice, index);
	if (r != 0)
		return r;
	return member_put_all(choice, piece,
	    fold->form == STREAM_CHAT ? chat_choice : completions_choice);
}

/* What is known only at the end stands where it came first. */
static int
put_place(json_t *to, const char *name, json_t *value)
{
	(void)value;
	return json_object_get(to, name) == NULL ? member_set(to, name, json_null()) : 0;
}

static int
put_usage(json_t *to, const char *name, json_t *value)
{
	if (!json_is_object(value))
		return member_refuse(to, name, value);
	return member_set(to, name, json_incref(value));
}

static int
fold_chunk(struct fold *fold, json_t *chunk)
{
	static const struct member_row rows[] = {
		{ "id", member_keep_first },
		{ "created", member_keep_first },
		{ "model", member_keep_first },
		{ "object", put_place },
		{ "choices", put_place },
		{ "usage", put_usage },
		{ "obfuscation", member_drop },
		{ NULL, member_keep_last },
	};
	json_t *choices = json_object_get(chunk, "choices");
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_array_size(choices); i++)
		r = fold_choice(fold, json_array_get(choices, i));
	return r == 0 ? member_put_all(fold->root, chunk, rows) : r;
}

static int
finish_call(json_t *call)
{
	json_t *function = json_object_get(call, "function");
	int r = member_join(function, "arguments");

	if (r == 0 && json_object_get(function, "arguments") == NULL && function != NULL)
		r = member_set(function, "arguments", json_string(""));
	if (r == 0 && !json_says_something(json_object_get(call, "type")))
		r = member_set(call, "type", json_string("function"));
	return r;
}

/* Some count their calls from 1: what is left empty goes. */
static int
finish_calls(json_t *calls)
{
	int r = 0;

	for (size_t i = json_array_size(calls); r == 0 && i-- > 0;) {
		json_t *call = json_array_get(calls, i);

		r = json_is_null(call) ? json_array_remove(calls, i) : finish_call(call);
	}
	return r;
}

/* Content that is empty beside a call was only there for the sake of the stream. */
static int
finish_content(json_t *message)
{
	bool has_calls = json_says_something(json_object_get(message, "tool_calls")) ||
	    json_says_something(json_object_get(message, "function_call"));
	const json_t *content = json_object_get(message, "content");

	if (content == NULL || (has_calls && !json_says_something(content)))
		return member_set(message, "content", json_null());
	return 0;
}

static int
finish_message(json_t *message)
{
	int r = 0;

	if (!json_says_something(json_object_get(message, "role")))
		r = member_set(message, "role", json_string("assistant"));
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
		r = member_join(message, texts[i]);
	if (r == 0)
		r = finish_calls(json_object_get(message, "tool_calls"));
	if (r == 0)
		r = member_join(json_object_get(message, "function_call"), "arguments");
	return r == 0 ? finish_content(message) : r;
}

static int
finish(struct fold *fold)
{
	bool is_chat = fold->form == STREAM_CHAT;
	int r = json_array_size(fold->items) > 0 ? 0 : STREAM_E_CANNOT;

	for (size_t i = 0; r == 0 && i < json_array_size(fold->items); i++) {
		json_t *choice = json_array_get(fold->items, i);

		if (json_is_null(choice))
			r = STREAM_E_CANNOT;
		else if (is_chat)
			r = finish_message(json_object_get(choice, "message"));
		else
			r = member_join(choice, "text");
	}
	if (r == 0)
		r = member_set(fold->root, "object",
		    json_string(is_chat ? "chat.completion" : "text_completion"));
	return r == 0 ? member_set(fold->root, "choices", json_incref(fold->items)) : r;
}

const struct stream_api stream_api_chat = {
	.content_type = "text/event-stream",
	.note = note_chunk,
	.fold = fold_chunk,
	.finish = finish,
	.unfold = stream_unfold_openai,
};

const struct stream_api stream_api_completions = {
	.content_type = "text/event-stream",
	.note = note_chunk,
	.fold = fold_chunk,
	.finish = finish,
	.unfold = stream_unfold_openai,
};
