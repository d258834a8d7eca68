/* SPDX-License-Identifier: MIT */
/*
 * stream_anthropic_unfold.c - a whole message as the events of a stream, one delta for
 * each text of a block (PROTOCOLS.md 8).
 *
 * Its usage is said twice, as the API does it: at the start with no token put out
 * yet, and at the end as it is.
 */
#include <errno.h>
#include <string.h>

#include "proxy/dialect/stream_priv.h"

/* The usage that a message begins with: nothing put out yet. */
static json_t *
first_usage(json_t *usage)
{
	json_t *first = json_copy(usage);

	if (!json_is_integer(json_object_get(usage, "output_tokens")) ||
	    member_set(first, "output_tokens", json_integer(0)) == 0)
		return first;
	json_decref(first);
	return NULL;
}

static int
say_start(const struct unfold *unfold, json_t *usage)
{
	json_t *message = json_copy(unfold->answer);
	int r = member_set(message, "content", json_array());

	if (r == 0)
		r = member_set(message, "stop_reason", json_null());
	if (r == 0)
		r = member_set(message, "stop_sequence", json_null());
	if (r == 0)
		r = member_set(message, "usage", first_usage(usage));
	if (r == 0)
		return unfold_event(unfold, "message_start",
		    json_pack("{s:s, s:o}", "type", "message_start", "message", message));
	json_decref(message);
	return r;
}

/* Say a delta of block N, whose member NAME is VALUE, which is taken. */
static int
say_delta(const struct unfold *unfold, size_t n, const char *type, const char *name,
    json_t *value)
{
	return unfold_event(unfold, "content_block_delta", json_pack("{s:s, s:I, s:{s:s, s:o}}",
	    "type", "content_block_delta", "index", (json_int_t)n,
	    "delta", "type", type, name, value));
}

static int
say_input(const struct unfold *unfold, size_t n, json_t *input)
{
	struct buf text;
	int r;

	buf_init(&text, unfold->out->max);
	r = exact_json_dump(input, &text);
	if (r == 0)
		r = say_delta(unfold, n, "input_json_delta", "partial_json",
		    exact_json_string(buf_bytes(&text)));
	buf_done(&text);
	return r;
}

static int
say_citations(const struct unfold *unfold, size_t n, const json_t *citations)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_array_size(citations); i++)
		r = say_delta(unfold, n, "citations_delta", "citation",
		    json_incref(json_array_get(citations, i)));
	return r;
}

static int
say_deltas(const struct unfold *unfold, size_t n, json_t *block)
{
	static const struct {
		const char	*name, *type;
	} texts[] = {
		{ "thinking", "thinking_delta" },
		{ "signature", "signature_delta" },
		{ "text", "text_delta" },
	};
	int r = say_citations(unfold, n, json_object_get(block, "citations"));

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++) {
		json_t *text = json_object_get(block, texts[i].name);

		if (json_says_something(text))
			r = say_delta(unfold, n, texts[i].type, texts[i].name,
			    json_incref(text));
	}
	if (r == 0 && type_is(block, "tool_use"))
		r = say_input(unfold, n, json_object_get(block, "input"));
	return r;
}

/* BLOCK as it begins: without what its deltas say. */
static int
begin_block(json_t *begun, json_t *block)
{
	static const char *const texts[] = { "text", "thinking", "signature" };
	const json_t *citations = json_object_get(block, "citations");
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
		if (exact_json_is_string(json_object_get(block, texts[i])))
			r = member_set(begun, texts[i], json_string(""));
		else if (json_object_get(block, texts[i]) != NULL)
			r = STREAM_E_CANNOT;
	if (r == 0 && type_is(block, "tool_use"))
		r = json_is_object(json_object_get(block, "input")) ?
		    member_set(begun, "input", json_object()) : STREAM_E_CANNOT;
	if (r == 0 && citations != NULL && !json_is_null(citations))
		r = json_is_array(citations) ? member_set(begun, "citations", json_array()) :
		    STREAM_E_CANNOT;
	return r;
}

/* A block of another kind has texts that nobody here knows. */
static bool
is_known_block(const json_t *block)
{
	return type_is(block, "text") || type_is(block, "thinking") ||
	    type_is(block, "redacted_thinking") || type_is(block, "tool_use");
}

static int
say_block(const struct unfold *unfold, size_t n, json_t *block)
{
	json_t *begun;
	int r;

	if (!is_known_block(block))
		return STREAM_E_CANNOT;
	begun = json_copy(block);
	r = begin_block(begun, block);
	if (r != 0) {
		json_decref(begun);
		return r;
	}
	r = unfold_event(unfold, "content_block_start", json_pack("{s:s, s:I, s:o}",
	    "type", "content_block_start", "index", (json_int_t)n, "content_block", begun));
	if (r == 0)
		r = say_deltas(unfold, n, block);
	return r == 0 ? unfold_event(unfold, "content_block_stop", json_pack("{s:s, s:I}",
	    "type", "content_block_stop", "index", (json_int_t)n)) : r;
}

/* The members of usage that message_delta has; the others are said at the start. */
static int
say_end(const struct unfold *unfold, json_t *usage)
{
	static const struct member_row rows[] = {
		{ "input_tokens", member_keep_last },
		{ "cache_creation_input_tokens", member_keep_last },
		{ "cache_read_input_tokens", member_keep_last },
		{ "output_tokens", member_keep_last },
		{ "output_tokens_details", member_keep_last },
		{ "server_tool_use", member_keep_last },
		{ NULL, member_drop },
	};
	json_t *reason = json_object_get(unfold->answer, "stop_reason");
	json_t *sequence = json_object_get(unfold->answer, "stop_sequence");
	json_t *last = json_object();
	int r = member_put_all(last, usage, rows);

	if (r != 0) {
		json_decref(last);
		return r;
	}
	r = unfold_event(unfold, "message_delta", json_pack("{s:s, s:{s:O, s:o}, s:o}",
	    "type", "message_delta", "delta", "stop_reason", reason,
	    "stop_sequence", sequence != NULL ? json_incref(sequence) : json_null(),
	    "usage", last));
	return r == 0 ? unfold_event(unfold, "message_stop",
	    json_pack("{s:s}", "type", "message_stop")) : r;
}

int
stream_unfold_message(struct unfold *unfold)
{
	json_t *content = json_object_get(unfold->answer, "content");
	json_t *usage = json_object_get(unfold->answer, "usage");
	int r;

	if (!json_is_array(content) || json_array_size(content) > STREAM_ITEMS_MAX ||
	    !json_is_object(usage) ||
	    !json_says_something(json_object_get(unfold->answer, "stop_reason")))
		return STREAM_E_CANNOT;
	r = say_start(unfold, usage);
	for (size_t i = 0; r == 0 && i < json_array_size(content); i++)
		r = say_block(unfold, i, json_array_get(content, i));
	return r == 0 ? say_end(unfold, usage) : r;
}
