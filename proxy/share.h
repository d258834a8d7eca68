/* SPDX-License-Identifier: MIT */
/*
 * share.h - what came of a call, for those on other connections who wait for the
 * same.  For the files of a request alone.
 */
#ifndef PROXY_SHARE_H
#define PROXY_SHARE_H

#include "proxy/request_priv.h"

/* Why a flight ended without an answer, beside the failures of a fetch. */
enum {
	FLIGHT_LOOK_AGAIN = 100,	/* it is in the cache, or its leader is gone */
	FLIGHT_NOT_SHARED,	/* too large: everybody for themselves */
	FLIGHT_BROKEN = 200,	/* in mid-stream, and a failure of a fetch: look again, or say so */
};

/* With the head of the answer there: may all of it be kept for those who wait? */
bool		share_fits(const struct request *req);

/* Give those who wait for the same what has come, and end the flight. */
void		share_whole(struct request *req);

/* The same for a stream under way: what is new, head first; at its end IS_WHOLE or not. */
void		share_more(struct request *req);
void		share_end(struct request *req, bool is_whole);

#endif
