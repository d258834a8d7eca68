/* SPDX-License-Identifier: MIT */
/*
 * watch.h - the main thread's look at the cache, once a second: what went wrong
 * there is logged once a minute, with its consequence (F3, F4, F12).
 */
#ifndef PROXY_WATCH_H
#define PROXY_WATCH_H

#include <stdbool.h>

#include "base/clock.h"

struct scribe;
struct store;

struct watch {
	const char	*path;		/* of the cache; borrowed */
	struct store	*store;		/* borrowed, as the next */
	struct scribe	*scribe;
	uint64_t	 errors;	/* when it was last logged */
	uint64_t	 damaged;
	uint64_t	 reopened;
	usec_t		 logged;
	usec_t		 slow_logged;
	bool		 was_paused;
};

/* Look, and log what is new.  Does nothing without a scribe. */
void	watch_cache(struct watch *watch, usec_t now);

#endif
