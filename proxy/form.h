/* SPDX-License-Identifier: MIT */
/*
 * form.h - one answer, whole or as a stream.  For the files of a request alone.
 */
#ifndef PROXY_FORM_H
#define PROXY_FORM_H

#include "base/err.h"
#include "proxy/request_priv.h"

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

/*
 * Change in what was found what its route wants changed: ids and times, usage.  0 or a
 * negative error.
 */
int		form_retouch(struct request *req) MUST_USE;

/*
 * Append to OUT what of IN, the next bytes of a stream, whoever did not ask for its usage
 * is to see; retouch() says the rest.
 */
int		form_drop_usage(struct bytes in, bool is_end, struct buf *out, size_t *ret_used)
		    MUST_USE;

/*
 * What came of the call, as a whole answer; as it came where it cannot be said so.  It is
 * made once: only for an answer that is all there.
 */
struct bytes	form_whole(struct request *req);

/* What that says it used, read once; false if it says nothing. */
bool		form_usage(struct request *req, struct token_usage *ret_usage);

/*
 * The same of what the client of REQ, which ended for WHY, got, wherever it came from; false
 * if it is not known.
 */
bool		form_given_usage(struct request *req, enum end_reason why,
		    struct token_usage *ret_usage);

/* Keep what was found past this turn of the loop.  0 or a negative error. */
int		form_hold(struct request *req) MUST_USE;

#endif
