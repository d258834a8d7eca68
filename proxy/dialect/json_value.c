/* SPDX-License-Identifier: MIT */
/*
 * json_value.c - by type.
 */
#include "proxy/dialect/json_value.h"

bool
json_says_something(const json_t *value)
{
	switch (value != NULL ? json_typeof(value) : JSON_NULL) {
	case JSON_OBJECT:
		return json_object_size(value) > 0;
	case JSON_ARRAY:
		return json_array_size(value) > 0;
	case JSON_STRING:
		return json_string_length(value) > 0;
	case JSON_NULL:
		return false;
	default:
		return true;
	}
}

bool
json_holds_error(const json_t *object)
{
	const json_t *error = json_object_get(object, "error");

	if (error == NULL || json_is_null(error) || json_is_false(error))
		return false;
	if (json_is_string(error))
		return json_string_length(error) > 0;
	return !json_is_number(error) || json_number_value(error) != 0;
}
