/* SPDX-License-Identifier: MIT */
/*
 * attempt.h - which upstream of its route a request is sent to, and after one that
 * failed, which next.  For the files of a request alone.
 */
#ifndef PROXY_ATTEMPT_H
#define PROXY_ATTEMPT_H

#include "base/buf.h"
#include "base/err.h"
#include "proxy/request_priv.h"

/* Which of the configuration's upstreams is tried. */
size_t	attempt_to(const struct request *req);

/*
 * Choose one that is left alone by no breaker, and its token, and reserve the call; false
 * if there is none, or none behind the one that failed.
 */
bool	attempt_begin(struct request *req);

/* How long it is until one of them may be asked again. */
usec_t	attempt_wait(const struct request *req);

/* RFC 5861, 4: a status of an upstream that is down, or wants to be asked less (429, 529). */
bool	attempt_is_trouble(int status);

/*
 * With the head of an answer there: is it one that another attempt may do better than?
 * Then it is to be read whole.
 */
bool	attempt_may_retry(const struct request *req);

/*
 * With the call over: shall there be another?  What it brought is to be kept until that
 * has begun, for it may be the last word.
 */
bool	attempt_retries(struct request *req);

enum attempt_next {
	ATTEMPT_WAIT,		/* until DUE: the request is woken */
	ATTEMPT_BEGUN,
	ATTEMPT_NONE,		/* there is no other */
};
enum attempt_next	attempt_next(struct request *req);

/* How the call ended, as far as it shows whether the upstream is well; once. */
void	attempt_note(struct request *req);

/* The call is over, however. */
void	attempt_end(struct request *req);

/* Who gave the answer, and that it was not the first choice. */
int	attempt_add_fields(const struct request *req, struct buf *out) MUST_USE;

#endif
