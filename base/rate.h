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

#define RATE_N_MAX	UINT64_C(1000000000)

struct rate {
	uint64_t	n;		/* in PER; 0: none at all */
	usec_t		per;
};

/*
 * A number and its time: 5/s 600/min 2000/h 10000/d.  0; or NUM_E_BAD or
 * NUM_E_RANGE (base/num.h), and then *RET_RATE is not written.
 */
int	rate_parse(struct bytes text, struct rate *ret_rate) MUST_USE;

/* What was taken lately; all zeros: nothing.  Any threads may share one. */
struct rate_meter {
	_Atomic int64_t	due;		/* when all of it is paid off, in nanoseconds */
};

/*
 * May one more be taken at NOW?  Then it is.  A meter that has rested gives the N
 * of RATE at once, and then one every PER / N.
 */
bool	rate_take(struct rate_meter *meter, const struct rate *rate, usec_t now);

#endif
