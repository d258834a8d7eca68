/* SPDX-License-Identifier: MIT */
/*
 * loading.c - two ways of saying so, each in a small JSON object.
 */
#include "proxy/dialect/loading.h"

#include <jansson.h>

#define BODY_MAX	((size_t)64 << 10)
#define LLAMA_PREFIX	"Loading model"

static bool
says_loading(const json_t *root)
{
	const json_t *message = json_object_get(json_object_get(root, "error"), "message");
	struct bytes text = { json_string_value(message), json_string_length(message) };

	return json_is_number(json_object_get(root, "estimated_time")) ||
	    bytes_has_prefix(text, LLAMA_PREFIX);
}

bool
answer_is_loading(int status, struct bytes body)
{
	json_t *root;
	bool is_loading;

	if (status != 503 || body.len > BODY_MAX)
		return false;
	root = json_loadb(body.ptr, body.len, 0, NULL);
	is_loading = says_loading(root);
	json_decref(root);
	return is_loading;
}
