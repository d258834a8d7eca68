/* SPDX-License-Identifier: MIT */
/*
 * answer.h - what goes back to the client of a request.  For the files of a request
 * alone, as the others that take one (request_priv.h).
 */
#ifndef PROXY_ANSWER_H
#define PROXY_ANSWER_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "proxy/net/fetch.h"
#include "proxy/request_priv.h"

/*
 * End the request with an error of our own, in its dialect's shape.  CODE is
 * our short name for what happened, MESSAGE says what to do.  Always returns
 * STEP_ENDED.
 */
enum step	answer_error(struct request *req, int status, const char *code,
		    const char *message);

/* Like answer_error(), for who asks for more than it may. */
struct limit_refusal;
enum step	answer_limited(struct request *req, const struct limit_refusal *refusal);

/* What a client is told of an upstream that failed so. */
struct failure {
	int		 status;
	const char	*code;
	const char	*message;
};
const struct failure	*answer_failure(enum fetch_failure failure);

/* H-83: for who asks while memory is short, so that those who are there get through. */
enum step	answer_starved(struct request *req);

/* Like answer_error(), for an upstream that failed; OUTCOME tells how. */
enum step	answer_fetch_failed(struct request *req, enum fetch_failure outcome);

/* An answer of our own that is no error; CONTENT_TYPE may be NULL with no BODY. */
enum step	answer_own(struct request *req, int status, const char *content_type,
		    struct bytes body);
enum step	answer_options(struct request *req);

/*
 * The entry that was found; it is sent from where it lies.  Returns STEP_ENDED, or
 * STEP_PACE where the route wants its streams event by event.
 */
enum step	answer_from_cache(struct request *req);

/* Those events that are due by now.  Returns STEP_PACE, or at last STEP_ENDED. */
enum step	answer_pace(struct request *req);

/*
 * Like answer_from_cache(), for one that has expired.  STATUS is that of the upstream, 0 if it gave
 * no answer, or STALE_UNASKED.
 */
enum { STALE_UNASKED = -1 };
enum step	answer_stale(struct request *req, int status);

/* The collected answer of the upstream, whole; IS_STORED says what became of it. */
enum step	answer_from_upstream(struct request *req, bool is_stored);

/* What another request's call brought. */
enum step	answer_from_flight(struct request *req);

/* The head of another request's stream; answer_relay_piece() and _end() follow. */
int		answer_tail_head(struct request *req) MUST_USE;

/*
 * An answer whose body follows piece by piece: its head with the first PIECE, which
 * may be empty; a piece; the end.
 */
int	answer_relay_head(struct request *req, struct bytes piece) MUST_USE;
int	answer_relay_piece(struct request *req, struct bytes piece) MUST_USE;
int	answer_relay_end(struct request *req) MUST_USE;

/*
 * Its end, if it is a stream under way that is not whole: an event that says so as its
 * API does, and all is there that the head has promised.  False if that cannot be said:
 * then the connection is to be broken off.
 */
bool	answer_relay_failed(struct request *req, const struct failure *failure);

/* The request's id: the client's, or one that is drawn the first time.  0, or -E2BIG. */
int	answer_give_id(struct request *req) MUST_USE;

/* x-compute-time of the upstream's answer: its own, else as measured. */
int		answer_compute_time(struct request *req, struct bytes *ret_text) MUST_USE;

/* Append the fields of an upstream's head that clients see, as text. */
int		answer_passed_fields(const struct fields *fields, struct buf *out) MUST_USE;

/* Does this field of an upstream's head pass to a client at all? */
bool	answer_passes_field(const struct fields *fields, struct bytes name);

/* x-compute-type of the upstream's answer: its own word, else the configured one. */
struct bytes	answer_compute_type(const struct request *req);

#endif
