/* SPDX-License-Identifier: MIT */
/*
 * llama.c - llama-server's own paths (PROTOCOLS.md 10); what it shares with
 * others is theirs.
 */
#include <string.h>

#include "proxy/dialect/dialect_priv.h"

static const char *const neutral[] = {
	"/model", "/stream", "/cache_prompt", "/id_slot", "/n_cache_reuse", "/timings_per_token",
	"/return_progress", "/sse_ping_interval", NULL,
};

static const char *const real[] = {
	"/temperature", "/dynatemp_range", "/dynatemp_exponent", "/top_p", "/min_p", "/typical_p",
	"/repeat_penalty", "/presence_penalty", "/frequency_penalty", "/dry_multiplier",
	"/dry_base", "/xtc_probability", "/xtc_threshold", "/mirostat_tau", "/mirostat_eta", NULL,
};

static const char *const watched[] = WATCHED_LIST(WATCHED_NOWHERE, "/temperature", "/seed",
    WATCHED_NOWHERE, WATCHED_NOWHERE, WATCHED_NOWHERE);

static const struct canon_rules rules = {
	.neutral = neutral, .real = real, .watched = watched,
};

static const struct path_row rows[] = {
	{ "/completion", "completion", &rules, ROW_JSON | ROW_MODEL | ROW_SAMPLED },
	{ "/infill", "infill", &rules, ROW_JSON | ROW_MODEL | ROW_SAMPLED },
	{ "/embedding", "embedding", &rules, ROW_JSON | ROW_MODEL },
	{ "/rerank", "rerank", &rules, ROW_JSON | ROW_MODEL },
	{ "/reranking", "rerank", &rules, ROW_JSON | ROW_MODEL },
	{ "/detokenize", "detokenize", &rules, ROW_JSON | ROW_MODEL },
	{ "/apply-template", "apply-template", &rules, ROW_JSON | ROW_MODEL },
	{ "/props", "props", NULL, ROW_JSON | ROW_PLAIN },
	{ "/slots", "slots", NULL, ROW_JSON | ROW_PLAIN },
	{ "/lora-adapters", "lora-adapters", NULL, ROW_JSON | ROW_PLAIN },
	{ 0 },
};

static bool
recognise(const struct request_head *head, struct call *call)
{
	if (recognise_path(&dialect_llama, head, without_v1(head->path),
	    call))
		return true;
	/* To save or empty a slot is no question. */
	if (!bytes_has_prefix(head->path, "/slots/"))
		return false;
	call->dialect = &dialect_llama;
	call->path_class = "slots";
	return true;
}

/* One prompt gives an object, several a list of them. */
static enum answer_verdict
judge(const struct call *call, struct bytes content_type, struct bytes body)
{
	bool is_list = bytes_has_prefix(bytes_trim(body), "[");

	if (strcmp(call->path_class, "completion") == 0 && !is_list)
		return judge_member(content_type, body, "content");
	return judge_plain_json(call, content_type, body);
}

const struct dialect dialect_llama = {
	.name = "llama",
	.error_shape = ERROR_SHAPE_OPENAI,
	.token_form = TOKEN_BEARER,
	.rows = rows,
	.recognise = recognise,
	.judge = judge,
};
