/* SPDX-License-Identifier: MIT */
/*
 * question.h - what a request is to the cache.  For the files of a request alone.
 */
#ifndef PROXY_QUESTION_H
#define PROXY_QUESTION_H

#include "base/err.h"
#include "proxy/request_priv.h"

/* Known by its fingerprint?  Then route, model and key are there, and the text is not. */
bool	question_recall(struct request *req);

/* Read the body (dialect.h), and of what it asks of the cache only what its team may ask. */
int	question_read_body(struct request *req, const char *const *ignore) MUST_USE;

/*
 * With the body read and the route found: does it wait until it is known which model it
 * is about (revision.h)?  Then it is woken.
 */
bool	question_must_wait(struct request *req);

/* The body as its route wants it: what is asked, and what goes upstream. */
struct bytes	question_body(const struct request *req);

enum {
	QUESTION_E_UNEDITABLE = 1,	/* the route edits bodies, and this is no object */
};

/*
 * With the body read and the route found: what does it ask once it is edited, may its
 * answer be stored, and under which key?  0, QUESTION_E_UNEDITABLE, or -E2BIG.
 */
int	question_make(struct request *req) MUST_USE;

/* Remember its fingerprint, if what it stands for is the same for everybody. */
void	question_remember(struct request *req);

/*
 * Read the body after all, where it was only recalled: for an answer to be stored.
 * Errors as those of question_make().
 */
int	question_complete(struct request *req) MUST_USE;

/*
 * Is there an answer under KEY, in the store or on its way there?  It is then in
 * FOUND, fresh or not.
 */
bool	question_find(struct request *req, const struct key *key, usec_t now);

/* Is a newer answer than what was found under its key on its way to the store? */
bool	question_is_renewed(const struct request *req);

/*
 * Does it ask a question?  A POST that no API is known by may do something instead: that
 * it asks, a route has to say, by its path or as dialect raw.
 */
bool	question_is_meant(const struct request *req);

/* How many different answers are kept to it. */
unsigned	question_variants(const struct request *req);

/* Is WHAT ("always", "deterministic", "never") what the route stores? */
bool	route_stores(const struct config_route *route, const char *what);

#endif
