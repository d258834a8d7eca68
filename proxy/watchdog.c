/* SPDX-License-Identifier: MIT */
/*
 * watchdog.c - every worker is kicked so that its loop turns, and has half of the
 * manager's time for that; the scribe, which waits for a disk, has six times as much.
 */
#include "proxy/watchdog.h"

#include "base/log.h"
#include "base/mem.h"
#include "cache/scribe.h"
#include "proxy/net/loop.h"
#include "proxy/net/notify.h"
#include "proxy/server_priv.h"
#include "proxy/worker.h"

struct watchdog {
	struct server		*srv;		/* borrowed: outlives us */
	struct loop_timer	*timer;
	usec_t			 patience;	/* of the service manager */
	bool			 has_complained;
};

/* What hangs, or NULL. */
static const char *
find_stuck(const struct watchdog *watchdog, usec_t now)
{
	const struct server *srv = watchdog->srv;
	struct scribe_stat stat;

	for (unsigned i = 0; i < srv->n_workers; i++)
		if (!worker_has_ended(srv->workers[i]) &&
		    now - worker_turned(srv->workers[i]) > watchdog->patience / 2)
			return "a worker";
	if (srv->scribe == NULL)
		return NULL;
	scribe_get_stat(srv->scribe, &stat);
	return stat.busy_since != 0 && now - stat.busy_since > watchdog->patience * 3 ?
	    "the writer of the cache" : NULL;
}

static void
on_timer(void *arg)
{
	struct watchdog *watchdog = arg;
	const struct server *srv = watchdog->srv;
	const char *stuck = find_stuck(watchdog, clock_mono());

	if (stuck == NULL)
		notify_alive();
	else if (!watchdog->has_complained)
		log_err("%s hangs; the service manager will start the server anew", stuck);
	watchdog->has_complained = stuck != NULL;
	for (unsigned i = 0; i < srv->n_workers; i++)
		worker_ping(srv->workers[i]);
	loop_timer_set(watchdog->timer, watchdog->patience / 4);
}

struct watchdog *
watchdog_new(struct server *srv)
{
	usec_t patience = notify_watchdog();
	struct watchdog *watchdog;

	if (patience == 0)
		return NULL;
	watchdog = xcalloc(1, sizeof(*watchdog));
	watchdog->srv = srv;
	watchdog->patience = patience;
	watchdog->timer = loop_timer_new(srv->loop, on_timer, watchdog);
	loop_timer_set(watchdog->timer, 0);
	return watchdog;
}

struct watchdog *
watchdog_free(struct watchdog *watchdog)
{
	if (watchdog == NULL)
		return NULL;
	loop_timer_free(watchdog->timer);
	return xfree(watchdog);
}
