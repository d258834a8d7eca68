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

/* Choose one that is left alone by no breaker; false if there is none. */
bool	attempt_begin(struct request *req);

/* How long it is until one of them may be asked again. */
usec_t	attempt_wait(const struct request *req);

/*
 * With the head of an answer there: is it one that another attempt may do better than?
 * Then it is to be read whole.
 */
bool	attempt_may_retry(const struct request *req);

/*
 * With the call over: shall there be another?  Then the next upstream is meant, and DUE
 * says when if not at once.
 */
bool	attempt_retries(struct request *req);

/* Is it time for it? */
bool	attempt_is_due(struct request *req);

/* How the call ended, as far as it shows whether the upstream is well; once. */
void	attempt_note(struct request *req);

/* The call is over, however. */
void	attempt_end(struct request *req);

/* Who gave the answer, where there is a choice. */
int	attempt_add_fields(const struct request *req, struct buf *out) MUST_USE;

#endif
