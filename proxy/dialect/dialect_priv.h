/* SPDX-License-Identifier: MIT */
/*
 * dialect_priv.h - what the files of the dialects share.  For them alone.
 */
#ifndef PROXY_DIALECT_PRIV_H
#define PROXY_DIALECT_PRIV_H

#include <jansson.h>

#include "proxy/dialect/dialect.h"
#include "proxy/dialect/json_value.h"

extern const struct dialect dialect_hf, dialect_openai, dialect_anthropic, dialect_ollama,
    dialect_tei, dialect_tgi, dialect_llama, dialect_raw;

/* The members that dialects want to know of a body; in this order in struct canon. */
enum watched {
	WATCHED_MODEL,
	WATCHED_STREAM,
	WATCHED_USE_CACHE,
	WATCHED_WAIT,		/* for a model that is not loaded yet */
	WATCHED_STORE,
	WATCHED_STREAM_OPTIONS,
	WATCHED_USAGE,		/* OpenAI's: the last event of a stream tells it */
	WATCHED_CACHE,		/* LiteLLM's object, where a dialect leaves it out */
	WATCHED_TEMPERATURE,	/* where a dialect has it, as those that follow */
	WATCHED_SEED,
	WATCHED_N,
	WATCHED_SAMPLES,	/* do_sample */
	WATCHED_BEAMS,
	WATCHED_LIVE,		/* with it the body alone is not the question, as with ... */
	WATCHED_LIVE_END = WATCHED_LIVE + 8,
	WATCHED_PARAMETERS = WATCHED_LIVE_END,	/* TGI: whether there are any, and which */
	WATCHED_TOP_K,
	WATCHED_TOP_P,
	WATCHED_TYPICAL_P,
};

/* A place that no body has. */
#define WATCHED_NOWHERE	"-"

/*
 * The list of a dialect: where it has what is named, NOWHERE else; behind the
 * common places (state of a server, the web, the clock, or sound that is billed
 * by the second) its own.
 */
#define WATCHED_LIST(cache, temperature, seed, n, samples, beams, ...) { \
	"/model", "/stream", "/options/use_cache", "/options/wait_for_model", "/store", \
	"/stream_options", "/stream_options/include_usage", \
	cache, temperature, seed, n, samples, beams, \
	"/previous_response_id", "/conversation", "/background", "/web_search_options", \
	"/kv_transfer_params", "/t_max_predict_ms", "/audio", "/_debug_render_only", \
	##__VA_ARGS__, NULL }

extern const char *const watched_places[];

/* One path of an API; a list of them ends with a row without a path. */
struct path_row {
	const char	*path;			/* exact */
	const char	*path_class;
	const struct canon_rules *rules;
	unsigned	 flags;
};

enum {
	ROW_JSON	= 1 << 0,	/* answers with JSON */
	ROW_MODEL	= 1 << 1,	/* the body names the model */
	ROW_STREAMS	= 1 << 2,	/* streams unless told otherwise */
	ROW_ALWAYS_STREAMS = 1 << 3,
	ROW_STATEFUL	= 1 << 4,	/* a question only with "store": false */
	ROW_PLAIN	= 1 << 5,	/* no question: never stored */
	ROW_SAMPLED	= 1 << 6,	/* drawn by chance unless the body says otherwise */
	ROW_WARM	= 1 << 7,	/* drawn by chance only where the body has a temperature */
};

/*
 * Fill CALL from the row of PATH among DIALECT's; false if none is.  Only POST
 * asks questions; GET and HEAD of such a path are this API's as well.
 */
bool	recognise_path(const struct dialect *dialect, const struct request_head *head,
	    struct bytes path, struct call *call);

/* PATH without a leading "/v1". */
struct bytes	without_v1(struct bytes path);

/* sampling.c */

/* May the answer to CALL, whose body CANON tells of, be drawn by chance? */
bool	is_sampled(const struct call *call, const struct canon *canon);

/* Is this text a number that is not zero? */
bool	is_warm(struct bytes number);

/* verdict.c */

bool	type_is_json(struct bytes content_type);
bool	type_has_prefix(struct bytes content_type, const char *prefix);

/*
 * Read a JSON answer: ANSWER_STORABLE and the tree in *RET_ROOT, which the caller
 * gives back with json_decref(), or why it is not to be stored.
 */
enum answer_verdict	judge_json(struct bytes content_type, struct bytes body, json_t **ret_root);

/*
 * An answer that need not be JSON: anything but a page of HTML, which is some
 * gateway's, and a stream, whose end and errors nobody has looked for.
 */
enum answer_verdict	judge_any(const struct call *call, struct bytes content_type,
			    struct bytes body);

/* A JSON answer that only has to be whole, no error and not empty. */
enum answer_verdict	judge_plain_json(const struct call *call, struct bytes content_type,
			    struct bytes body);

/* The member NAME of a JSON answer has to say something. */
enum answer_verdict	judge_member(struct bytes content_type, struct bytes body,
			    const char *name);

#endif
