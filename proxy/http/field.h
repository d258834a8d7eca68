/* SPDX-License-Identifier: MIT */
/*
 * field.h - the header fields of one message, in the order they came.  The
 * list and its bytes live in the arena of the message; nothing is freed
 * singly.
 */
#ifndef PROXY_HTTP_FIELD_H
#define PROXY_HTTP_FIELD_H

#include "base/arena.h"
#include "base/bytes.h"

#define FIELDS_MAX	200	/* more than any limit of ours: an array, not a list */

struct field {
	struct bytes	 name;	/* as received */
	struct bytes	 value;	/* without the white space around it */
};

struct fields {
	struct field	*list;
	size_t		 n;
	size_t		 size;
};

/* Append a field; NAME and VALUE are borrowed.  -E2BIG past FIELDS_MAX. */
int	fields_add(struct fields *fields, struct arena *arena, struct bytes name,
	    struct bytes value) MUST_USE;

/* The first value of NAME (any case), or none with a NULL ptr; how many there are. */
struct bytes	fields_get(const struct fields *fields, const char *name);
size_t		fields_count(const struct fields *fields, const char *name);

/*
 * Is TOKEN (any case) an element of any of NAME's comma-separated values?
 * Parameters behind ';' are not part of an element (RFC 9110, 5.6).
 */
bool	fields_has_token(const struct fields *fields, const char *name, const char *token);

/* RFC 9110, 5.6.2 and 5.5: token; TAB, SP, visible ASCII and obs-text. */
bool	field_name_is_valid(struct bytes name);
bool	field_value_is_valid(struct bytes value);

/*
 * Is NAME hop by hop: in RFC 9110, 7.6.1's list, or named by a Connection
 * field of FIELDS?
 */
bool	field_is_hop_by_hop(const struct fields *fields, struct bytes name);

#endif
