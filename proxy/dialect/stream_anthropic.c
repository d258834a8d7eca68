/* SPDX-License-Identifier: MIT */
/*
 * stream_anthropic.c - the events of a message (PROTOCOLS.md 8).
 *
 *	message_start		the message without content, its first usage
 *	  content_block_start	a block, its texts empty
 *	  content_block_delta	pieces of its texts, or of its input as JSON
 *	  content_block_stop
 *	message_delta		why it ended, all usage
 *	message_stop
 *
 * The content is the root's array from the start; the pieces of inputs, which
 * are no members of blocks, stand at the same places in the array of items.
 */
#include <errno.h>
#include <string.h>

#include "proxy/dialect/stream_priv.h"

/* What a server looked up on the way is true only now. */
static bool
is_of_server_tool(const json_t *block)
{
	return type_is(block, "server_tool_use") || type_is(block, "mcp_tool_use") ||
	    bytes_has_suffix(type_text(block), "_tool_result");
}

static void
note_block(struct stream_facts *facts, const json_t *event)
{
	const json_t *block = json_object_get(event, "content_block");

	if (!facts_open(facts, json_object_get(event, "index")))
		facts->is_broken = true;
	if (is_of_server_tool(block))
		facts->is_passing = true;
	if (type_is(block, "tool_use") || type_is(block, "redacted_thinking") ||
	    json_says_something(json_object_get(block, "text")) ||
	    json_says_something(json_object_get(block, "thinking")))
		facts->says_something = true;
}

static void
note_block_delta(struct stream_facts *facts, const json_t *event)
{
	const json_t *delta = json_object_get(event, "delta");

	if (!facts_is_open(facts, json_object_get(event, "index")))
		facts->is_broken = true;
	if (json_says_something(json_object_get(delta, "text")) ||
	    json_says_something(json_object_get(delta, "thinking")))
		facts->says_something = true;
}

static void
note_block_stop(struct stream_facts *facts, const json_t *event)
{
	if (!facts_close(facts, json_object_get(event, "index")))
		facts->is_broken = true;
}

static void
note_message_start(struct stream_facts *facts, const json_t *event)
{
	(void)event;
	facts->has_begun = true;
}

static void
note_message_delta(struct stream_facts *facts, const json_t *event)
{
	const json_t *reason = json_object_get(json_object_get(event, "delta"), "stop_reason");

	if (json_says_something(reason))
		facts->has_reason = true;
	if (bytes_eq_str(exact_json_text(reason), "pause_turn"))
		facts->is_passing = true;
}

static void
note_message_stop(struct stream_facts *facts, const json_t *event)
{
	(void)event;
	facts->has_ended = facts->has_reason;
}

static int
put_content(json_t *to, const char *name, json_t *value)
{
	int r = member_refuse(to, name, value);

	return r == 0 ? member_set(to, name, json_array()) : r;
}

static int
fold_message_start(struct fold *fold, json_t *event)
{
	static const struct member_row rows[] = {
		{ "content", put_content },
		{ NULL, member_keep_last },
	};
	json_t *message = json_object_get(event, "message");
	int r = json_is_object(message) ? 0 : STREAM_E_CANNOT;

	if (r == 0)
		r = member_put_all(fold->root, message, rows);
	if (r == 0 && json_object_get(fold->root, "content") == NULL)
		r = member_set(fold->root, "content", json_array());
	return r;
}

/* Make a text of BLOCK one whose pieces can come. */
static int
open_text(json_t *block, const char *name)
{
	json_t *text = json_object_get(block, name);

	if (text == NULL)
		return 0;
	if (!exact_json_is_string(text))
		return STREAM_E_CANNOT;
	return member_set(block, name, json_pack("[O]", text));
}

static int
fold_block_start(struct fold *fold, json_t *event)
{
	static const char *const types[] = {
		"text", "thinking", "redacted_thinking", "tool_use",
	};
	json_t *content = json_object_get(fold->root, "content");
	json_t *block = json_object_get(event, "content_block");
	const json_t *index = json_object_get(event, "index");
	size_t n = json_array_size(content), i = 0;
	int r;

	while (i < ARRAY_LEN(types) && !type_is(block, types[i]))
		i++;
	if (i == ARRAY_LEN(types) || n >= STREAM_ITEMS_MAX || !json_is_integer(index) ||
	    json_integer_value(index) != (json_int_t)n)
		return STREAM_E_CANNOT;
	r = open_text(block, "text");
	if (r == 0)
		r = open_text(block, "thinking");
	if (r == 0 && (json_array_append(content, block) != 0 ||
	    json_array_append_new(fold->items, json_array()) != 0))
		r = -ENOMEM;
	return r;
}

/* The item of ARRAY that EVENT is about, or NULL. */
static json_t *
item_of(const json_t *array, const json_t *event)
{
	const json_t *index = json_object_get(event, "index");
	json_int_t n = json_integer_value(index);

	return json_is_integer(index) && n >= 0 ? json_array_get(array, (size_t)n) : NULL;
}

static int
put_citation(json_t *to, const char *name, json_t *value)
{
	json_t *citations = member_array(to, "citations");

	(void)name;
	if (citations == NULL)
		return STREAM_E_CANNOT;
	return json_array_append(citations, value) == 0 ? 0 : -ENOMEM;
}

static int
fold_block_delta(struct fold *fold, json_t *event)
{
	static const struct member_row rows[] = {
		{ "type", member_drop },
		{ "text", member_add_text },
		{ "thinking", member_add_text },
		{ "signature", member_keep_last },
		{ "citation", put_citation },
		{ NULL, member_refuse },
	};
	json_t *block = item_of(json_object_get(fold->root, "content"), event);
	json_t *pieces = item_of(fold->items, event);
	json_t *delta = json_object_get(event, "delta");
	json_t *input = json_object_get(delta, "partial_json");

	if (block == NULL || !json_is_object(delta) || !json_is_array(pieces))
		return STREAM_E_CANNOT;
	if (!type_is(delta, "input_json_delta"))
		return member_put_all(block, delta, rows);
	if (!exact_json_is_string(input) || !type_is(block, "tool_use"))
		return STREAM_E_CANNOT;
	return json_array_append(pieces, input) == 0 ? 0 : -ENOMEM;
}

/* What the PIECES of JSON say becomes BLOCK's input. */
static int
parse_input(json_t *block, const json_t *pieces)
{
	json_t *input = NULL;
	struct buf text;
	int r;

	buf_init(&text, SIZE_MAX / 4);	/* what was read has its ceiling already */
	r = text_join(pieces, &text);
	if (r == 0 && buf_len(&text) > 0) {
		r = exact_json_load(buf_bytes(&text), &input);
		if (r == 0)
			r = member_set(block, "input", input);
		else if (r > 0)
			r = STREAM_E_CANNOT;
	}
	buf_done(&text);
	return r;
}

static int
fold_block_stop(struct fold *fold, json_t *event)
{
	json_t *block = item_of(json_object_get(fold->root, "content"), event);
	json_t *pieces = item_of(fold->items, event);
	int r;

	if (block == NULL || !json_is_array(pieces))
		return STREAM_E_CANNOT;
	r = parse_input(block, pieces);
	if (r == 0)
		r = member_join(block, "text");
	if (r == 0)
		r = member_join(block, "thinking");
	if (r != 0)
		return r;
	/* It takes no more deltas. */
	return json_array_set_new(fold->items, (size_t)json_integer_value(
	    json_object_get(event, "index")), json_null()) == 0 ? 0 : -ENOMEM;
}

static int
put_reasons(json_t *to, const char *name, json_t *value)
{
	static const struct member_row rows[] = {
		{ "content", member_refuse },
		{ "usage", member_refuse },
		{ NULL, member_keep_last },
	};

	if (!json_is_object(value))
		return member_refuse(to, name, value);
	return member_put_all(to, value, rows);
}

static int
fold_message_delta(struct fold *fold, json_t *event)
{
	static const struct member_row rows[] = {
		{ "type", member_drop },
		{ "delta", put_reasons },
		{ "usage", member_keep_object },
		{ "context_management", member_keep_last },
		{ NULL, member_refuse },
	};

	return member_put_all(fold->root, event, rows);
}

static int
fold_nothing(struct fold *fold, json_t *event)
{
	(void)fold, (void)event;
	return 0;
}

static void
note_nothing(struct stream_facts *facts, const json_t *event)
{
	(void)facts, (void)event;
}

static const struct event_row {
	const char	*type;
	void		(*note)(struct stream_facts *facts, const json_t *event);
	int		(*fold)(struct fold *fold, json_t *event);
} events[] = {
	{ "ping", note_nothing, fold_nothing },
	{ "message_start", note_message_start, fold_message_start },
	{ "content_block_start", note_block, fold_block_start },
	{ "content_block_delta", note_block_delta, fold_block_delta },
	{ "content_block_stop", note_block_stop, fold_block_stop },
	{ "message_delta", note_message_delta, fold_message_delta },
	{ "message_stop", note_message_stop, fold_nothing },
};

static const struct event_row *
row_of(const json_t *event)
{
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		if (type_is(event, events[i].type))
			return &events[i];
	return NULL;
}

/* A message starts once, and before all else but pings. */
static void
note(struct stream_facts *facts, const json_t *event)
{
	const struct event_row *row = row_of(event);

	if (type_is(event, "error"))
		facts->has_error = true;
	if (!type_is(event, "ping") && type_is(event, "message_start") == facts->has_begun)
		facts->is_broken = true;
	else if (row != NULL)
		row->note(facts, event);
}

static int
fold_event(struct fold *fold, json_t *event)
{
	const struct event_row *row = row_of(event);

	return row != NULL ? row->fold(fold, event) : STREAM_E_CANNOT;
}

/* What the API always says, and no block that is still open. */
static int
finish(struct fold *fold)
{
	for (size_t i = 0; i < json_array_size(fold->items); i++)
		if (!json_is_null(json_array_get(fold->items, i)))
			return STREAM_E_CANNOT;
	if (json_object_get(fold->root, "stop_sequence") != NULL)
		return 0;
	return member_set(fold->root, "stop_sequence", json_null());
}

const struct stream_api stream_api_messages = {
	.content_type = "text/event-stream",
	.has_last = true,
	.note = note,
	.fold = fold_event,
	.finish = finish,
	.unfold = stream_unfold_message,
};
