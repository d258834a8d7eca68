/* SPDX-License-Identifier: MIT */
/*
 * raw.c - what no other dialect knows: method, path and body are the question,
 * as they stand.
 */
#include "proxy/dialect/dialect_priv.h"

static const struct canon_rules rules = { .watched = watched_places };

static bool
recognise(const struct request_head *head, struct call *call)
{
	call->dialect = &dialect_raw;
	call->rules = &rules;
	call->row_flags = ROW_MODEL | ROW_SAMPLED;
	call->is_inference = bytes_eq_str(head->method, "POST");
	return true;
}

const struct dialect dialect_raw = {
	.name = "raw",
	.error_shape = ERROR_SHAPE_HF,
	.token_form = TOKEN_BEARER,
	.recognise = recognise,
	.judge = judge_any,
};
