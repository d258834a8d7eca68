/* SPDX-License-Identifier: MIT */
/*
 * policy.h - what Cache-Control says, on a request and on an upstream's
 * answer, and what follows from it.  Pure functions over bytes and times.
 */
#ifndef CACHE_POLICY_H
#define CACHE_POLICY_H

#include "base/bytes.h"
#include "base/clock.h"

/* What a request asks of the cache (RFC 9111, 5.2.1; PROTOCOLS.md 17.2). */
struct directives {
	bool	no_cache;		/* do not answer from the store; store the new answer */
	bool	no_store;		/* may be answered from the store; store nothing */
	bool	only_if_cached;		/* never go upstream: 504 instead */
	bool	has_max_age;
	usec_t	max_age;		/* an answer older than this is a miss */
	bool	has_min_fresh;
	usec_t	min_fresh;		/* one that expires sooner than this is a miss */
};

/*
 * Add to *DIRECTIVES what one Cache-Control value of a request says; unknown
 * directives are ignored, and of two values of one the more restrictive holds.
 */
void	policy_read_request(struct directives *directives, struct bytes cache_control);

/* What an upstream says of its answer. */
struct answer_policy {
	bool	forbids;		/* no-store, private */
	bool	has_max_age;
	usec_t	max_age;		/* s-maxage where there is one */
	bool	is_shared;		/* it was s-maxage */
};

/* Add to *POLICY what one Cache-Control value of an answer says (RFC 9111, 4.2.1). */
void	policy_read_answer(struct answer_policy *policy, struct bytes cache_control);

enum freshness {
	FRESH,
	STALE_EXPIRED,		/* past its time to live */
	STALE_TOO_OLD,		/* fresh, but not for this request's max-age or min-fresh */
	STALE_FUTURE,		/* made over 60 s in the future: the clock jumped (H-41) */
};

/* Where an answer stands in its life; neither is ever negative. */
struct lifetime {
	usec_t	age;
	usec_t	left;
};

/*
 * May an answer made at MADE (wall clock) with TTL be given at NOW?
 * *RET_LIFETIME is written on FRESH alone.
 */
enum freshness	policy_freshness(const struct directives *directives, usec_t made, usec_t ttl,
		    usec_t now, struct lifetime *ret_lifetime);

/*
 * Should an answer that took TOOK to make and has LEFT to live be made anew already?
 * The XFetch rule (Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache
 * Stampede Prevention, VLDB 2015): the nearer its end, the more likely; asked at
 * each hit, so that what is asked for often is new before it is over.  DRAW is a
 * number drawn at random.
 */
bool	policy_is_due_early(usec_t took, usec_t left, uint64_t draw);

#endif
