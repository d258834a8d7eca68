/* SPDX-License-Identifier: MIT */
/*
 * dialect.h - what an inference API means by its bytes: one const table of
 * functions per API (PROTOCOLS.md section 1), so that a new API is one new
 * file and one row.  Pure: no sockets, no configuration.
 *
 * A request becomes a call in two steps: dialect_recognise() from method and
 * path, then call_read_body() once the body is whole.
 */
#ifndef PROXY_DIALECT_DIALECT_H
#define PROXY_DIALECT_DIALECT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "cache/canon.h"
#include "cache/key.h"
#include "proxy/dialect/control.h"
#include "proxy/http/error_body.h"
#include "proxy/http/reader.h"

struct dialect;
struct path_row;

/* How this API's servers take their token (PROTOCOLS.md section 2). */
enum token_form {
	TOKEN_BEARER,		/* Authorization: Bearer TOKEN */
	TOKEN_X_API_KEY,	/* x-api-key: TOKEN */
};

/* One request, understood. */
struct call {
	const struct dialect	*dialect;
	const struct canon_rules *rules; /* of this path; NULL: key the raw body */
	const char	*path_class;	/* shared by paths that differ in form; NULL: the path */
	struct bytes	 path_detail;	/* where it changes the answer: task, provider */
	bool		 is_inference;	/* a question whose answer may be stored */
	bool		 is_json_answer; /* a good answer is one JSON text */
	unsigned	 row_flags;	/* of its dialect; nobody else's */

	bool		 is_object;	/* the body is one strict JSON object, and sent as JSON */
	struct bytes	 model;		/* as the client wrote it, no alias; may be empty */
	bool		 model_in_path;	/* then MODEL lies within the path, else ... */
	struct bytes	 model_raw;	/* ... here it stands in the body, JSON's quotes included */

	bool		 wants_stream;
	bool		 wants_usage;	/* in the stream */
	struct bytes	 stream_options; /* where it says so: its raw JSON in the body, or none */
	struct bytes	 include_usage;	/* and of the member there */
	bool		 is_sampled;	/* its answer may be drawn by chance (PROTOCOLS.md 14) */
	enum key_form	 form;		/* of CANONICAL */
	struct bytes	 canonical;	/* the body as far as it counts, or the raw body */
	struct bytes	 own_member;	/* the value of a body's "cache", which is for us alone */
	struct controls	 controls;	/* what fields and body ask of the cache */
};

enum answer_verdict {
	ANSWER_STORABLE = 0,
	ANSWER_NOT_OF_TYPE,	/* content type is not what this API answers with */
	ANSWER_NOT_WHOLE,	/* no whole JSON text */
	ANSWER_HOLDS_ERROR,	/* a truthy "error" inside a 200 */
	ANSWER_EMPTY,		/* no choices, no content, no vectors, no bytes */
	ANSWER_PASSING,		/* true only now: pause_turn, done_reason load */
};

struct dialect {
	const char	*name;		/* as in a route's "dialect" */
	enum error_shape error_shape;
	enum token_form	 token_form;

	/* Do its servers say x-compute-time in milliseconds (PROTOCOLS.md 4)? */
	bool		 compute_time_in_msec;

	const struct path_row *rows;	/* its exact paths; NULL: it has none */

	/*
	 * Is METHOD PATH of this API?  Fills dialect, rules, path_class and
	 * path_detail, is_inference, is_json_answer and, if the path holds it,
	 * the model.
	 */
	bool	(*recognise)(const struct request_head *head, struct call *call);

	/* May a 200 answer with this type and body be stored? */
	enum answer_verdict (*judge)(const struct call *call, struct bytes content_type,
	    struct bytes body);
};

/* All of them, the more particular before the more general; ends with raw. */
extern const struct dialect *const dialects[];

/* The dialect of that name, or NULL. */
const struct dialect	*dialect_find(const char *name);

/* Whose request is it?  Never fails: what no other knows is raw. */
void	dialect_recognise(const struct request_head *head, struct call *ret_call);

/*
 * Read the body (canonical form, model, stream, options.use_cache and its like)
 * into CALL.  IGNORE, which may be NULL, are places that do not count, beside
 * those of the dialect.  0, or -E2BIG when ARENA is full.
 */
int	call_read_body(struct call *call, const struct request_head *head, struct bytes body,
	    const char *const *ignore, struct arena *arena) MUST_USE;

/*
 * Could a server take BODY for a JSON object, by what FIELDS say of it or by how it
 * begins?  Some look at the one, some at the other, and some guess.
 */
bool	body_may_be_object(const struct fields *fields, struct bytes body);

/* The model that an answer names, unescaped in ARENA; none if it names none. */
struct bytes	answer_model(struct bytes body, struct arena *arena);

/*
 * What an answer says, as a number: two that say the same but for their ids and
 * times have one.  Never for identity.
 */
uint64_t	answer_gist(struct bytes body);

/* H-29: [A-Za-z0-9._-]+(/...)* with an optional :tag, no segment "." or "..", <= 200 bytes. */
bool	model_id_is_valid(struct bytes id);

/* H-29: no empty-dot segments, no encoded slash, backslash, dot or NUL, no control bytes. */
bool	path_is_valid(struct bytes path);

enum field_use {
	FIELD_DROPPED,		/* stays with us: not known to any API */
	FIELD_NEUTRAL,		/* goes upstream, cannot change the answer */
	FIELD_KEYED,		/* goes upstream, may change the answer */
	FIELD_TRACE,		/* goes upstream as tracing.h says */
	FIELD_CREDENTIAL,	/* goes upstream only with token: {client: true} */
};

/* What becomes of a request's header field (H-26): one table, field_tbl.h. */
enum field_use	field_use(struct bytes name);

/*
 * All keyed fields of a request as they came: what, beside target and body, makes
 * two requests one before anything of them is understood.
 */
int	field_raw_key(const struct request_head *head, struct arena *arena,
	    struct bytes *ret_text) MUST_USE;

/*
 * The keyed fields of a request in a canonical spelling, one "name: value\n"
 * each, in the order of the table; Accept counts only where it names an image
 * or audio type, Content-Type only for bodies that are not JSON (a multipart
 * boundary left out).
 */
int	field_key(const struct request_head *head, const struct call *call,
	    struct arena *arena, struct bytes *ret_text) MUST_USE;

/* Does a stored answer replay this field of an upstream's head? (PROTOCOLS.md 17.1, 6.6) */
bool	field_is_replayed(const struct fields *answer, struct bytes name);

#endif
