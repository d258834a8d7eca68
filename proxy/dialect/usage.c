/* SPDX-License-Identifier: MIT */
/*
 * usage.c - where each API says how many tokens a question and its answer had.
 */
#include "proxy/dialect/usage.h"

#include <jansson.h>

#include "proxy/dialect/exact_json.h"

#define NAMES_MAX	3

/* Of an object of the answer, NULL the answer itself; what is there is added up. */
static const struct usage_row {
	enum stream_form	 form;
	const char		*object;
	const char		*input[NAMES_MAX];
	const char		*output;
} rows[] = {
	{ STREAM_CHAT, "usage", { "prompt_tokens" }, "completion_tokens" },
	{ STREAM_CHAT, "timings", { "prompt_n", "cache_n" }, "predicted_n" },
	{ STREAM_COMPLETIONS, "usage", { "prompt_tokens" }, "completion_tokens" },
	{ STREAM_COMPLETIONS, "timings", { "prompt_n", "cache_n" }, "predicted_n" },
	{ STREAM_MESSAGES, "usage", { "input_tokens", "cache_creation_input_tokens",
	    "cache_read_input_tokens" }, "output_tokens" },
	{ STREAM_GENERATE, NULL, { "prompt_eval_count" }, "eval_count" },
	{ STREAM_OLLAMA_CHAT, NULL, { "prompt_eval_count" }, "eval_count" },
	{ STREAM_NONE, "usage", { "prompt_tokens" }, "completion_tokens" },
	{ STREAM_NONE, "usage", { "input_tokens" }, "output_tokens" },
	{ STREAM_TGI, "details", { "input_length" }, "generated_tokens" },
};

/* Add the number NAME of OBJECT, if there is such a one, to *SUM. */
static bool
add_count(const json_t *object, const char *name, uint64_t *sum)
{
	const json_t *count = name != NULL ? json_object_get(object, name) : NULL;

	if (!json_is_integer(count) || json_integer_value(count) < 0)
		return false;
	*sum += (uint64_t)json_integer_value(count);
	return true;
}

static bool
read_row(const struct usage_row *row, const json_t *answer, struct token_usage *usage)
{
	const json_t *object = row->object != NULL ? json_object_get(answer, row->object) : answer;
	bool has_input = false, has_output;

	*usage = (struct token_usage){ 0 };
	for (size_t i = 0; i < NAMES_MAX; i++)
		has_input |= add_count(object, row->input[i], &usage->input);
	has_output = add_count(object, row->output, &usage->output);
	return has_input || has_output;
}

bool
answer_usage(enum stream_form form, struct bytes body, struct token_usage *ret_usage)
{
	json_auto_t *answer = NULL;
	struct token_usage usage;

	if (exact_json_load(body, &answer) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].form == form && read_row(&rows[i], answer, &usage)) {
			*ret_usage = usage;
			return true;
		}
	return false;
}
