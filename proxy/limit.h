/* SPDX-License-Identifier: MIT */
/*
 * limit.h - what a team may use and a route let through: requests and tokens in a time,
 * money in a day or month, calls at once.  For the files of a request alone.
 *
 * Only what goes upstream counts, once for all who wait for the same call; what is
 * used is known, and charged, when its answer is there.
 */
#ifndef PROXY_LIMIT_H
#define PROXY_LIMIT_H

#include "base/buf.h"
#include "base/err.h"
#include "proxy/request_priv.h"

enum limit_verdict {
	LIMIT_PASSED,
	LIMIT_WAIT,		/* for a place: we will be woken */
	LIMIT_REFUSED,
};

/* May the request go upstream now?  On refusal *RET_REFUSAL says why not. */
struct limit_refusal {
	int		 status;
	const char	*code;
	const char	*message;
	usec_t		 wait;		/* until it is worth another try */
};
enum limit_verdict	limit_check(struct request *req, struct limit_refusal *ret_refusal);

/* Is there nothing to be checked any more? */
bool	limit_is_passed(const struct request *req);

/* May it be answered from the cache?  Where hits count; else always. */
enum limit_verdict	limit_check_hit(struct request *req,
			    struct limit_refusal *ret_refusal);

/* All of an answer is there: charge what it says was used. */
void	limit_settle(struct request *req);

/* The call is over, however: give places back; what was not settled is estimated. */
void	limit_end(struct request *req);

/* Its answer is that of another's call: it is told what its own team has left. */
void	limit_note_follower(struct request *req);

/*
 * What is left, as fields of an answer.  One from the cache has them only where hits
 * count: it takes nothing, and clients pass them over where there is an Age.
 */
int	limit_add_fields(struct request *req, struct buf *out) MUST_USE;

#endif
