/* SPDX-License-Identifier: MIT */
/*
 * herald.h - waits on a new connection for the header of the PROXY protocol, and takes
 * that from the socket and not a byte more.  Owned by whoever has the connection, whose
 * task it wakes when there is something to see.
 */
#ifndef PROXY_NET_HERALD_H
#define PROXY_NET_HERALD_H

#include "base/ip.h"
#include "proxy/net/loop.h"

enum herald_state {
	HERALD_WAITING,
	HERALD_DONE,
	HERALD_GONE,		/* the other side left without a byte */
	HERALD_BAD,		/* what came is no such header, or is not whole */
};

struct herald;

/* FD and OWNER are borrowed, and outlive it.  It may be done at once. */
struct herald	*herald_new(struct loop *loop, int fd, struct loop_task *owner);
struct herald	*herald_free(struct herald *herald);

enum herald_state	herald_state(const struct herald *herald);

/* Once it is done: whose connection it is; none if the header does not say. */
struct ip	herald_from(const struct herald *herald);

#endif
