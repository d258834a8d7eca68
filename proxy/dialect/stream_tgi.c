/* SPDX-License-Identifier: MIT */
/*
 * stream_tgi.c - text-generation-inference's stream of tokens (PROTOCOLS.md 5.3); its
 * last event has the text as a whole, and details if they were asked for.
 *
 * The whole answer has the tokens among its details.  Without details it cannot be
 * said as a stream: a client reads the pieces of the text off the tokens, and which
 * they were, how many, and where in the text a repeated prompt ends, it does not
 * tell.  To make up one token with the whole text would be a guess.
 */
#include <errno.h>

#include "proxy/dialect/stream_priv.h"

static void
note_token(struct stream_facts *facts, const json_t *event)
{
	const json_t *text = json_object_get(event, "generated_text");

	if (!json_is_object(json_object_get(event, "token")))
		facts->is_broken = true;
	if (!exact_json_is_string(text))
		return;
	facts->has_ended = true;
	facts->says_something = json_says_something(text);
}

/* Tokens that go with each token; those of a token without are an empty list. */
static int
put_top_tokens(json_t *to, const char *name, json_t *value)
{
	if (!json_is_array(value))
		return member_refuse(to, name, value);
	return member_set(to, name, json_incref(value));
}

static int
put_text(json_t *to, const char *name, json_t *value)
{
	if (!exact_json_is_string(value))
		return member_refuse(to, name, value);
	return member_set(to, name, json_incref(value));
}

static int
put_details(json_t *to, const char *name, json_t *value)
{
	static const struct member_row rows[] = {
		{ "prefill", member_refuse },
		{ "tokens", member_refuse },
		{ "top_tokens", member_refuse },
		{ NULL, member_keep_last },
	};

	if (!json_is_object(value))
		return member_refuse(to, name, value);
	if (member_set(to, name, json_object()) != 0)
		return -ENOMEM;
	return member_put_all(json_object_get(to, name), value, rows);
}

static int
put_token(json_t *to, const char *name, json_t *value)
{
	return json_is_object(value) ? member_set(to, name, json_incref(value)) : STREAM_E_CANNOT;
}

/* An event is gathered as an item: its token and its top tokens. */
static int
fold_token(struct fold *fold, json_t *event)
{
	static const struct member_row item_members[] = {
		{ "index", member_drop },
		{ "token", put_token },
		{ "top_tokens", put_top_tokens },
		{ "generated_text", member_drop },
		{ "details", member_drop },
		{ NULL, member_refuse },
	};
	static const struct member_row answer_members[] = {
		{ "generated_text", put_text },
		{ "details", put_details },
		{ NULL, member_drop },
	};
	json_t *item = json_object();
	int r;

	if (json_array_append_new(fold->items, item) != 0)
		return -ENOMEM;
	r = member_put_all(item, event, item_members);
	return r == 0 ? member_put_all(fold->root, event, answer_members) : r;
}

/* The member NAME of all items; of one that has none, an empty array. */
static json_t *
collect(const json_t *items, const char *name)
{
	json_t *all = json_array();
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_array_size(items); i++) {
		json_t *value = json_object_get(json_array_get(items, i), name);

		r = json_array_append_new(all, value != NULL ? json_incref(value) : json_array());
	}
	if (r == 0)
		return all;
	json_decref(all);
	return NULL;
}

static bool
has_top_tokens(const json_t *items)
{
	for (size_t i = 0; i < json_array_size(items); i++)
		if (json_says_something(json_object_get(json_array_get(items, i), "top_tokens")))
			return true;
	return false;
}

static int
finish(struct fold *fold)
{
	json_t *details = json_object_get(fold->root, "details");
	int r;

	if (details == NULL)
		return 0;
	r = member_set(details, "prefill", json_array());
	if (r == 0)
		r = member_set(details, "tokens", collect(fold->items, "token"));
	if (r == 0 && has_top_tokens(fold->items))
		r = member_set(details, "top_tokens", collect(fold->items, "top_tokens"));
	return r;
}

/* The details that a stream has: without what is said token by token. */
static json_t *
last_details(json_t *details)
{
	static const struct member_row rows[] = {
		{ "prefill", member_drop },
		{ "tokens", member_drop },
		{ "top_tokens", member_drop },
		{ NULL, member_keep_last },
	};
	json_t *last = json_object();

	if (member_put_all(last, details, rows) == 0)
		return last;
	json_decref(last);
	return NULL;
}

static int
say_token(const struct unfold *unfold, json_t *details, size_t n, bool is_last)
{
	json_t *token = json_array_get(json_object_get(details, "tokens"), n);
	json_t *top = json_array_get(json_object_get(details, "top_tokens"), n);
	json_t *text = json_object_get(unfold->answer, "generated_text");

	if (!json_is_object(token))
		return STREAM_E_CANNOT;
	return unfold_event(unfold, NULL, json_pack("{s:I, s:O, s:O*, s:o, s:o}",
	    "index", (json_int_t)n + 1, "token", token,
	    "top_tokens", json_says_something(top) ? top : NULL,
	    "generated_text", is_last ? json_incref(text) : json_null(),
	    "details", is_last ? last_details(details) : json_null()));
}

/* Do the top tokens, if there are any, belong to the N tokens one by one? */
static bool
top_tokens_fit(const json_t *details, size_t n)
{
	const json_t *top = json_object_get(details, "top_tokens");
	bool has_any = false;

	for (size_t i = 0; i < json_array_size(top); i++) {
		if (!json_is_array(json_array_get(top, i)))
			return false;
		has_any = has_any || json_says_something(json_array_get(top, i));
	}
	return !json_says_something(top) || (json_array_size(top) == n && has_any);
}

static int
unfold_tokens(struct unfold *unfold)
{
	static const struct member_row answer_members[] = {
		{ "generated_text", member_drop },
		{ "details", member_drop },
		{ NULL, member_refuse },
	};
	static const struct member_row details_members[] = {
		{ "prefill", member_refuse },		/* no stream has these */
		{ "best_of_sequences", member_refuse },
		{ NULL, member_drop },
	};
	json_t *details = json_object_get(unfold->answer, "details");
	size_t n = json_array_size(json_object_get(details, "tokens"));
	int r = 0;

	if (n == 0 || !top_tokens_fit(details, n) ||
	    !exact_json_is_string(json_object_get(unfold->answer, "generated_text")) ||
	    member_put_all(NULL, unfold->answer, answer_members) != 0 ||
	    member_put_all(NULL, details, details_members) != 0)
		return STREAM_E_CANNOT;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = say_token(unfold, details, i, i == n - 1);
	return r;
}

const struct stream_api stream_api_tgi = {
	.content_type = "text/event-stream",
	.has_last = true,
	.note = note_token,
	.fold = fold_token,
	.finish = finish,
	.unfold = unfold_tokens,
};
