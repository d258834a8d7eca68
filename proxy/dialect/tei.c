/* SPDX-License-Identifier: MIT */
/*
 * tei.c - text-embeddings-inference (PROTOCOLS.md 4).  Nothing in its bodies
 * is without effect, and nothing is sampled.
 */
#include "proxy/dialect/dialect_priv.h"

static const struct canon_rules rules = { .watched = watched_places };

static const struct path_row rows[] = {
	{ "/embed", "embed", &rules, ROW_JSON },
	{ "/embed_all", "embed_all", &rules, ROW_JSON },
	{ "/embed_sparse", "embed_sparse", &rules, ROW_JSON },
	{ "/predict", "predict", &rules, ROW_JSON },
	{ "/rerank", "rerank", &rules, ROW_JSON },
	{ "/similarity", "similarity", &rules, ROW_JSON },
	{ "/tokenize", "tokenize", &rules, ROW_JSON },
	{ "/decode", "decode", &rules, ROW_JSON },
	{ "/vertex", "vertex", &rules, ROW_JSON },
	{ "/invocations", "invocations", &rules, ROW_JSON },
	{ "/info", "info", NULL, ROW_JSON | ROW_PLAIN },
	{ "/health", "health", NULL, ROW_PLAIN },
	{ "/ping", "ping", NULL, ROW_PLAIN },
	{ "/metrics", "metrics", NULL, ROW_PLAIN },
	{ 0 },
};

static bool
recognise(const struct request_head *head, struct call *call)
{
	return recognise_path(&dialect_tei, head, head->path, call);
}

const struct dialect dialect_tei = {
	.name = "tei",
	.error_shape = ERROR_SHAPE_HF,
	.token_form = TOKEN_BEARER,
	.compute_time_in_msec = true,
	.rows = rows,
	.recognise = recognise,
	.judge = judge_plain_json,
};
