/* SPDX-License-Identifier: MIT */
/*
 * json_value.h - what a value in an answer says, whatever API it is of.
 */
#ifndef PROXY_DIALECT_JSON_VALUE_H
#define PROXY_DIALECT_JSON_VALUE_H

#include <jansson.h>
#include <stdbool.h>

/* Is VALUE there, and neither null nor an empty string, array or object? */
bool	json_says_something(const json_t *value);

/* Has OBJECT an "error"?  One that is null, false, 0 or "" says that there is none. */
bool	json_holds_error(const json_t *object);

#endif
