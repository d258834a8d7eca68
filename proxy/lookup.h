/* SPDX-License-Identifier: MIT */
/*
 * lookup.h - the search for an answer that is there.  For the files of a request alone.
 */
#ifndef PROXY_LOOKUP_H
#define PROXY_LOOKUP_H

#include "proxy/request_priv.h"

/*
 * Look for an answer that may be given now: FWD_NONE, and it is in FOUND, in the form
 * asked for.  Else why the request has to go forward.
 */
enum fwd	lookup_answer(struct request *req);

/* The same, for the one of several that a new answer would take the place of. */
enum fwd	lookup_again(struct request *req);

/*
 * Has what was found expired, and that not longer ago than WITHIN?  It is then in
 * FOUND, once more.
 */
bool		lookup_stale(struct request *req, usec_t within);

#endif
