/* SPDX-License-Identifier: MIT */
/*
 * relay.h - answers that are passed on while they come.  For the files of a request
 * alone.
 */
#ifndef PROXY_RELAY_H
#define PROXY_RELAY_H

#include "base/err.h"
#include "proxy/request_priv.h"

/*
 * With the head of the answer there: is it a stream to be passed on while it is
 * collected, all of it or but for what only we asked for?
 */
bool	relay_begin(struct request *req);

/* What has come that clients see: of a stream the events that are whole. */
struct bytes	relay_body(const struct request *req);

/* Keep what has come of our call, as long as it fits, and let those who wait have it. */
void	relay_tee(struct request *req);

/* Look through what has come.  0 or a negative error. */
int	relay_look(struct request *req) MUST_USE;

/*
 * Send the client as much of it as there is and it takes; what is neither kept nor
 * still to be sent makes room for more.  0 or a negative error.
 */
int	relay_send(struct request *req) MUST_USE;

/* Is there something of it that is not sent? */
bool	relay_has_more(const struct request *req);

/* Send as much of another's stream as there is and the client takes. */
int	relay_tail(struct request *req) MUST_USE;

#endif
