/* SPDX-License-Identifier: MIT */
/*
 * upstream.c - a breaker, a load and turns for each, and one lock: it is taken before a
 * call and after it, and for no longer than it takes to count.
 */
#include "proxy/upstream.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "base/breaker.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/turns.h"
#include "config/config.h"

#define TIMES_SEEN	8	/* of which the time of a call is an average, about */

#define BAD_CHECKS_MAX	2	/* in a row: then it is not well */

struct upstream {
	struct upstreams	*table;
	struct upstream		*next;
	char			*name;
	struct breaker		 breaker;
	struct choice_load	 load;
	struct turns		 tokens;
	unsigned		 n_bad_checks;	/* in a row */
	usec_t			 check_every;
};

struct upstreams {
	pthread_mutex_t		 lock;
	struct upstream		*first;
	uint64_t		*turns;		/* of each route */
	size_t			 n_turns;
};

struct upstreams *
upstreams_new(void)
{
	struct upstreams *upstreams = xcalloc(1, sizeof(*upstreams));

	pthread_mutex_init(&upstreams->lock, NULL);
	return upstreams;
}

struct upstreams *
upstreams_free(struct upstreams *upstreams)
{
	struct upstream *next;

	if (upstreams == NULL)
		return NULL;
	for (struct upstream *up = upstreams->first; up != NULL; up = next) {
		next = up->next;
		turns_done(&up->tokens);
		xfree(up->name);
		xfree(up);
	}
	xfree(upstreams->turns);
	pthread_mutex_destroy(&upstreams->lock);
	return xfree(upstreams);
}

/* With the lock. */
static struct upstream *
find_or_add(struct upstreams *upstreams, const char *name)
{
	struct upstream *up = upstreams->first;

	while (up != NULL && strcmp(up->name, name) != 0)
		up = up->next;
	if (up != NULL)
		return up;
	up = xcalloc(1, sizeof(*up));
	*up = (struct upstream){
		.table = upstreams, .next = upstreams->first, .name = xstrdup(name),
	};
	upstreams->first = up;
	return up;
}

struct upstream *
upstream_find(struct upstreams *upstreams, const char *name)
{
	struct upstream *up;

	pthread_mutex_lock(&upstreams->lock);
	up = find_or_add(upstreams, name);
	pthread_mutex_unlock(&upstreams->lock);
	return up;
}

static bool
is_well(const struct upstream *upstream)
{
	return upstream->n_bad_checks < BAD_CHECKS_MAX;
}

struct upstream_state
upstream_state(struct upstream *upstream)
{
	struct upstream_state state;

	pthread_mutex_lock(&upstream->table->lock);
	state = (struct upstream_state){
		.breaker = upstream->breaker.state, .is_well = is_well(upstream),
		.n_calls = upstream->load.n_calls,
	};
	pthread_mutex_unlock(&upstream->table->lock);
	return state;
}

bool
upstream_allows(struct upstream *upstream, usec_t now, bool *ret_is_probe)
{
	bool is_allowed;

	pthread_mutex_lock(&upstream->table->lock);
	is_allowed = is_well(upstream) &&
	    breaker_allows(&upstream->breaker, now, ret_is_probe);
	pthread_mutex_unlock(&upstream->table->lock);
	return is_allowed;
}

usec_t
upstream_wait(struct upstream *upstream, usec_t now)
{
	usec_t wait;

	pthread_mutex_lock(&upstream->table->lock);
	wait = breaker_wait(&upstream->breaker, now);
	if (!is_well(upstream) && upstream->check_every > wait)
		wait = upstream->check_every;
	pthread_mutex_unlock(&upstream->table->lock);
	return wait;
}

void
upstream_note(struct upstream *upstream, bool is_probe, bool has_failed, usec_t now)
{
	enum breaker_state before, after;

	pthread_mutex_lock(&upstream->table->lock);
	before = upstream->breaker.state;
	breaker_note(&upstream->breaker, is_probe, has_failed, now);
	after = upstream->breaker.state;
	pthread_mutex_unlock(&upstream->table->lock);
	if (after == BREAKER_OPEN && before == BREAKER_CLOSED)
		log_warn("upstream %s fails again and again, leaving it alone for now",
		    upstream->name);
	if (after == BREAKER_CLOSED && before == BREAKER_HALF_OPEN)
		log_info("upstream %s answers again", upstream->name);
}

void
upstream_forget(struct upstream *upstream, bool is_probe)
{
	pthread_mutex_lock(&upstream->table->lock);
	breaker_forget(&upstream->breaker, is_probe);
	pthread_mutex_unlock(&upstream->table->lock);
}

void
upstream_call_begins(struct upstream *upstream)
{
	pthread_mutex_lock(&upstream->table->lock);
	upstream->load.n_calls++;
	pthread_mutex_unlock(&upstream->table->lock);
}

/* Of an average that moves: what is older counts less and less. */
static void
add_time(struct choice_load *load, usec_t time)
{
	load->time = load->time == 0 ? time : load->time + (time - load->time) / TIMES_SEEN;
}

void
upstream_call_ends(struct upstream *upstream, usec_t time)
{
	pthread_mutex_lock(&upstream->table->lock);
	assert(upstream->load.n_calls > 0);
	upstream->load.n_calls--;
	if (time > 0)
		add_time(&upstream->load, time);
	pthread_mutex_unlock(&upstream->table->lock);
}

struct choice_load
upstream_load(struct upstream *upstream)
{
	struct choice_load load;

	pthread_mutex_lock(&upstream->table->lock);
	load = upstream->load;
	pthread_mutex_unlock(&upstream->table->lock);
	return load;
}

size_t
upstream_take_token(struct upstream *upstream, size_t n, usec_t now)
{
	size_t at;

	pthread_mutex_lock(&upstream->table->lock);
	at = turns_take(&upstream->tokens, n, now);
	pthread_mutex_unlock(&upstream->table->lock);
	return at;
}

void
upstream_rest_token(struct upstream *upstream, size_t at, usec_t now, usec_t time)
{
	bool is_news;

	pthread_mutex_lock(&upstream->table->lock);
	is_news = !turns_rests(&upstream->tokens, at, now);
	turns_rest(&upstream->tokens, at, now + time);
	pthread_mutex_unlock(&upstream->table->lock);
	if (is_news)
		log_warn("upstream %s refuses token %zu of its list, which rests for %" PRId64
		    " s", upstream->name, at + 1, time / USEC_PER_SEC);
}

bool
upstream_has_other_token(struct upstream *upstream, size_t n, size_t at, usec_t now)
{
	bool has_other;

	pthread_mutex_lock(&upstream->table->lock);
	has_other = turns_has_other(&upstream->tokens, n, at, now);
	pthread_mutex_unlock(&upstream->table->lock);
	return has_other;
}

void
upstreams_renew(struct upstreams *upstreams, const struct config *config,
    const struct config *old)
{
	for (size_t i = 0; i < config->n_upstreams; i++) {
		const struct config_upstream *up = &config->upstreams[i];
		const struct config_upstream *was = config_upstream_find(old, up->name);

		if (was != NULL && config_has_same_tokens(up, was))
			continue;
		pthread_mutex_lock(&upstreams->lock);
		turns_done(&find_or_add(upstreams, up->name)->tokens);
		pthread_mutex_unlock(&upstreams->lock);
	}
}

/* With the lock. */
static void
make_room(struct upstreams *upstreams, size_t route)
{
	size_t n = upstreams->n_turns;

	if (route < n)
		return;
	upstreams->n_turns = route + 1;
	upstreams->turns = xreallocarray(upstreams->turns, upstreams->n_turns,
	    sizeof(*upstreams->turns));
	for (; n < upstreams->n_turns; n++)
		upstreams->turns[n] = 0;
}

uint64_t
upstreams_take_turn(struct upstreams *upstreams, size_t route)
{
	uint64_t turn;

	pthread_mutex_lock(&upstreams->lock);
	make_room(upstreams, route);
	turn = upstreams->turns[route]++;
	pthread_mutex_unlock(&upstreams->lock);
	return turn;
}

void
upstream_note_check(struct upstream *upstream, bool is_good, usec_t every)
{
	bool was_well, is;

	pthread_mutex_lock(&upstream->table->lock);
	was_well = is_well(upstream);
	if (is_good)
		upstream->n_bad_checks = 0;
	else if (was_well)
		upstream->n_bad_checks++;
	upstream->check_every = every;
	is = is_well(upstream);
	pthread_mutex_unlock(&upstream->table->lock);
	if (was_well && !is)
		log_warn("upstream %s is not well, leaving it alone until a check succeeds",
		    upstream->name);
	if (!was_well && is)
		log_info("upstream %s is well again", upstream->name);
}
