/* SPDX-License-Identifier: MIT */
/*
 * clock.h - the two clocks.  Deadlines and durations use the monotonic one;
 * the wall clock is for Age, Date and time to live alone.  Tests replace this
 * file at link time, so time moves only when a script says so.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

typedef int64_t usec_t;		/* microseconds: every time and every duration */

#define USEC_PER_MSEC	((usec_t)1000)
#define USEC_PER_SEC	((usec_t)1000000)

/* Microseconds since some start that never jumps. */
usec_t	clock_mono(void);

/* Microseconds since 1970-01-01 UTC. */
usec_t	clock_wall(void);

#endif
