/* SPDX-License-Identifier: MIT */
/*
 * model_list.c - {"data":[{"id":...}]}.
 */
#include "proxy/dialect/model_list.h"

#include <jansson.h>

#define ID_MAX	256

/* Not one that a client could not name, or that would be taken for two. */
static bool
is_id(struct bytes id)
{
	for (size_t i = 0; i < id.len; i++)
		if ((unsigned char)id.ptr[i] < ' ' || id.ptr[i] == 0x7f)
			return false;
	return id.len > 0 && id.len <= ID_MAX;
}

int
model_list_read(struct bytes body, struct buf *out)
{
	json_t *root = json_loadb(body.ptr, body.len, 0, NULL);
	const json_t *data = json_object_get(root, "data");
	int r = json_is_array(data) ? 0 : MODEL_LIST_E_NONE;

	for (size_t i = 0; r == 0 && i < json_array_size(data) && i < MODEL_LIST_MAX; i++) {
		const json_t *value = json_object_get(json_array_get(data, i), "id");
		struct bytes id = { json_string_value(value), json_string_length(value) };

		if (is_id(id))
			r = buf_addf(out, "%.*s\n", BYTES_ARG(id));
	}
	json_decref(root);
	return r;
}
