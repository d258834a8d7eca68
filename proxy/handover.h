/* SPDX-License-Identifier: MIT */
/*
 * handover.h - one server takes the place of another that serves from the same cache, so
 * that nobody is refused in between: it gets the other's listening sockets and its hold of
 * the cache, and once it serves the other one ends.  Until then both serve.
 *
 *	new:  connect ------------------> old:  sockets, the cache's lock
 *	new:  "ready", when it serves --> old:  drains, and ends
 *
 * What goes wrong before "ready" changes nothing for the old one.
 */
#ifndef PROXY_HANDOVER_H
#define PROXY_HANDOVER_H

#include <stdbool.h>

#include "base/err.h"

struct handover;
struct listening;
struct server;

/* Let others take SRV's place: a socket in the cache's directory, for its user and root. */
struct handover	*handover_new(struct server *srv);
struct handover	*handover_free(struct handover *handover);

/* The place of another, being taken. */
struct takeover {
	int		  fd;		/* to the other server */
	int		  lock_fd;	/* the cache's lock, which is held */
	struct listening *listening;	/* its sockets; ours */
};

/*
 * Take the place of the server that serves from the cache at PATH, with N_WORKERS workers.
 * 0, or a negative error, of which *RET_WHY says in words what it means.
 */
int	takeover_begin(const char *path, unsigned n_workers, struct takeover *takeover,
	    const char **ret_why) MUST_USE;

/* We serve: the other may go.  Without it the other goes on. */
void	takeover_end(struct takeover *takeover, bool is_ready);

#endif
