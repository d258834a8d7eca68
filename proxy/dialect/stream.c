/* SPDX-License-Identifier: MIT */
/*
 * stream.c - what streams of all forms have in common: a walk over their events.
 *
 *	judge:	events -> facts -> verdict
 *	fold:	events -> facts, answer -> JSON
 *	unfold:	JSON -> answer -> events
 */
#include "proxy/dialect/stream.h"

#include <errno.h>
#include <string.h>

#include "proxy/dialect/stream_priv.h"
#include "proxy/http/error_body.h"
#include "proxy/http/ndjson.h"
#include "proxy/http/sse.h"

static const struct stream_api *const apis[] = {
	[STREAM_CHAT] = &stream_api_chat,
	[STREAM_COMPLETIONS] = &stream_api_completions,
	[STREAM_MESSAGES] = &stream_api_messages,
	[STREAM_GENERATE] = &stream_api_generate,
	[STREAM_OLLAMA_CHAT] = &stream_api_ollama_chat,
	[STREAM_TGI] = &stream_api_tgi,
};

enum stream_form
stream_form_of(const struct call *call)
{
	static const struct {
		const char		*dialect, *path_class;
		enum stream_form	 form;
	} forms[] = {
		{ "openai", "chat", STREAM_CHAT },
		{ "openai", "completions", STREAM_COMPLETIONS },
		{ "anthropic", "messages", STREAM_MESSAGES },
		{ "ollama", "generate", STREAM_GENERATE },
		{ "ollama", "chat", STREAM_OLLAMA_CHAT },
		{ "tgi", "generate", STREAM_TGI },
	};

	for (size_t i = 0; call->path_class != NULL && i < ARRAY_LEN(forms); i++)
		if (strcmp(call->dialect->name, forms[i].dialect) == 0 &&
		    strcmp(call->path_class, forms[i].path_class) == 0)
			return forms[i].form;
	return STREAM_NONE;
}

static const struct stream_api *
api_of(enum stream_form form)
{
	assert(form > STREAM_NONE && form < ARRAY_LEN(apis));
	return apis[form];
}

const char *
stream_content_type(enum stream_form form)
{
	return api_of(form)->content_type;
}

/* See what an event's DATA shows and, if it is to be folded, says. */
static int
read_data(struct fold *fold, struct bytes data, bool folds)
{
	const struct stream_api *api = api_of(fold->form);
	struct stream_facts *facts = &fold->facts;
	json_auto_t *event = NULL;
	int r = exact_json_load(data, &event);

	if (r < 0)
		return r;
	if (r > 0 || !json_is_object(event) || facts->has_ended || facts->has_done_mark) {
		facts->is_broken = true;
		return 0;
	}
	if (json_holds_error(event)) {
		facts->has_error = true;
		return 0;
	}
	api->note(facts, event);
	if (!folds || facts->is_broken)
		return 0;
	return api->fold(fold, event);
}

static int
read_event(struct fold *fold, const struct sse_event *event, bool folds)
{
	if (event->is_error_field || bytes_eq_str(event->name, "error")) {
		fold->facts.has_error = true;
		return 0;
	}
	if (bytes_trim(event->data).len == 0)
		return 0;
	if (bytes_eq_str(bytes_trim(event->data), "[DONE]")) {
		fold->facts.has_done_mark = true;
		return 0;
	}
	return read_data(fold, event->data, folds);
}

static int
read_events(struct fold *fold, struct bytes stream, bool folds)
{
	struct sse *sse = sse_new(stream.len);
	struct sse_event event;
	size_t used;
	int r = 0;

	for (; r == 0 && stream.len > 0; stream = bytes_skip(stream, used))
		if (sse_feed(sse, stream, &used, &event) == SSE_EVENT)
			r = read_event(fold, &event, folds);
	if (!sse_is_at_rest(sse))
		fold->facts.is_broken = true;
	sse_free(sse);
	return r;
}

static int
read_lines(struct fold *fold, struct bytes stream, bool folds)
{
	struct ndjson *ndjson = ndjson_new(stream.len);
	struct bytes line;
	size_t used;
	int r = 0;

	for (; r == 0 && stream.len > 0; stream = bytes_skip(stream, used))
		if (ndjson_feed(ndjson, stream, &used, &line) == NDJSON_LINE)
			r = read_data(fold, line, folds);
	if (!ndjson_is_at_rest(ndjson))
		fold->facts.is_broken = true;
	ndjson_free(ndjson);
	return r;
}

static int
read_stream(struct fold *fold, struct bytes stream, bool folds)
{
	if (api_of(fold->form)->is_lines)
		return read_lines(fold, stream, folds);
	return read_events(fold, stream, folds);
}

/* Did everything come that begun? */
static bool
is_whole(const struct stream_api *api, const struct stream_facts *facts)
{
	return !facts->is_broken && facts->n_open == 0 && (!api->has_last || facts->has_ended);
}

static bool
is_of_type(struct bytes content_type, const char *type)
{
	return bytes_eq_str_nocase(bytes_trim(bytes_cut(&content_type, ';')), type);
}

enum answer_verdict
stream_judge(enum stream_form form, struct bytes content_type, struct bytes stream)
{
	const struct stream_api *api = api_of(form);
	struct fold fold = { .form = form };

	if (!is_of_type(content_type, api->content_type))
		return ANSWER_NOT_OF_TYPE;
	if (read_stream(&fold, stream, false) != 0)
		return ANSWER_NOT_WHOLE;
	if (fold.facts.has_error)
		return ANSWER_HOLDS_ERROR;
	if (!is_whole(api, &fold.facts))
		return ANSWER_NOT_WHOLE;
	if (fold.facts.is_passing)
		return ANSWER_PASSING;
	return fold.facts.says_something ? ANSWER_STORABLE : ANSWER_EMPTY;
}

bool
stream_has_end(enum stream_form form, struct bytes stream)
{
	struct fold fold = { .form = form };

	if (read_stream(&fold, stream, false) != 0 || fold.facts.is_broken)
		return false;
	return fold.facts.has_done_mark || fold.facts.has_ended;
}

int
stream_fold(enum stream_form form, struct bytes stream, struct buf *out)
{
	const struct stream_api *api = api_of(form);
	json_auto_t *root = json_object(), *items = json_array();
	struct fold fold = { .form = form, .root = root, .items = items };
	int r = read_stream(&fold, stream, true);

	if (r != 0)
		return r;
	if (fold.facts.has_error || !is_whole(api, &fold.facts))
		return STREAM_E_CANNOT;
	r = api->finish(&fold);
	return r == 0 ? exact_json_dump(root, out) : r;
}

int
unfold_event(const struct unfold *unfold, const char *name, json_t *event)
{
	bool is_lines = api_of(unfold->form)->is_lines;
	json_auto_t *taken = event;
	int r = 0;

	if (taken == NULL)
		return -ENOMEM;
	if (name != NULL)
		r = buf_addf(unfold->out, "event: %s\n", name);
	if (r == 0 && !is_lines)
		r = buf_add_str(unfold->out, "data: ");
	if (r == 0)
		r = exact_json_dump(taken, unfold->out);
	return r == 0 ? buf_add_str(unfold->out, is_lines ? "\n" : "\n\n") : r;
}

int
stream_unfold(enum stream_form form, struct bytes answer, const struct unfold_options *options,
    struct buf *out)
{
	json_auto_t *whole = NULL, *base = json_object();
	struct unfold unfold = {
		.form = form, .include_usage = options->include_usage, .out = out, .base = base,
	};
	int r = exact_json_load(answer, &whole);

	if (r < 0)
		return r;
	if (r > 0 || !json_is_object(whole) || json_holds_error(whole))
		return STREAM_E_CANNOT;
	unfold.answer = whole;
	return api_of(form)->unfold(&unfold);
}

/* Past the line that begins TEXT; *RET_IS_BLANK: there is nothing on it. */
static size_t
line_len(struct bytes text, bool *ret_is_blank)
{
	size_t n = 0;

	while (n < text.len && text.ptr[n] != '\n' && text.ptr[n] != '\r')
		n++;
	*ret_is_blank = n == 0;
	if (n + 1 < text.len && text.ptr[n] == '\r' && text.ptr[n + 1] == '\n')
		return n + 2;
	return n < text.len ? n + 1 : n;
}

bool
stream_next_piece(enum stream_form form, struct bytes *rest, struct bytes *ret_piece)
{
	const struct bytes all = *rest;
	bool is_lines = api_of(form)->is_lines, is_blank, is_done = false, has_begun = false;

	if (all.len == 0)
		return false;
	while (rest->len > 0 && !is_done) {
		*rest = bytes_skip(*rest, line_len(*rest, &is_blank));
		is_done = has_begun ? is_blank || is_lines : is_lines && !is_blank;
		has_begun = has_begun || !is_blank;
	}
	*ret_piece = bytes_first(all, all.len - rest->len);
	return true;
}

static bool
ends_line(char c)
{
	return c == '\n' || c == '\r';
}

void
stream_mark_events(enum stream_form form, struct bytes body, struct stream_mark *mark)
{
	bool is_lines = api_of(form)->is_lines, is_blank;

	while (mark->line < body.len) {
		struct bytes rest = bytes_skip(body, mark->line);
		size_t len = line_len(rest, &is_blank);

		if (!ends_line(rest.ptr[len - 1]))
			return;
		mark->line += len;
		if (is_lines || is_blank)
			mark->whole = mark->line;
	}
}

bool
stream_is_at_rest(enum stream_form form, struct bytes tail)
{
	if (tail.len == 0)
		return true;
	if (!ends_line(tail.ptr[tail.len - 1]))
		return false;
	if (api_of(form)->is_lines)
		return true;
	tail.len -= bytes_has_suffix(tail, "\r\n") ? 2 : 1;
	return tail.len == 0 || ends_line(tail.ptr[tail.len - 1]);
}

/* As those of the form name it. */
static enum error_shape
error_shape_of(enum stream_form form)
{
	switch (form) {
	case STREAM_CHAT:
	case STREAM_COMPLETIONS:
		return ERROR_SHAPE_OPENAI;
	case STREAM_MESSAGES:
		return ERROR_SHAPE_ANTHROPIC;
	case STREAM_GENERATE:
	case STREAM_OLLAMA_CHAT:
		return ERROR_SHAPE_OLLAMA;
	default:
		return ERROR_SHAPE_HF;
	}
}

/* The body of an error ends its line itself. */
int
stream_add_error(enum stream_form form, int status, const char *code, struct bytes message,
    struct buf *out)
{
	bool is_lines = api_of(form)->is_lines;
	int r = 0;

	if (form == STREAM_MESSAGES)
		r = buf_add_str(out, "event: error\n");
	if (r == 0 && !is_lines)
		r = buf_add_str(out, "data: ");
	if (r == 0)
		r = error_body(out, error_shape_of(form), status, code, message);
	return r == 0 && !is_lines ? buf_add_str(out, "\n") : r;
}
