/* SPDX-License-Identifier: MIT */
/*
 * forward.h - what of a request goes upstream.  For the files of a request alone.
 */
#ifndef PROXY_FORWARD_H
#define PROXY_FORWARD_H

#include "base/err.h"
#include "proxy/request_priv.h"

/*
 * Is the upstream asked to say in its stream what it used, although the client does not
 * want to know?  Then what says so is for us alone.
 */
bool	forward_adds_usage(const struct request *req);

/* Send the request to its upstream: fields chosen, token put in. */
int	forward_start(struct request *req) MUST_USE;

/* Where it is sent: of its route's upstreams the one that is tried. */
const struct config_upstream	*forward_upstream(const struct request *req);

#endif
