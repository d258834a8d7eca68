/* SPDX-License-Identifier: MIT */
/*
 * usage.c - where each API says how many tokens a question and its answer had: near the
 * root, so that no tree is made of all the rest.
 */
#include "proxy/dialect/usage.h"

#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "proxy/dialect/json_walk.h"

#define NAMES_MAX	3
#define COUNT_MAX	((uint64_t)INT64_MAX / NAMES_MAX)	/* more is no number of tokens */

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

/* What a row has found so far. */
struct found {
	struct token_usage	usage;
	bool			is_any;
};

static bool
is_named(const struct json_item *item, const char *name)
{
	return name != NULL && bytes_eq_str(item->name, name);
}

/* Add up what ITEM, a number of the object that ROW is about, says. */
static void
read_item(const struct usage_row *row, const struct json_item *item, struct found *found)
{
	bool is_input = false;
	uint64_t n;

	for (size_t i = 0; i < NAMES_MAX; i++)
		is_input |= is_named(item, row->input[i]);
	if ((!is_input && !is_named(item, row->output)) || num_parse_u64(item->raw, &n) != 0 ||
	    n > COUNT_MAX)
		return;
	found->is_any = true;
	if (is_input)
		found->usage.input += n;
	else
		found->usage.output += n;
}

/* With INSIDE the member of the answer around ITEM, if it is in one. */
static void
read_rows(enum stream_form form, struct bytes inside, const struct json_item *item,
    struct found *found)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct usage_row *row = &rows[i];
		bool is_there = row->object == NULL ? item->depth == 1 :
		    item->depth == 2 && bytes_eq_str(inside, row->object);

		if (row->form == form && is_there)
			read_item(row, item, &found[i]);
	}
}

bool
answer_usage(enum stream_form form, struct bytes body, struct token_usage *ret_usage)
{
	struct found found[ARRAY_LEN(rows)] = { 0 };
	struct bytes inside = BYTES_NONE;
	struct json_walk walk;
	struct json_item item;
	int r;

	json_walk_init(&walk, body);
	while ((r = json_walk_next(&walk, &item)) == 0) {
		if (item.depth == 1)
			inside = item.type == JSON_WALK_OBJECT ? item.name : BYTES_NONE;
		if (item.type == JSON_WALK_NUMBER && item.depth <= 2)
			read_rows(form, inside, &item, found);
	}
	for (size_t i = 0; r == JSON_WALK_E_END && i < ARRAY_LEN(rows); i++)
		if (found[i].is_any) {
			*ret_usage = found[i].usage;
			return true;
		}
	return false;
}

bool
answer_may_tell(enum stream_form form, struct bytes body)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *name = rows[i].object != NULL ? rows[i].object : rows[i].output;

		if (rows[i].form == form && body.len > 0 &&
		    memmem(body.ptr, body.len, name, strlen(name)) != NULL)
			return true;
	}
	return false;
}
