/* SPDX-License-Identifier: MIT */
/*
 * tgi.c - text-generation-inference's own paths (PROTOCOLS.md 5).  All its
 * parameters change the answer; even whether there are any does.
 */
#include "proxy/dialect/dialect_priv.h"

static const char *const neutral[] = { "/stream", NULL };

static const char *const real[] = {
	"/parameters/temperature", "/parameters/top_p", "/parameters/typical_p",
	"/parameters/repetition_penalty", "/parameters/frequency_penalty", NULL,
};

static const char *const watched[] = WATCHED_LIST(WATCHED_NOWHERE, "/parameters/temperature",
    "/parameters/seed", WATCHED_NOWHERE, "/parameters/do_sample", WATCHED_NOWHERE, "/parameters",
    "/parameters/top_k", "/parameters/top_p", "/parameters/typical_p");

static const struct canon_rules rules = {
	.neutral = neutral, .real = real, .watched = watched,
};

static const struct path_row rows[] = {
	{ "/generate", "generate", &rules, ROW_JSON | ROW_SAMPLED },
	{ "/generate_stream", "generate", &rules, ROW_JSON | ROW_ALWAYS_STREAMS | ROW_SAMPLED },
	{ "/chat_tokenize", "chat_tokenize", &rules, ROW_JSON },
	{ 0 },
};

static bool
recognise(const struct request_head *head, struct call *call)
{
	return recognise_path(&dialect_tgi, head, head->path, call);
}

static enum answer_verdict
judge(const struct call *call, struct bytes content_type, struct bytes body)
{
	if (call->path_class[0] == 'g')
		return judge_member(content_type, body, "generated_text");
	return judge_plain_json(call, content_type, body);
}

const struct dialect dialect_tgi = {
	.name = "tgi",
	.error_shape = ERROR_SHAPE_HF,
	.token_form = TOKEN_BEARER,
	.rows = rows,
	.recognise = recognise,
	.judge = judge,
};
