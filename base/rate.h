/* SPDX-License-Identifier: MIT */
/*
 * rate.h - so many in a time, and who keeps to it: the generic cell rate algorithm
 * (ITU-T I.371), which needs one number and no timer.
 */
#ifndef BASE_RATE_H
#define BASE_RATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"

struct rate {
	uint64_t	n;		/* in PER; 0: none at all */
	usec_t		per;
};

/*
 * A number and its time: 5/s 600/min 2000/h 2M/day; a k, M or G stands for that many
 * thousands, and what is counted may be said behind it: 2M tokens/day.  At most a
 * million a second.  0; or NUM_E_BAD or NUM_E_RANGE (base/num.h), and then *RET_RATE
 * is not written.
 */
int	rate_parse(struct bytes text, struct rate *ret_rate) MUST_USE;

/*
 * What was taken lately; all zeros: nothing.  Any threads may share one.  Of the clock
 * that NOW is read from, so one that is kept over a restart needs that of the wall.
 */
struct rate_meter {
	_Atomic int64_t	due;		/* when all of it is paid off, in nanoseconds */
};

/*
 * May one more be taken at NOW?  Then it is.  A meter that has rested gives the N
 * of RATE at once, and then one every PER / N.
 */
bool	rate_take(struct rate_meter *meter, const struct rate *rate, usec_t now);

/*
 * For what is known only afterwards, such as tokens: charge N, whatever is left.  What
 * is overdrawn has to be paid off before rate_left() is over 0 again.
 */
void	rate_charge(struct rate_meter *meter, const struct rate *rate, uint64_t n, usec_t now);

/* How many may be taken at NOW. */
uint64_t	rate_left(const struct rate_meter *meter, const struct rate *rate, usec_t now);

/* How long it is until N of them may, N at most what a rested meter gives; 0: now. */
usec_t	rate_wait(const struct rate_meter *meter, const struct rate *rate, uint64_t n,
	    usec_t now);

#endif
