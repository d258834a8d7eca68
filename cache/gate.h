/* SPDX-License-Identifier: MIT */
/*
 * gate.h - so many at once: who comes when all places are taken waits in line, on
 * whatever worker it is.
 *
 *	outside --> inside --> outside
 *	      `---> waiting --> inside		in the order of coming
 */
#ifndef CACHE_GATE_H
#define CACHE_GATE_H

#include <stdbool.h>
#include <stdint.h>

struct gate;

/* MAX at once, and QUEUE that wait. */
struct gate_limits {
	unsigned	max;		/* 0: no bound */
	unsigned	queue;
};

struct gate	*gate_new(void);
struct gate	*gate_free(struct gate *gate);		/* nobody may be in it */

/* WAKE is called, by whichever thread makes room, when a waiting pass is inside. */
typedef void gate_wake_fn(void *arg);

/* A place, embedded in who takes it; zeroed but for WAKE and ARG: outside. */
struct gate_pass {
	struct gate		*gate;		/* NULL: outside */
	gate_wake_fn		*wake;
	void			*arg;
	struct gate_pass	*next, **link;	/* among those that wait */
	bool			 is_inside;	/* under the gate's lock */
};

enum {
	GATE_E_WAIT = 1,	/* it waits, and is woken */
	GATE_E_FULL,		/* too many wait already: it is outside */
};

/*
 * Take a place for PASS, by LIMITS as they are now: 0 and it is inside, or a GATE_E.
 * Those that wait keep their turn: nobody overtakes them.
 */
int	gate_enter(struct gate *gate, const struct gate_limits *limits, struct gate_pass *pass);

bool	gate_is_inside(struct gate_pass *pass);

/* Give the place back, or leave the line; does nothing outside. */
void	gate_leave(struct gate_pass *pass);

/* How many are inside and how many wait. */
void	gate_count(struct gate *gate, unsigned *ret_inside, unsigned *ret_waiting);

#endif
