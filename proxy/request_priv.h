/* SPDX-License-Identifier: MIT */
/*
 * request_priv.h - what the files of a request share: request.c (its life),
 * request_step.c (its steps), and those that a step is made of: receive, admit, models, question,
 * revision, lookup, form, forward, attempt, limit, hold, answer, relay, keep, share,
 * access_log, timing, tracing, span.
 * For them alone.
 */
#ifndef PROXY_REQUEST_PRIV_H
#define PROXY_REQUEST_PRIV_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "cache/entry.h"
#include "cache/flight.h"
#include "cache/gate.h"
#include "cache/key.h"
#include "cache/policy.h"
#include "cache/print.h"
#include "proxy/board.h"
#include "proxy/dialect/dialect.h"
#include "proxy/dialect/stream.h"
#include "proxy/dialect/usage.h"
#include "proxy/http/traceparent.h"
#include "proxy/net/fetch.h"
#include "proxy/net/loop.h"
#include "proxy/request.h"

enum step {
	STEP_RECEIVE,
	STEP_IDENTIFY,
	STEP_LIST,
	STEP_LEARN,
	STEP_LOOKUP,
	STEP_DELIVER,
	STEP_PACE,
	STEP_LIMIT,
	STEP_FETCH,
	STEP_HOLD,
	STEP_BACKOFF,
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

enum revision_state {
	REVISION_UNASKED,
	REVISION_KNOWN,		/* or there is none */
	REVISION_LAST,		/* there is nobody to say so, but it was this */
	REVISION_UNKNOWN,
};

/* Waiting for what upstreams say about themselves (board.h). */
struct inquiry {
	struct board_seat	seat;
	uint64_t		n_ended;	/* how often it had been asked before */
	usec_t			until;		/* 0: does not wait */
};

/* The question, as the cache sees it. */
struct question {
	struct key	key;
	struct bytes	text;		/* none while it is recalled and not complete */
	struct bytes	scope;
	struct bytes	edited;		/* the body as its route wants it; none: as it came */
	struct bytes	model_raw;	/* then: where the model stands in what came */
	uint32_t	edits_made;	/* which of the route's, bit by bit */
	struct print	print;
	struct bytes	revision;	/* of its model */
	enum revision_state revision_state;
	struct inquiry	inquiry;
	unsigned	variant;	/* which answer to it a new one would be */
	void		*found_mem;	/* ... here is what was found, not yet committed */
	struct buf	converted;	/* what was found, in the form asked for */
	struct lifetime	lifetime;	/* of what was found, */
	usec_t		overdue;	/* ... and since when it expired; 0: it has not */
	bool		is_apart;	/* from the answer of the other form */
	bool		is_storable;	/* a question, on a route with a cache */
	bool		has_print;
	bool		is_recalled;	/* known by its fingerprint; the body has not been read */
};

/* Does a whole answer say what it used? */
enum told {
	TOLD_UNREAD,
	TOLD_NOTHING,
	TOLD_USAGE,
};

/* What goes back, and how far it got. */
struct reply {
	int		 status;	/* 0: nothing has been sent */
	uint64_t	 body_len;
	struct buf	 copy;		/* of the body, where its route logs it (body_log.h) */
	size_t		 at;		/* of what the fetch holds, or SHOWN, sent so far */
	bool		 is_kept;	/* the fetch holds all of it, to be stored */
	bool		 is_stream;	/* of a form we know */
	size_t		 ripe;		/* of what the fetch holds, in events that are whole */
	struct stream_mark mark;
	char		 tail[STREAM_TAIL_LEN];	/* the last that was sent of it */
	size_t		 tail_len;
	struct bytes	 whole;		/* of a stream, folded; none until it is asked for */
	enum told	 told;		/* by it, of what it used: */
	struct token_usage usage;
	bool		 is_partial;	/* of a stream not all is for the client, but SHOWN */
	struct buf	 shown;
	size_t		 seen;		/* of what the fetch holds, looked at for that */
	bool		 is_chunked;
	bool		 has_length;	/* said in its head */
	bool		 is_by_close;	/* the end of the connection is that of its body */
	bool		 must_close;	/* nothing may follow on this connection */
	bool		 is_ended;	/* to be read to its end, though it is not whole */
	struct bytes	 rest;		/* of what is given event by event, */
	usec_t		 due;		/* when the next one is, */
	enum end_reason	 why;		/* and how it ends */
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
	bool			 is_refresh;	/* the client has the old answer already */
	struct request		*flying_next;	/* in the worker's list of those without a client */
};

/* Which upstream of its route is tried (attempt.h). */
struct attempt {
	const size_t		*order;		/* of the route's list; NULL: as it stands */
	bool			 is_chosen;	/* that is */
	size_t			 at;		/* in that order */
	struct upstream		*upstream;	/* whose call is under way; NULL: none, or told */
	bool			 is_probe;	/* of its breaker */
	size_t			 token;		/* that is used, of those of its upstream */
	unsigned		 n_swaps;	/* of it, for another */
	unsigned		 n_retries;
	bool			 is_spent;	/* the one for what is worth one alone */
	usec_t			 due;		/* of the next; 0: at once */
};

/* Waiting for a model that is not loaded yet (hold.h). */
struct hold {
	struct flight		*led;		/* we are the one who asks; or NULL */
	struct flight_seat	 seat;		/* someone else is */
	usec_t			 until;		/* 0: was never held */
	usec_t			 due;		/* when to ask again; 0: not decided */
	unsigned		 n_tries;
};

/* What it may do, and what it has taken of that (limit.h). */
struct admission {
	const struct config_team *team;	/* in CONFIG; NULL: there are none, or it has no key */
	struct account		*account;	/* the ledger's; NULL: nothing is written down */
	struct gate_pass	 team_pass;
	struct gate_pass	 route_pass;
	usec_t			 until;		/* when the line is left; 0: stood in none */
	bool			 is_counted;
	bool			 is_passed;	/* may go upstream */
	bool			 is_settled;	/* what it used is charged */
};

/* What its time went to (clock_mono()). */
struct timing {
	usec_t			 started;	/* of the loop: its first byte was there */
	usec_t			 whole;		/* all of it is there; 0: not yet */
	usec_t			 waited;	/* for others, since then, */
	usec_t			 steps[STEP_ENDED];	/* ... in each step */
	usec_t			 since;		/* it waits; 0: it runs */
	usec_t			 calls;		/* to upstreams that are over */
	unsigned		 n_calls;	/* that were begun */
};

/* Where it stands in a trace (tracing.h). */
struct tracing {
	struct traceparent	 of;		/* the span is its client's */
	char			 span[SPAN_ID_LEN];	/* ours, where it is recorded, */
	char			 call[SPAN_ID_LEN];	/* and that of the last call */
	bool			 is_known;	/* it was looked for, */
	bool			 is_there;	/* ... and there is one, */
	bool			 is_ours;	/* ... which we began: it has no client */
};

struct request {
	struct worker		*worker;	/* borrowed: outlives us */
	struct client		*client;	/* borrowed: owns us; NULL: left, others wait */
	struct config		*config;	/* a reference of our own */
	const struct config_route *route;	/* in CONFIG */
	struct admission	 admission;
	struct arena		*arena;
	struct reader		*reader;
	const struct request_head *head;	/* NULL until it is read */
	struct bytes		 body;		/* none until it is whole */
	struct call		 call;
	struct bytes		 model;		/* after the route's alias */
	struct question		 question;
	struct entry		 found;		/* on a hit: until the turn ends, or ... */
	enum fwd		 fwd;
	struct attempt		 attempt;
	struct fetch		*fetch;
	struct sharing		 sharing;
	struct hold		 hold;
	struct reply		 reply;
	struct timing		 timing;
	struct tracing		 tracing;
	struct bytes		 id;		/* x-request-id */
	struct loop_task	 task;
	struct loop_timer	*timer;		/* NULL: never needed one */
	enum step		 step;
};

/* request_step.c */

const char	*request_step_name(enum step step);

/* request.c */

/* Does a client wait for it, or is it finished for those who ask the same, now or later? */
bool	request_is_wanted(const struct request *req);

/* Does it only look (GET, HEAD)? */
bool	request_is_get(const struct request *req);

/* Run it again at WHEN, of the loop's time, if nothing wakes it before. */
void	request_wake_at(struct request *req, usec_t when);

#endif
