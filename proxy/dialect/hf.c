/* SPDX-License-Identifier: MIT */
/*
 * hf.c - the Hugging Face Inference API (PROTOCOLS.md 3) in all forms of its
 * paths; the model is in the path, the task sometimes too:
 *
 *	/models/ID   /models/ID/pipeline/TASK   /pipeline/TASK/ID   /
 *
 * each perhaps with /hf-inference before it.  Forms of one task are one class.
 */
#include <string.h>

#include "proxy/dialect/dialect_priv.h"

/* "options" is about the server's cache, queue and hardware, wholly. */
static const char *const neutral[] = { "/options", "/stream", NULL };

static const char *const real[] = {
	"/parameters/temperature", "/parameters/top_p", "/parameters/typical_p",
	"/parameters/repetition_penalty", "/parameters/max_time", "/parameters/threshold",
	"/parameters/guidance_scale", NULL,
};

static const char *const watched[] = WATCHED_LIST(WATCHED_NOWHERE, "/parameters/temperature",
    "/parameters/seed", WATCHED_NOWHERE, "/parameters/do_sample", WATCHED_NOWHERE);

static const struct canon_rules rules = {
	.neutral = neutral, .real = real, .watched = watched,
};

/* Tasks whose answers are drawn by chance; so is that of a task the path does not name. */
static const char *const sampled_tasks[] = {
	"", "text-generation", "conversational", "text-to-image", "text-to-speech",
	"text-to-audio", "text-to-video", "image-to-image", "image-text-to-text",
};

static unsigned
flags_of(struct bytes task)
{
	for (size_t i = 0; i < ARRAY_LEN(sampled_tasks); i++)
		if (bytes_eq_str(task, sampled_tasks[i]))
			return ROW_SAMPLED;
	return 0;
}

static void
take(const struct request_head *head, struct call *call, struct bytes model, struct bytes task)
{
	call->dialect = &dialect_hf;
	call->rules = &rules;
	call->path_class = "task";
	call->path_detail = task;
	call->row_flags = flags_of(task);
	call->is_inference = bytes_eq_str(head->method, "POST");
	call->model = model;
	call->model_in_path = model.len > 0;
}

static bool
recognise_models(const struct request_head *head, struct bytes rest, struct call *call)
{
	size_t task = bytes_find_str(rest, "/pipeline/");
	bool is_about_it = !bytes_eq_str(head->method, "POST") && bytes_has_suffix(rest, "/info");

	if (is_about_it)
		rest = bytes_first(rest, rest.len - strlen("/info"));
	take(head, call, bytes_first(rest, task), bytes_skip(rest, task + strlen("/pipeline/")));
	return true;
}

static bool
recognise_pipeline(const struct request_head *head, struct bytes rest, struct call *call)
{
	size_t slash = bytes_find_char(rest, '/');

	if (slash == rest.len)
		return false;
	take(head, call, bytes_skip(rest, slash + 1), bytes_first(rest, slash));
	return true;
}

static bool
recognise(const struct request_head *head, struct call *call)
{
	struct bytes path = head->path;

	if (bytes_has_prefix(path, "/hf-inference/"))
		path = bytes_skip(path, strlen("/hf-inference"));
	if (bytes_has_prefix(path, "/models/"))
		return recognise_models(head, bytes_skip(path, strlen("/models/")), call);
	if (bytes_has_prefix(path, "/pipeline/"))
		return recognise_pipeline(head, bytes_skip(path, strlen("/pipeline/")), call);
	if (bytes_has_prefix(path, "/status/")) {
		take(head, call, bytes_skip(path, strlen("/status/")), BYTES_NONE);
		call->is_inference = false;
		return true;
	}
	if (!bytes_eq_str(path, "/"))
		return false;
	take(head, call, BYTES_NONE, BYTES_NONE);
	return true;
}

/* JSON for text, pictures and sound as themselves. */
static enum answer_verdict
judge(const struct call *call, struct bytes content_type, struct bytes body)
{
	if (!type_has_prefix(content_type, "image/") && !type_has_prefix(content_type, "audio/") &&
	    !type_has_prefix(content_type, "video/"))
		return judge_plain_json(call, content_type, body);
	return body.len > 0 ? ANSWER_STORABLE : ANSWER_EMPTY;
}

const struct dialect dialect_hf = {
	.name = "hf",
	.error_shape = ERROR_SHAPE_HF,
	.token_form = TOKEN_BEARER,
	.recognise = recognise,
	.judge = judge,
};
