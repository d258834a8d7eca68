/* SPDX-License-Identifier: MIT */
/*
 * upstream.c - a breaker for each, and one lock: it is taken before a call and after
 * it, and for no longer than it takes to count.
 */
#include "proxy/upstream.h"

#include <pthread.h>
#include <string.h>

#include "base/breaker.h"
#include "base/log.h"
#include "base/mem.h"

struct upstream {
	struct upstreams	*table;
	struct upstream		*next;
	char			*name;
	struct breaker		 breaker;
};

struct upstreams {
	pthread_mutex_t		 lock;
	struct upstream		*first;
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
		xfree(up->name);
		xfree(up);
	}
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

bool
upstream_allows(struct upstream *upstream, usec_t now, bool *ret_is_probe)
{
	bool is_allowed;

	pthread_mutex_lock(&upstream->table->lock);
	is_allowed = breaker_allows(&upstream->breaker, now, ret_is_probe);
	pthread_mutex_unlock(&upstream->table->lock);
	return is_allowed;
}

usec_t
upstream_wait(struct upstream *upstream, usec_t now)
{
	usec_t wait;

	pthread_mutex_lock(&upstream->table->lock);
	wait = breaker_wait(&upstream->breaker, now);
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
