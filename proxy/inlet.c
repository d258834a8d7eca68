/* SPDX-License-Identifier: MIT */
/*
 * inlet.c - accepted, perhaps announced, counted, and then a client.
 *
 *	accept --> admit --> client
 *	  `--> wait for the PROXY header --> admit --> client
 */
#include "proxy/inlet.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "proxy/client.h"
#include "proxy/guests.h"
#include "proxy/net/herald.h"
#include "proxy/net/listen.h"
#include "proxy/net/loop.h"
#include "proxy/worker.h"

#define HEADER_TIME	(10 * USEC_PER_SEC)	/* as for the head of a request (H-8) */

struct inlet {
	struct worker	*worker;	/* borrowed: outlives us */
	struct listener	*listener;
	struct waiting	*waiting;	/* for their headers */
	bool		 is_announced;
	bool		 is_unix;	/* who comes there speaks no TLS */
};

/* A connection of which it is not known yet whose it is. */
struct waiting {
	struct waiting		*next, **link;
	struct inlet		*inlet;
	struct herald		*herald;
	struct loop_timer	*timer;
	struct loop_task	 task;
	struct arrival		 arrival;
	bool			 is_late;
};

static void
turn_away(struct arrival *arrival, _Atomic uint64_t *counter)
{
	if (counter != NULL)
		stats_count(counter);
	close(arrival->fd);
	guest_leave(&arrival->guest);
}

/* Those who speak for many are not counted as one. */
static bool
is_limited(const struct worker *worker, struct ip from)
{
	return !ip_is_none(from) && !config_trusts(worker->config, from);
}

static void
admit(const struct inlet *inlet, struct arrival *arrival)
{
	struct worker *worker = inlet->worker;

	arrival->tls = inlet->is_unix ? NULL : worker->tls;
	if (is_limited(worker, arrival->from) &&
	    guest_count(&arrival->guest, arrival->from,
	    worker->config->peers.per_address) != 0)
		turn_away(arrival, &worker->stats.connections_refused);
	else
		client_new(worker, arrival);
}

static void
free_waiting(void *arg)
{
	struct waiting *waiting = arg;

	herald_free(waiting->herald);
	loop_timer_free(waiting->timer);
	xfree(waiting);
}

static void
stop_waiting(struct waiting *waiting)
{
	*waiting->link = waiting->next;
	if (waiting->next != NULL)
		waiting->next->link = waiting->link;
	loop_task_cancel(&waiting->task);
	waiting->herald = herald_free(waiting->herald);
	loop_timer_clear(waiting->timer);
	loop_free_later(waiting->inlet->worker->loop, waiting, free_waiting);
}

/* Whoever looks only whether somebody listens has done nothing wrong. */
static void
go_on(struct waiting *waiting)
{
	enum herald_state state = herald_state(waiting->herald);
	struct worker *worker = waiting->inlet->worker;
	struct arrival *arrival = &waiting->arrival;

	if (state == HERALD_WAITING && !waiting->is_late)
		return;
	if (state == HERALD_DONE && !ip_is_none(herald_from(waiting->herald))) {
		arrival->from = herald_from(waiting->herald);
		arrival->is_announced = true;
	}
	stop_waiting(waiting);
	if (state == HERALD_DONE)
		admit(waiting->inlet, arrival);
	else
		turn_away(arrival, state == HERALD_GONE ? NULL :
		    &worker->stats.proxy_headers_refused);
}

static void
run_waiting(void *arg)
{
	go_on(arg);
}

static void
on_timer(void *arg)
{
	struct waiting *waiting = arg;

	waiting->is_late = true;
	loop_task_wake(&waiting->task);
}

static void
wait_for_header(struct inlet *inlet, const struct arrival *arrival)
{
	struct waiting *waiting = xcalloc(1, sizeof(*waiting));
	struct loop *loop = inlet->worker->loop;

	waiting->inlet = inlet;
	waiting->arrival = *arrival;
	loop_task_init(&waiting->task, loop, run_waiting, waiting);
	waiting->timer = loop_timer_new(loop, on_timer, waiting);
	loop_timer_set(waiting->timer, HEADER_TIME);
	waiting->next = inlet->waiting;
	waiting->link = &inlet->waiting;
	if (waiting->next != NULL)
		waiting->next->link = &waiting->next;
	inlet->waiting = waiting;
	waiting->herald = herald_new(loop, arrival->fd, &waiting->task);
	go_on(waiting);
}

/* Where proxies are named, nobody else may say whose connection it is (C10). */
static bool
may_announce(const struct worker *worker, struct ip from)
{
	return worker->config->peers.n_trusted == 0 || config_trusts(worker->config, from);
}

static void
on_client(void *arg, int fd, struct ip from)
{
	struct inlet *inlet = arg;
	struct worker *worker = inlet->worker;
	struct arrival arrival = {
		.fd = fd, .from = from, .guest = guest_enter(worker->guests),
	};

	if (!inlet->is_announced)
		admit(inlet, &arrival);
	else if (may_announce(worker, from))
		wait_for_header(inlet, &arrival);
	else
		turn_away(&arrival, &worker->stats.proxy_headers_refused);
}

static bool
has_room(void *arg)
{
	struct inlet *inlet = arg;

	return guests_have_room(inlet->worker->guests);
}

static void
on_paused(void *arg, int error)
{
	struct inlet *inlet = arg;
	struct worker *worker = inlet->worker;

	stats_count(&worker->stats.accept_pauses);
	if (!guests_may_warn(worker->guests, loop_now(worker->loop)))
		return;
	if (error != 0)
		log_warn("cannot accept: %s; new clients wait until descriptors are free",
		    strerror(error));
	else
		log_warn("%" PRIu64 " clients are connected, as many as descriptors allow "
		    "(LimitNOFILE, ulimit -n); new ones wait",
		    guests_count(worker->guests));
}

struct inlet *
inlet_new(struct worker *worker, int fd, bool is_announced)
{
	static const struct listen_calls calls = {
		.take = on_client, .has_room = has_room, .paused = on_paused,
	};
	struct inlet *inlet = xcalloc(1, sizeof(*inlet));

	inlet->worker = worker;
	inlet->is_announced = is_announced;
	inlet->is_unix = listen_is_unix(fd);
	inlet->listener = listener_new(worker->loop, fd, &calls, inlet);
	return inlet;
}

void
inlet_set_announced(struct inlet *inlet, bool is_announced)
{
	inlet->is_announced = is_announced;
}

struct inlet *
inlet_free(struct inlet *inlet)
{
	if (inlet == NULL)
		return NULL;
	listener_free(inlet->listener);
	while (inlet->waiting != NULL) {
		struct waiting *waiting = inlet->waiting;

		stop_waiting(waiting);
		turn_away(&waiting->arrival, NULL);
	}
	return xfree(inlet);
}
