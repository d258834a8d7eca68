/* SPDX-License-Identifier: MIT */
/*
 * stream_ollama.c - Ollama's lines (PROTOCOLS.md 9): pieces of a text, and a last line
 * with all that is to be said of it.  A whole answer is that last line with the
 * text in it.
 *
 * What the lines before say is gathered in an object that the array of items holds;
 * the last one becomes the root.
 */
#include <errno.h>
#include <string.h>

#include "proxy/dialect/stream_priv.h"

static const char *const texts[] = { "response", "content", "thinking" };

static bool
message_says_something(const json_t *message)
{
	if (json_says_something(json_object_get(message, "tool_calls")))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (json_says_something(json_object_get(message, texts[i])))
			return true;
	return false;
}

static bool
is_done(const json_t *line)
{
	return json_is_true(json_object_get(line, "done"));
}

/* Loading and unloading a model answer too, and say nothing. */
static void
note_line(struct stream_facts *facts, const json_t *line)
{
	struct bytes reason = exact_json_text(json_object_get(line, "done_reason"));

	if (message_says_something(line) ||
	    message_says_something(json_object_get(line, "message")))
		facts->says_something = true;
	if (bytes_eq_str(reason, "load") || bytes_eq_str(reason, "unload") ||
	    json_says_something(json_object_get(line, "_debug_info")))
		facts->is_passing = true;
	facts->has_ended = is_done(line);
}

/* Where there is nothing to say, Ollama leaves these out. */
static int
put_extra_text(json_t *to, const char *name, json_t *value)
{
	return json_says_something(value) ? member_add_text(to, name, value) : 0;
}

static int
put_extra_items(json_t *to, const char *name, json_t *value)
{
	return json_says_something(value) ? member_add_items(to, name, value) : 0;
}

static int
put_message(json_t *to, const char *name, json_t *value)
{
	static const struct member_row rows[] = {
		{ "role", member_keep_same },
		{ "content", member_add_text },
		{ "thinking", put_extra_text },
		{ "tool_calls", put_extra_items },
		{ NULL, member_refuse },
	};
	json_t *message = json_object_get(to, name);

	if (!json_is_object(value))
		return member_refuse(to, name, value);
	if (message == NULL) {
		if (member_set(to, name, json_object()) != 0)
			return -ENOMEM;
		message = json_object_get(to, name);
	}
	return member_put_all(message, value, rows);
}

static const struct member_row line_members[] = {
	{ "message", put_message },
	{ "response", member_add_text },
	{ "thinking", put_extra_text },
	{ "logprobs", put_extra_items },
	{ "model", member_drop },	/* the last line has these too */
	{ "created_at", member_drop },
	{ "remote_model", member_drop },
	{ "remote_host", member_drop },
	{ "done", member_drop },
	{ NULL, member_refuse },
};

static const struct member_row last_members[] = {
	{ "message", put_message },
	{ "response", member_add_text },
	{ "thinking", put_extra_text },
	{ "logprobs", put_extra_items },
	{ NULL, member_drop },
};

static int
fold_line(struct fold *fold, json_t *line)
{
	static const struct member_row rest_members[] = {
		{ "message", member_drop },
		{ "response", member_keep_last },	/* for its place; the text comes later */
		{ "thinking", member_drop },
		{ "logprobs", member_drop },
		{ NULL, member_keep_last },
	};
	json_t *gathered;
	int r;

	if (json_array_size(fold->items) == 0 &&
	    json_array_append_new(fold->items, json_object()) != 0)
		return -ENOMEM;
	gathered = json_array_get(fold->items, 0);
	if (!is_done(line))
		return member_put_all(gathered, line, line_members);
	r = member_put_all(gathered, line, last_members);
	return r == 0 ? member_put_all(fold->root, line, rest_members) : r;
}

static int
join_all(json_t *object)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
		r = member_join(object, texts[i]);
	return r;
}

/* OBJECT always has the text NAME. */
static int
need_text(json_t *object, const char *name)
{
	if (exact_json_is_string(json_object_get(object, name)))
		return 0;
	return member_set(object, name, json_string(""));
}

static int
finish(struct fold *fold)
{
	static const struct member_row all[] = { { NULL, member_keep_last } };
	json_t *gathered = json_array_get(fold->items, 0);
	json_t *message = json_object_get(gathered, "message");
	int r = join_all(gathered);

	if (r == 0 && message != NULL)
		r = join_all(message);
	if (r == 0 && message != NULL)
		r = need_text(message, "content");
	if (r == 0 && fold->form == STREAM_GENERATE)
		r = need_text(gathered, "response");
	return r == 0 ? member_put_all(fold->root, gathered, all) : r;
}

static const struct member_row base_members[] = {
	{ "model", member_keep_last },
	{ "created_at", member_keep_last },
	{ "remote_model", member_keep_last },
	{ "remote_host", member_keep_last },
	{ NULL, member_drop },
};

/* The text of a message, and of an answer to /api/generate. */
static const char *
main_text(const struct unfold *unfold)
{
	return unfold->form == STREAM_GENERATE ? "response" : "content";
}

/* Where the texts are: in the message, or in the answer itself. */
static json_t *
said_of(const struct unfold *unfold)
{
	if (unfold->form == STREAM_GENERATE)
		return unfold->answer;
	return json_object_get(unfold->answer, "message");
}

/* What all lines say of a message: who speaks, and no text yet. */
static json_t *
empty_message(const struct unfold *unfold)
{
	json_t *role = json_object_get(said_of(unfold), "role");
	json_t *message = json_object();

	if ((unfold->form == STREAM_OLLAMA_CHAT && role != NULL &&
	    member_set(message, "role", json_incref(role)) != 0) ||
	    member_set(message, main_text(unfold), json_string("")) != 0) {
		json_decref(message);
		return NULL;
	}
	return message;
}

/* Say a line that has only the member NAME of the message, and LOGPROBS if any. */
static int
say_member(const struct unfold *unfold, const char *name, json_t *logprobs)
{
	static const struct member_row all[] = { { NULL, member_keep_last } };
	json_t *line = json_copy(unfold->base);
	json_auto_t *message = empty_message(unfold);
	json_t *value = json_object_get(said_of(unfold), name);
	int r = member_set(message, name, json_incref(value));

	if (r == 0 && unfold->form == STREAM_GENERATE)
		r = member_put_all(line, message, all);
	else if (r == 0)
		r = member_set(line, "message", json_incref(message));
	if (r == 0)
		r = member_set(line, "done", json_false());
	if (r == 0 && logprobs != NULL)
		r = member_set(line, "logprobs", json_incref(logprobs));
	if (r == 0)
		return unfold_event(unfold, NULL, line);
	json_decref(line);
	return r;
}

/* The last line: all but what was said, with an empty text in its place. */
static int
say_end(const struct unfold *unfold, bool has_said_logprobs)
{
	json_t *line = json_copy(unfold->answer);
	int r;

	if (unfold->form == STREAM_GENERATE) {
		r = member_set(line, "response", json_string(""));
		if (json_says_something(json_object_get(line, "thinking")))
			json_object_del(line, "thinking");
	} else {
		r = member_set(line, "message", empty_message(unfold));
	}
	if (has_said_logprobs)
		json_object_del(line, "logprobs");
	if (r == 0)
		return unfold_event(unfold, NULL, line);
	json_decref(line);
	return r;
}

static int
check_text(json_t *to, const char *name, json_t *value)
{
	(void)to, (void)name;
	return json_is_null(value) || exact_json_is_string(value) ? 0 : STREAM_E_CANNOT;
}

static int
check_items(json_t *to, const char *name, json_t *value)
{
	(void)to, (void)name;
	return json_is_null(value) || json_is_array(value) ? 0 : STREAM_E_CANNOT;
}

/* Is the answer one that lines can say? */
static int
check_answer(const struct unfold *unfold)
{
	static const struct member_row message_members[] = {
		{ "role", check_text },
		{ "content", check_text },
		{ "thinking", check_text },
		{ "tool_calls", check_items },
		{ NULL, member_refuse },
	};
	static const struct member_row answer_members[] = {
		{ "response", check_text },
		{ "thinking", check_text },
		{ "logprobs", check_items },
		{ NULL, member_drop },
	};
	bool is_chat = unfold->form == STREAM_OLLAMA_CHAT;
	int r = member_put_all(NULL, unfold->answer, answer_members);

	if (!is_done(unfold->answer) || !json_is_object(said_of(unfold)) ||
	    json_object_get(unfold->answer, is_chat ? "response" : "message") != NULL)
		return STREAM_E_CANNOT;
	if (r == 0 && is_chat)
		r = member_put_all(NULL, said_of(unfold), message_members);
	return r;
}

static int
unfold_lines(struct unfold *unfold)
{
	const json_t *said = said_of(unfold);
	json_t *logprobs = json_object_get(unfold->answer, "logprobs");
	bool has_text = json_says_something(json_object_get(said, main_text(unfold)));
	int r = check_answer(unfold);

	if (r == 0)
		r = member_put_all(unfold->base, unfold->answer, base_members);
	if (r == 0 && json_says_something(json_object_get(said, "thinking")))
		r = say_member(unfold, "thinking", NULL);
	if (r == 0 && has_text)
		r = say_member(unfold, main_text(unfold), logprobs);
	if (r == 0 && unfold->form == STREAM_OLLAMA_CHAT &&
	    json_says_something(json_object_get(said, "tool_calls")))
		r = say_member(unfold, "tool_calls", NULL);
	return r == 0 ? say_end(unfold, has_text) : r;
}

const struct stream_api stream_api_generate = {
	.content_type = "application/x-ndjson",
	.is_lines = true,
	.has_last = true,
	.note = note_line,
	.fold = fold_line,
	.finish = finish,
	.unfold = unfold_lines,
};

const struct stream_api stream_api_ollama_chat = {
	.content_type = "application/x-ndjson",
	.is_lines = true,
	.has_last = true,
	.note = note_line,
	.fold = fold_line,
	.finish = finish,
	.unfold = unfold_lines,
};
