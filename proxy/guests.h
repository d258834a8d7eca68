/* SPDX-License-Identifier: MIT */
/*
 * guests.h - who is connected, on whatever worker: how many there are in all, as many as
 * descriptors allow, how many of them come from one address, and what memory they take.
 * Shared by all threads; the lock is taken when a client comes and when it goes.
 */
#ifndef PROXY_GUESTS_H
#define PROXY_GUESTS_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/ip.h"

struct guests;
struct quota;

/* One of them, embedded in whoever has the connection; may be moved. */
struct guest {
	struct guests	*guests;	/* borrowed: outlives us; NULL: nobody */
	struct ip	 household;	/* whose it is, */
	bool		 is_counted;	/* if it is counted by that */
};

struct guests	*guests_new(void);
struct guests	*guests_free(struct guests *guests);	/* all have left */

/*
 * Raise the number of descriptors as far as it goes, and see how many of them clients may
 * have beside N_WORKERS workers.  Once, when what the process needs for itself is open.
 */
void	guests_make_room(struct guests *guests, unsigned n_workers);

/* May another one come? */
bool	guests_have_room(const struct guests *guests);

/* How many there are, and may be. */
uint64_t	guests_count(const struct guests *guests);
uint64_t	guests_max(const struct guests *guests);

/* What all of them may take of memory, and do; NULL for nobody. */
struct quota	*guests_memory(struct guests *guests);

/* Is it time for another line about too many of them?  True once a minute. */
bool	guests_may_warn(struct guests *guests, usec_t now);

/* One has come. */
struct guest	guest_enter(struct guests *guests);

/* It comes from IP, of which there may be MAX: GUEST_E_MANY if there are as many already. */
enum {
	GUEST_E_MANY = 1,
};
int	guest_count(struct guest *guest, struct ip ip, unsigned max) MUST_USE;

/* It has gone.  Does nothing for nobody. */
void	guest_leave(struct guest *guest);

#endif
