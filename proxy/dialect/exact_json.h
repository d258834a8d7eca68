/* SPDX-License-Identifier: MIT */
/*
 * exact_json.h - JSON through jansson that leaves every number as it was written:
 * jansson alone respells reals, and refuses integers past 64 bits (PROTOCOLS.md
 * 18.3).
 *
 * A number that jansson would change stands in the tree as a string with a mark.
 * So whoever walks such a tree asks the functions here what is a string and what
 * it says, never jansson; small integers, words, arrays and objects are as ever.
 */
#ifndef PROXY_DIALECT_EXACT_JSON_H
#define PROXY_DIALECT_EXACT_JSON_H

#include <jansson.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

enum {
	EXACT_JSON_E_BAD = 1,	/* not one JSON text that jansson takes, or names twice */
};

/* Read TEXT; the caller gives *RET_VALUE back with json_decref(). */
int	exact_json_load(struct bytes text, json_t **ret_value) MUST_USE;

/*
 * Append VALUE: on one line, members in the order they were put in, and nothing in
 * it that some client's reader takes for the end of a line (PROTOCOLS.md 12.2).
 */
int	exact_json_dump(json_t *value, struct buf *out) MUST_USE;

/* Is VALUE, which may be NULL, a string, and no number in disguise? */
bool	exact_json_is_string(const json_t *value);

/* What a string says, borrowed from it; none if VALUE is no string. */
struct bytes	exact_json_text(const json_t *value);

/* A new string that says TEXT, which is UTF-8; NULL without memory. */
json_t	*exact_json_string(struct bytes text);

#endif
