/* SPDX-License-Identifier: MIT */
/*
 * upstream.h - how the upstreams are, as far as calls have shown: one table for all
 * workers, by their names, so that it outlives a reload.
 */
#ifndef PROXY_UPSTREAM_H
#define PROXY_UPSTREAM_H

#include <stdbool.h>

#include "base/breaker.h"
#include "base/choice.h"
#include "base/clock.h"

struct config;
struct upstream;
struct upstreams;

struct upstreams	*upstreams_new(void);
struct upstreams	*upstreams_free(struct upstreams *upstreams);

/* That of NAME; it stands as long as the table.  Any thread, as all that follow. */
struct upstream	*upstream_find(struct upstreams *upstreams, const char *name);

/* See base/breaker.h. */
bool	upstream_allows(struct upstream *upstream, usec_t now, bool *ret_is_probe);
usec_t	upstream_wait(struct upstream *upstream, usec_t now);
void	upstream_note(struct upstream *upstream, bool is_probe, bool has_failed, usec_t now);
void	upstream_forget(struct upstream *upstream, bool is_probe);

/* How it is. */
struct upstream_state {
	enum breaker_state	 breaker;
	bool			 is_well;	/* as far as checks of ours say */
	unsigned		 n_calls;	/* under way */
};
struct upstream_state	upstream_state(struct upstream *upstream);

/* A call is under way; and over: its answer began after TIME, 0: that tells nothing. */
void	upstream_call_begins(struct upstream *upstream);
void	upstream_call_ends(struct upstream *upstream, usec_t time);
struct choice_load	upstream_load(struct upstream *upstream);

/*
 * Of its N tokens, which there are: the number of the next to be used (base/turns.h),
 * that AT rests for TIME, and whether there is one beside AT that does not.
 */
size_t	upstream_take_token(struct upstream *upstream, size_t n, usec_t now);
void	upstream_rest_token(struct upstream *upstream, size_t at, usec_t now, usec_t time);
bool	upstream_has_other_token(struct upstream *upstream, size_t n, size_t at, usec_t now);

/* What is known of tokens goes where CONFIG, in the place of OLD, has others. */
void	upstreams_renew(struct upstreams *upstreams, const struct config *config,
	    const struct config *old);

/* How often this was asked of ROUTE, by its index, before. */
uint64_t	upstreams_take_turn(struct upstreams *upstreams, size_t route);

/*
 * How a check of ours went; the next follows after EVERY.  Two that failed in a row, and
 * no call is allowed until one goes well.
 */
void	upstream_note_check(struct upstream *upstream, bool is_good, usec_t every);

#endif
