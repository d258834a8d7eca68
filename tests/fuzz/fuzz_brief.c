/* SPDX-License-Identifier: MIT */
/*
 * fuzz_brief.c - any bytes and their brief: jansson takes both for JSON, or neither.
 */
#include "proxy/dialect/brief.h"

#include <jansson.h>
#include <stdint.h>

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_json(struct bytes text)
{
	json_t *root = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL |
	    JSON_DECODE_INT_AS_REAL, NULL);

	json_decref(root);
	return root != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	struct buf out;

	buf_init(&out, size);
	assert(brief_make(text, &out) == 0 && buf_len(&out) <= size);
	assert(is_json(buf_bytes(&out)) == is_json(text));
	buf_done(&out);
	return 0;
}
