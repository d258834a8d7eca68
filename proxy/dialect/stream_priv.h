/* SPDX-License-Identifier: MIT */
/*
 * stream_priv.h - what the files of streams share.  For them alone.
 *
 * Folding is done by tables: a row says what becomes of a member of an event in
 * the answer under construction.  Texts are gathered there as arrays of their
 * pieces and joined when all is seen, so that time is linear in the stream.
 */
#ifndef PROXY_DIALECT_STREAM_PRIV_H
#define PROXY_DIALECT_STREAM_PRIV_H

#include <jansson.h>

#include "proxy/dialect/exact_json.h"
#include "proxy/dialect/json_value.h"
#include "proxy/dialect/stream.h"

/* More choices, or blocks, or calls of tools than any API has in one answer. */
#define STREAM_ITEMS_MAX	1024

/* What was seen of a stream, as far as it decides whether it may be stored. */
struct stream_facts {
	bool		 has_error;
	bool		 is_broken;	/* what no server of this API would send */
	bool		 has_begun;	/* Anthropic: message_start */
	bool		 has_reason;	/* Anthropic: a stop reason */
	bool		 has_ended;	/* its last event */
	bool		 has_done_mark;	/* [DONE] */
	bool		 is_passing;
	bool		 says_something;
	size_t		 n_open;	/* choices without a reason, blocks not stopped */
	uint64_t	 seen[STREAM_ITEMS_MAX / 64];
	uint64_t	 finished[STREAM_ITEMS_MAX / 64];
};

struct fold {
	struct stream_facts	 facts;
	enum stream_form	 form;
	json_t			*root;	/* the answer */
	json_t			*items;	/* of the form's own */
};

struct unfold {
	enum stream_form	 form;
	bool			 include_usage;
	struct buf		*out;
	json_t			*answer;	/* borrowed */
	json_t			*base;		/* the members that all events have */
};

/* How the streams of one form are read and written. */
struct stream_api {
	const char	*content_type;
	bool		 is_lines;	/* NDJSON, else events */
	bool		 has_last;	/* is not whole before has_ended */

	/* What does EVENT, an object without a truthy "error", show? */
	void	(*note)(struct stream_facts *facts, const json_t *event);

	/* Put into FOLD what EVENT says, and at last what all have said together. */
	int	(*fold)(struct fold *fold, json_t *event);
	int	(*finish)(struct fold *fold);

	int	(*unfold)(struct unfold *unfold);
};

extern const struct stream_api stream_api_chat, stream_api_completions, stream_api_messages,
    stream_api_generate, stream_api_ollama_chat, stream_api_tgi;

/* stream_member.c: how members come together; 0, STREAM_E_CANNOT or -ENOMEM */

/* Put VALUE into the member NAME of TO. */
typedef int member_fn(json_t *to, const char *name, json_t *value);

struct member_row {
	const char	*name;
	member_fn	*put;
};

/* Each member of FROM by its row of ROWS, which end with a NULL name and what else is. */
int	member_put_all(json_t *to, json_t *from, const struct member_row *rows) MUST_USE;

member_fn	member_drop;
member_fn	member_refuse;		/* unless it says nothing */
member_fn	member_keep_first;	/* that says something */
member_fn	member_keep_last;	/* that is not null */
member_fn	member_keep_same;	/* once it says something, nothing else is right */
member_fn	member_keep_object;	/* the members of an object, each the last */
member_fn	member_add_text;	/* a piece of a text */
member_fn	member_add_items;	/* the items of an array */

/* The array NAME of TO, put there if nothing is; NULL if something else is. */
json_t	*member_array(json_t *to, const char *name);

/* The object at place INDEX of ARRAY, put there if nothing is; NULL past the ceiling. */
json_t	*member_slot(json_t *array, const json_t *index);

/* Join the pieces of the text NAME of OBJECT, if they are pieces. */
int	member_join(json_t *object, const char *name) MUST_USE;

/* Put VALUE, which may be NULL and is taken, into OBJECT. */
int	member_set(json_t *object, const char *name, json_t *value) MUST_USE;

/* The pieces of ARRAY in one string. */
int	text_join(const json_t *array, struct buf *out) MUST_USE;

/* What VALUE says of its "type". */
struct bytes	type_text(const json_t *value);
bool	type_is(const json_t *value, const char *type);

/*
 * The choice or block of that INDEX begins, and ends; each false if that is no index
 * or had happened, or had to happen, before.
 */
bool	facts_open(struct stream_facts *facts, const json_t *index);
bool	facts_has_seen(const struct stream_facts *facts, const json_t *index);
bool	facts_is_open(const struct stream_facts *facts, const json_t *index);
bool	facts_close(struct stream_facts *facts, const json_t *index);

/* stream_X_unfold.c */

int	stream_unfold_openai(struct unfold *unfold) MUST_USE;
int	stream_unfold_message(struct unfold *unfold) MUST_USE;

/* stream.c */

/*
 * Append an event with EVENT, which may be NULL and is taken, as its data, and NAME,
 * which may be NULL, as its name.
 */
int	unfold_event(const struct unfold *unfold, const char *name, json_t *event) MUST_USE;

#endif
