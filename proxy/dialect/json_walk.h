/* SPDX-License-Identifier: MIT */
/*
 * json_walk.h - a JSON text item by item, each with the bytes it stands in: for those
 * who change a few of them and leave the rest as it is.  No tree, no recursion, no
 * memory of its own; owned by whoever walks.
 *
 * The grammar of RFC 8259 is checked, and nothing beyond it: names may come twice,
 * and what is in a string is neither unescaped nor looked at as UTF-8.
 */
#ifndef PROXY_DIALECT_JSON_WALK_H
#define PROXY_DIALECT_JSON_WALK_H

#include "base/bytes.h"
#include "base/err.h"

/* As deep as jansson goes. */
#define JSON_WALK_DEPTH_MAX	2048

enum {
	JSON_WALK_E_END = 1,	/* the text was walked to its end */
	JSON_WALK_E_BAD,	/* it is no JSON, or too deep; the walk is over */
};

enum json_walk_type {
	JSON_WALK_NONE,
	JSON_WALK_NULL,
	JSON_WALK_FALSE,
	JSON_WALK_TRUE,
	JSON_WALK_NUMBER,
	JSON_WALK_STRING,
	JSON_WALK_ARRAY,	/* its opening */
	JSON_WALK_OBJECT,	/* its opening */
	JSON_WALK_CLOSE,	/* of the innermost of these */
};

struct json_item {
	enum json_walk_type	 type;
	size_t			 depth;	/* arrays and objects around it; at both its ends */
	struct bytes		 comma;	/* and the space before it; none for a first item */
	struct bytes		 name;	/* of a member: as written, between its quotes */
	const char		*start;	/* of the name, or of what has none */
	struct bytes		 raw;	/* the value, with quotes; a bracket alone */
};

/* The walker alone reads and writes these. */
struct json_walk {
	const char	*at, *end;
	size_t		 depth;
	bool		 has_item;	/* one stands before, in the innermost array or object */
	uint64_t	 objects[JSON_WALK_DEPTH_MAX / 64];	/* set where it is one */
};

/* Walk TEXT, which is borrowed for as long. */
void	json_walk_init(struct json_walk *walk, struct bytes text);

/* The next item.  0, JSON_WALK_E_END or JSON_WALK_E_BAD. */
int	json_walk_next(struct json_walk *walk, struct json_item *ret_item) MUST_USE;

#endif
