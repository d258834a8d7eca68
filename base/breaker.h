/* SPDX-License-Identifier: MIT */
/*
 * breaker.h - does a server answer at all?  One that fails again and again is left
 * alone for a while, and then asked by one request before the others (Nygard, Release
 * It!, 2007).  Pure: whoever has one says what time it is.
 *
 *	closed --> open --> half-open --> closed
 *	                ^---------'
 */
#ifndef BASE_BREAKER_H
#define BASE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define BREAKER_IN_ROW	5		/* failures that open it, */
#define BREAKER_SEEN	20		/* or half of so many */
#define BREAKER_MIN	(5 * USEC_PER_SEC)
#define BREAKER_MAX	(60 * USEC_PER_SEC)

enum breaker_state {
	BREAKER_CLOSED,
	BREAKER_OPEN,
	BREAKER_HALF_OPEN,
};

/* All zeros: closed, and nothing is known. */
struct breaker {
	enum breaker_state	 state;
	unsigned		 n_in_row;	/* failures */
	unsigned		 n_seen;	/* outcomes in LAST */
	uint32_t		 last;		/* a bit each, set: it failed; newest lowest */
	usec_t			 pause;		/* how long it was opened for the last time */
	usec_t			 until;
	bool			 is_probed;	/* half-open: the one request is under way */
};

/*
 * May a call be made at NOW?  Half-open one may, the probe, which is then told so; the
 * others may not until its outcome, or breaker_forget(), has followed.
 */
bool	breaker_allows(struct breaker *breaker, usec_t now, bool *ret_is_probe);

/* How long it is until one may; 0: now, or as soon as the probe is over. */
usec_t	breaker_wait(const struct breaker *breaker, usec_t now);

/*
 * How a call ended that IS_PROBE, or is not: once open, those that were made before
 * change nothing any more.
 */
void	breaker_note(struct breaker *breaker, bool is_probe, bool has_failed, usec_t now);

/* A call that ended without telling anything: its client left. */
void	breaker_forget(struct breaker *breaker, bool is_probe);

#endif
