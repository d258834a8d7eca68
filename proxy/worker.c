/* SPDX-License-Identifier: MIT */
/*
 * worker.c - the life of a worker: serve, drain, end.
 *
 * Other threads speak to it through one atomic word and a kick of its loop;
 * the turn hook reads the word.
 */
#include "proxy/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"
#include "cache/print.h"
#include "cache/scribe.h"
#include "cache/store.h"
#include "config/config.h"
#include "proxy/client.h"
#include "proxy/net/listen.h"
#include "proxy/net/loop.h"
#include "proxy/net/multi.h"
#include "proxy/request.h"

#define TALLY_TIME	(1 * USEC_PER_SEC)

enum order {
	ORDER_SERVE,
	ORDER_DRAIN,
	ORDER_END,
};

struct worker_thread {
	struct worker		 worker;	/* first: what requests see of us */
	struct listener		**listeners;
	unsigned		 n_listeners;
	struct loop_timer	*drain_timer;
	pthread_t		 thread;
	_Atomic int		 order;
	_Atomic bool		 has_ended;
	int			 end_signal;
};

static struct worker_thread *
thread_of(struct worker *worker)
{
	return (struct worker_thread *)(void *)worker;
}

static void
stop_listening(struct worker_thread *wt)
{
	for (unsigned i = 0; i < wt->n_listeners; i++)
		wt->listeners[i] = listener_free(wt->listeners[i]);
	wt->n_listeners = 0;
}

static void
end_all_clients(void *arg)
{
	struct worker *worker = arg;

	while (worker->clients != NULL)
		client_cut(worker->clients);
	while (worker->flying != NULL)
		request_end(worker->flying, END_SHUTDOWN);
}

static void
begin_drain(struct worker_thread *wt)
{
	wt->worker.is_draining = true;
	stop_listening(wt);
	clients_drain(wt->worker.clients);
	loop_timer_set(wt->drain_timer, wt->worker.config->drain_timeout);
}

/* Whoever writes it down gets it now and then, not at each hit. */
static void
hand_on_tally(struct worker *worker, usec_t after)
{
	usec_t now = loop_now(worker->loop);

	if (worker->scribe == NULL || tally_is_empty(worker->tally) ||
	    now - worker->tallied < after)
		return;
	scribe_tally(worker->scribe, worker->tally);
	worker->tallied = now;
}

static void
on_turn(void *arg)
{
	struct worker_thread *wt = arg;
	int order = atomic_load_explicit(&wt->order, memory_order_acquire);

	if (wt->worker.reader != NULL)
		store_reader_reset(wt->worker.reader);
	hand_on_tally(&wt->worker, TALLY_TIME);
	if (order != ORDER_SERVE && !wt->worker.is_draining)
		begin_drain(wt);
	if (order == ORDER_END)
		end_all_clients(wt);
	if (wt->worker.is_draining && wt->worker.clients == NULL && wt->worker.flying == NULL)
		loop_stop(wt->worker.loop);
}

static void
on_client(void *arg, int fd)
{
	client_new(arg, fd);
}

static void *
run_worker(void *arg)
{
	struct worker_thread *wt = arg;

	loop_run(wt->worker.loop);
	atomic_store_explicit(&wt->has_ended, true, memory_order_release);
	kill(getpid(), wt->end_signal);
	return NULL;
}

static void
worker_free(struct worker_thread *wt)
{
	struct worker *w = &wt->worker;

	assert(w->clients == NULL && wt->n_listeners == 0);
	hand_on_tally(w, 0);
	tally_free(w->tally);
	buf_done(&w->head);
	prints_free(w->prints);
	multi_free(w->multi);
	loop_timer_free(wt->drain_timer);
	if (w->reader != NULL)
		store_reader_close(w->reader);
	loop_free(w->loop);
	config_unref(w->config);
	xfree(wt->listeners);
	xfree(wt);
}

int
worker_start(const struct worker_options *options, struct worker **ret_worker)
{
	struct worker_thread *wt = xcalloc(1, sizeof(*wt));
	struct worker *w = &wt->worker;
	int r;

	wt->end_signal = options->end_signal;
	w->loop = loop_new();
	w->multi = multi_new(w->loop);
	w->config = config_ref(options->config);
	w->store = options->store;
	w->scribe = options->scribe;
	w->variants = options->variants;
	w->flights = options->flights;
	w->refreshes = options->refreshes;
	w->ledger = options->ledger;
	w->upstreams = options->upstreams;
	w->tally = tally_new();
	buf_init(&w->head, WORKER_HEAD_MAX);
	if (w->store != NULL) {
		w->reader = store_reader_open(w->store);
		w->prints = prints_new(PRINT_SLOTS);
	}
	if (getrandom(&w->next_id, sizeof(w->next_id), 0) < 0)
		w->next_id = (uint64_t)clock_wall();
	wt->drain_timer = loop_timer_new(w->loop, end_all_clients, w);
	wt->listeners = xcalloc(options->n_fds, sizeof(struct listener *));
	for (unsigned i = 0; i < options->n_fds; i++)
		wt->listeners[i] = listener_new(w->loop, options->fds[i], on_client, w);
	wt->n_listeners = options->n_fds;
	loop_set_turn_hook(w->loop, on_turn, wt);
	r = -pthread_create(&wt->thread, NULL, run_worker, wt);
	if (r < 0) {
		stop_listening(wt);
		worker_free(wt);
		return r;
	}
	*ret_worker = w;
	return 0;
}

uint64_t
worker_draw_id(struct worker *worker)
{
	/* An odd step visits every number once; the golden ratio leaves no pattern to the eye. */
	return worker->next_id += UINT64_C(0x9e3779b97f4a7c15);
}

void
worker_drain(struct worker *worker, bool hard)
{
	struct worker_thread *wt = thread_of(worker);

	atomic_store_explicit(&wt->order, hard ? ORDER_END : ORDER_DRAIN, memory_order_release);
	loop_kick(worker->loop);
}

bool
worker_has_ended(struct worker *worker)
{
	return atomic_load_explicit(&thread_of(worker)->has_ended, memory_order_acquire);
}

void
worker_join(struct worker *worker, struct stats *total)
{
	struct worker_thread *wt = thread_of(worker);

	pthread_join(wt->thread, NULL);
	stats_add(total, &worker->stats);
	worker_free(wt);
}
