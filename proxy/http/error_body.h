/* SPDX-License-Identifier: MIT */
/*
 * error_body.h - our own errors in the shapes that the APIs' clients read
 * (PROTOCOLS.md section 15).
 */
#ifndef PROXY_HTTP_ERROR_BODY_H
#define PROXY_HTTP_ERROR_BODY_H

#include "base/buf.h"

enum error_shape {
	ERROR_SHAPE_HF,		/* {"error":"text","error_type":"..."} : HF, TEI, TGI, raw */
	ERROR_SHAPE_OPENAI,	/* {"error":{"message","type","param":null,"code"}} */
	ERROR_SHAPE_ANTHROPIC,	/* {"type":"error","error":{"type","message"}} */
	ERROR_SHAPE_OLLAMA,	/* {"error":"text"} */
};

/*
 * Append the JSON body of an error.  CODE is our own short name of what
 * happened ("upstream_timeout", "model_not_found", "bad_request", ...); the
 * type names an API has of its own are chosen by STATUS.
 */
int	error_body(struct buf *out, enum error_shape shape, int status, const char *code,
	    struct bytes message) MUST_USE;

/* Append TEXT as a JSON string with its quotes (base/json_text.h). */
int	json_add_string(struct buf *out, struct bytes text) MUST_USE;

#endif
