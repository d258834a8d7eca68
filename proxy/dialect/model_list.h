/* SPDX-License-Identifier: MIT */
/*
 * model_list.h - the models that a server lists at /v1/models, in OpenAI's shape, which
 * Ollama, vLLM, TGI and llama-server give theirs too.
 */
#ifndef PROXY_DIALECT_MODEL_LIST_H
#define PROXY_DIALECT_MODEL_LIST_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

#define MODEL_LIST_MAX	2000			/* what follows is passed over */
#define MODEL_LIST_SIZE	((size_t)1 << 20)	/* of the text of so many */

enum {
	MODEL_LIST_E_NONE = 1,	/* BODY is no such list */
};

/* Append the ids in BODY to OUT, in their order, each with a newline behind it. */
int	model_list_read(struct bytes body, struct buf *out) MUST_USE;

#endif
