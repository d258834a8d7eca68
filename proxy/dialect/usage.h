/* SPDX-License-Identifier: MIT */
/*
 * usage.h - the tokens that a whole answer says it took (PROTOCOLS.md 16).  Pure.
 */
#ifndef PROXY_DIALECT_USAGE_H
#define PROXY_DIALECT_USAGE_H

#include "base/bytes.h"
#include "proxy/dialect/stream.h"

struct token_usage {
	uint64_t	input;	/* cached ones too */
	uint64_t	output;
};

/*
 * Read it out of BODY, a whole answer of FORM, or for STREAM_NONE of any API of OpenAI's
 * kind (embeddings, responses); false if it says neither.
 */
bool	answer_usage(enum stream_form form, struct bytes body, struct token_usage *ret_usage);

/* May the stream BODY say it, so that it is worth making a whole answer of it? */
bool	answer_may_tell(enum stream_form form, struct bytes body);

#endif
