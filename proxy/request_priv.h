/* SPDX-License-Identifier: MIT */
/*
 * request_priv.h - what the files of a request share: request.c (its life),
 * request_step.c (its steps), question.c (what it is to the cache), lookup.c (what
 * is there), form.c (in which form), forward.c (what goes upstream), answer.c (what
 * goes back), keep.c (what stays), share.c (what others get), access_log.c.  For them
 * alone.
 */
#ifndef PROXY_REQUEST_PRIV_H
#define PROXY_REQUEST_PRIV_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "cache/entry.h"
#include "cache/flight.h"
#include "cache/key.h"
#include "cache/policy.h"
#include "cache/print.h"
#include "proxy/dialect/dialect.h"
#include "proxy/net/fetch.h"
#include "proxy/net/loop.h"
#include "proxy/request.h"

enum step {
	STEP_RECEIVE,
	STEP_IDENTIFY,
	STEP_LOOKUP,
	STEP_DELIVER,
	STEP_FETCH,
	STEP_FOLLOW,
	STEP_TAIL,
	STEP_ANSWER,
	STEP_RELAY,
	STEP_ENDED,
};

/* Why a request goes forward (RFC 9211, 2.2). */
enum fwd {
	FWD_NONE,
	FWD_MISS,
	FWD_REQUEST,		/* there may be an answer, but the request would not have it */
	FWD_STALE,
	FWD_BYPASS,
};

/* The question, as the cache sees it. */
struct question {
	struct key	key;
	struct bytes	text;		/* none while it is recalled and not complete */
	struct bytes	scope;
	struct print	print;
	unsigned	variant;	/* which answer to it a new one would be */
	struct buf	converted;	/* what was found, in the form asked for */
	bool		is_apart;	/* from the answer of the other form */
	bool		is_storable;	/* a question, on a route with a cache */
	bool		has_print;
	bool		is_recalled;	/* known by its fingerprint; the body has not been read */
};

/* What goes back, and how far it got. */
struct reply {
	int		 status;	/* 0: nothing has been sent */
	uint64_t	 body_len;
	size_t		 at;		/* of what the fetch holds, sent so far */
	bool		 is_kept;	/* the fetch holds all of it, to be stored */
	bool		 is_chunked;
	bool		 must_close;	/* nothing may follow on this connection */
};

/* One call for several requests (cache/flight.h). */
struct sharing {
	struct flight		*led;		/* we make the call; or NULL */
	struct flight_seat	 seat;		/* someone else makes it */
	struct loop_mail	 mail;		/* news, from another thread */
	size_t			 published;	/* of what the fetch holds */
	uint64_t		 total;		/* ... and has ever held */
	bool			 has_head;	/* that has been published */
	bool			 is_alone;	/* we neither lead nor follow */
	struct request		*flying_next;	/* in the worker's list of those without a client */
};

struct request {
	struct worker		*worker;	/* borrowed: outlives us */
	struct client		*client;	/* borrowed: owns us; NULL: left, others wait */
	struct config		*config;	/* a reference of our own */
	const struct config_route *route;	/* in CONFIG */
	struct arena		*arena;
	struct reader		*reader;
	const struct request_head *head;	/* NULL until it is read */
	struct bytes		 body;		/* none until it is whole */
	struct call		 call;
	struct bytes		 model;		/* after the route's alias */
	struct question		 question;
	struct entry		 found;		/* on a hit: until the turn ends, or ... */
	void			*found_mem;	/* ... here, when it was not yet committed */
	struct lifetime		 lifetime;	/* of what was found */
	enum fwd		 fwd;
	struct fetch		*fetch;
	struct sharing		 sharing;
	struct reply		 reply;
	usec_t			 started;
	struct bytes		 id;		/* x-request-id */
	struct loop_task	 task;
	enum step		 step;
};

/* request.c */

/* Does a client wait for it, or is it finished for those who ask the same, now or later? */
bool	request_is_wanted(const struct request *req);

/* answer.c */

/*
 * End the request with an error of our own, in its dialect's shape.  CODE is
 * our short name for what happened, MESSAGE says what to do.  Always returns
 * STEP_ENDED.
 */
enum step	answer_error(struct request *req, int status, const char *code,
		    const char *message);

/* Like answer_error(), for an upstream that failed; OUTCOME tells how. */
enum step	answer_fetch_failed(struct request *req, enum fetch_failure failure);

/* An answer of our own that is no error; CONTENT_TYPE may be NULL with no BODY. */
enum step	answer_own(struct request *req, int status, const char *content_type,
		    struct bytes body);
enum step	answer_options(struct request *req);

/* The entry that was found; it is sent from where it lies. */
enum step	answer_from_cache(struct request *req);

/* The collected answer of the upstream, whole; IS_STORED says what became of it. */
enum step	answer_from_upstream(struct request *req, bool is_stored);

/* What another request's call brought. */
enum step	answer_from_flight(struct request *req);

/* The head of another request's stream; answer_relay_piece() and _end() follow. */
int		answer_tail_head(struct request *req) MUST_USE;

/* The head of an answer whose body follows piece by piece; a piece; the end. */
int	answer_relay_head(struct request *req) MUST_USE;
int	answer_relay_piece(struct request *req, struct bytes piece) MUST_USE;
int	answer_relay_end(struct request *req) MUST_USE;

/* x-compute-time of the upstream's answer: its own, else as measured. */
int		answer_compute_time(struct request *req, struct bytes *ret_text) MUST_USE;

/* Append the fields of an upstream's head that clients see, as text. */
int		answer_passed_fields(const struct fields *fields, struct buf *out) MUST_USE;

/* Does this field of an upstream's head pass to a client at all? */
bool	answer_passes_field(const struct fields *fields, struct bytes name);

/* x-compute-type of the upstream's answer: its own word, else the configured one. */
struct bytes	answer_compute_type(const struct request *req);

/* share.c */

/* Why a flight ended without an answer, beside the failures of a fetch. */
enum {
	FLIGHT_LOOK_AGAIN = 100,	/* it is in the cache, or its leader is gone */
	FLIGHT_NOT_SHARED,	/* too large: everybody for themselves */
};

/* Give those who wait for the same what has come, and end the flight. */
void		share_whole(struct request *req);

/* The same for a stream under way: what is new, head first; at its end IS_WHOLE or not. */
void		share_more(struct request *req);
void		share_end(struct request *req, bool is_whole);

/* question.c */

/* Known by its fingerprint?  Then route, model and key are there, and the text is not. */
bool	question_recall(struct request *req);

/* With the body read and the route found: may it be stored, and under which key? */
int	question_make(struct request *req) MUST_USE;

/* Remember its fingerprint, if what it stands for is the same for everybody. */
void	question_remember(struct request *req);

/* Read the body after all, where it was only recalled: for an answer to be stored. */
int	question_complete(struct request *req) MUST_USE;

/*
 * Is there an answer under KEY, in the store or on its way there?  It is then in
 * FOUND, fresh or not.
 */
bool	question_find(struct request *req, const struct key *key);

/* How many different answers are kept to it. */
unsigned	question_variants(const struct request *req);

/* Is WHAT ("always", "deterministic", "never") what the route stores? */
bool	route_stores(const struct config_route *route, const char *what);

/* lookup.c */

/*
 * Look for an answer that may be given now: FWD_NONE, and it is in FOUND, in the form
 * asked for.  Else why the request has to go forward.
 */
enum fwd	lookup_answer(struct request *req);

/* The same, for the one of several that a new answer would take the place of. */
enum fwd	lookup_again(struct request *req);

/* form.c */

/* How an answer to CALL looks: 0, or ENTRY_STREAM, perhaps with ENTRY_USAGE. */
unsigned	form_wanted(const struct call *call);

/* Is it known how the streams of CALL look, if it wants one? */
bool		form_is_known(const struct call *call);

/* Is an answer of this type the stream that CALL wants? */
bool		form_is_stream(const struct call *call, struct bytes content_type);

enum {
	FORM_E_CANNOT = 1,	/* not without a loss: the two are kept apart */
	FORM_E_NOT_NOW,		/* no memory, or no usage in it: a new answer takes its place */
};

/* Give what was found the form that is asked for.  0 or a FORM_E. */
int		form_give(struct request *req) MUST_USE;

/* keep.c */

/* Hand the collected answer to the store if it may be stored; was it? */
bool	keep_answer(struct request *req);

/* forward.c */

/* Send the request to its upstream: fields chosen, token put in. */
int	forward_start(struct request *req) MUST_USE;

const struct config_upstream	*forward_upstream(const struct request *req);

/* access_log.c */
void	access_log(const struct request *req, enum end_reason why);

#endif
