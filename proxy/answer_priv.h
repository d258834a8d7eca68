/* SPDX-License-Identifier: MIT */
/*
 * answer_priv.h - what all answers are made of: for answer.c (our own),
 * answer_cache.c (what is there) and answer_call.c (what an upstream says).  For them
 * alone.
 */
#ifndef PROXY_ANSWER_PRIV_H
#define PROXY_ANSWER_PRIV_H

#include "proxy/answer.h"
#include "proxy/worker.h"

#define ANSWER_HEAD_MAX	WORKER_HEAD_MAX

/* The parts of a head that differ from answer to answer. */
struct answer_tags {
	struct bytes	compute;	/* x-compute-type */
	struct bytes	compute_time;	/* no ptr: absent, as the following */
	struct bytes	origin;
	struct bytes	status;		/* Cache-Status */
	bool		has_age;
	uint64_t	age;		/* in seconds */
	bool		is_refusal;	/* then clients are told whether to try again, and when */
	usec_t		retry_after;
};

/* Status line and all that is ours; what came from elsewhere follows. */
int	answer_begin_head(struct request *req, struct buf *out, int status,
	    const struct answer_tags *tags) MUST_USE;

/* PIECE of the body goes to the client. */
void	answer_note_body(struct request *req, struct bytes piece);

/* The end of a head whose body is BODY, and both on their way. */
int	answer_send_whole(struct request *req, struct buf *out, struct bytes body) MUST_USE;

/* The same, with BODY the first part alone of LEN bytes. */
int	answer_send_part(struct request *req, struct buf *out, size_t len, struct bytes body)
	    MUST_USE;

/* When there is no memory to say even that something went wrong (R), we hang up. */
enum step	answer_end(struct request *req, int r, enum end_reason why);

const char	*answer_fwd_word(enum fwd fwd);		/* of Cache-Status */
bool		answer_has_no_body(int status);
bool		answer_is_bare(const struct request *req);	/* its request was HEAD */

#endif
