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
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"
#include "cache/print.h"
#include "cache/savings.h"
#include "cache/store.h"
#include "config/config.h"
#include "proxy/client.h"
#include "proxy/inlet.h"
#include "proxy/metrics.h"
#include "proxy/net/loop.h"
#include "proxy/net/multi.h"
#include "proxy/net/tls_context.h"
#include "proxy/request.h"
#include "proxy/saving.h"
#include "proxy/scout.h"

#define HAND_ON_TIME	(USEC_PER_SEC / 2)

enum order {
	ORDER_SERVE,
	ORDER_DRAIN,
	ORDER_END,
};

/* An address it listens on. */
struct ear {
	struct ear		*next;
	struct inlet		*inlet;
	char			*name;
};

/* What is to be another way: made by the main thread, applied and freed by the worker. */
struct change {
	struct config		*config;
	struct tls_context	*tls;
	struct worker_socket	*sockets;	/* with names of their own */
	size_t			 n_sockets;
};

struct worker_thread {
	struct worker		 worker;	/* first: what requests see of us */
	struct ear		*ears;
	struct scout		*scout;		/* the first worker's, for all; else NULL */
	struct loop_timer	*drain_timer;
	struct loop_timer	*hand_on_timer;
	usec_t			 handed_on;	/* what answers saved: when last, */
	bool			 is_to_hand_on;	/* and is the timer set for the next time? */
	struct loop		*main;		/* borrowed: outlives us */
	pthread_t		 thread;
	_Atomic(struct change *) change;	/* NULL: none, or applied */
	_Atomic usec_t		 turned;
	_Atomic int		 order;
	_Atomic bool		 has_ended;
};

static struct worker_thread *
thread_of(struct worker *worker)
{
	return (struct worker_thread *)(void *)worker;
}

static void
free_ears(struct ear *ears)
{
	struct ear *next;

	for (struct ear *ear = ears; ear != NULL; ear = next) {
		next = ear->next;
		inlet_free(ear->inlet);
		xfree(ear->name);
		xfree(ear);
	}
}

static void
stop_listening(struct worker_thread *wt)
{
	free_ears(wt->ears);
	wt->ears = NULL;
}

static struct ear *
ear_new(struct worker_thread *wt, const struct worker_socket *socket)
{
	struct ear *ear = xcalloc(1, sizeof(*ear));

	ear->name = xstrdup(socket->name);
	ear->inlet = inlet_new(&wt->worker, socket->fd, socket->is_announced);
	return ear;
}

/* Out of the list, the one that is there. */
static struct ear *
take_ear(struct ear **list, const char *name)
{
	struct ear *ear;

	while (strcmp((*list)->name, name) != 0)
		list = &(*list)->next;
	ear = *list;
	*list = ear->next;
	return ear;
}

/* Listen on SOCKETS, and on nothing else any more. */
static void
listen_on(struct worker_thread *wt, const struct worker_socket *sockets, size_t n)
{
	struct ear *ears = NULL;

	for (size_t i = 0; i < n; i++) {
		struct ear *ear = sockets[i].fd >= 0 ? ear_new(wt, &sockets[i]) :
		    take_ear(&wt->ears, sockets[i].name);

		inlet_set_announced(ear->inlet, sockets[i].is_announced);
		ear->next = ears;
		ears = ear;
	}
	free_ears(wt->ears);
	wt->ears = ears;
}

static void
change_free(struct change *change)
{
	for (size_t i = 0; i < change->n_sockets; i++)
		xfree((char *)(uintptr_t)change->sockets[i].name);
	xfree(change->sockets);
	tls_context_unref(change->tls);
	config_unref(change->config);
	xfree(change);
}

/* Who drains listens no more, and has nobody who would ask anew. */
static void
refuse_change(const struct change *change)
{
	for (size_t i = 0; i < change->n_sockets; i++)
		if (change->sockets[i].fd >= 0)
			close(change->sockets[i].fd);
}

/* The new one goes before the old one leaves: there is always one. */
static void
renew_scout(struct worker_thread *wt)
{
	struct scout *old = wt->scout;

	if (old == NULL)
		return;
	wt->scout = scout_new(&wt->worker);
	scout_free(old);
}

/* What was known of requests was known by the routes of the old configuration. */
static void
apply_change(struct worker_thread *wt, struct change *change)
{
	struct worker *w = &wt->worker;

	if (w->is_draining) {
		refuse_change(change);
		return;
	}
	saving_hand_on(w);	/* by the prices it was under */
	config_unref(w->config);
	w->config = config_ref(change->config);
	tls_context_unref(w->tls);
	w->tls = tls_context_ref(change->tls);
	metrics_renew(w->metrics);
	if (w->prints != NULL) {
		prints_free(w->prints);
		w->prints = prints_new(PRINT_SLOTS);
	}
	renew_scout(wt);
	listen_on(wt, change->sockets, change->n_sockets);
}

static void
look_for_change(struct worker_thread *wt)
{
	struct change *change = atomic_load_explicit(&wt->change, memory_order_acquire);

	if (change == NULL)
		return;
	apply_change(wt, change);
	change_free(change);
	atomic_store_explicit(&wt->change, NULL, memory_order_release);
	loop_kick(wt->main);
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
	wt->scout = scout_free(wt->scout);
	clients_drain(wt->worker.clients);
	loop_timer_set(wt->drain_timer, wt->worker.config->drain_timeout);
}

/* Whoever writes it down gets it now and then, not at each hit. */
static void
hand_on_savings(struct worker_thread *wt)
{
	usec_t now = loop_now(wt->worker.loop);

	if (savings_are_empty(wt->worker.savings) || wt->is_to_hand_on)
		return;
	if (now - wt->handed_on >= HAND_ON_TIME) {
		saving_hand_on(&wt->worker);
		wt->handed_on = now;
		return;
	}
	wt->is_to_hand_on = true;
	loop_timer_set(wt->hand_on_timer, HAND_ON_TIME);
}

/* The turn that follows does it. */
static void
on_time_to_hand_on(void *arg)
{
	struct worker_thread *wt = arg;

	wt->is_to_hand_on = false;
}

static void
on_turn(void *arg)
{
	struct worker_thread *wt = arg;
	int order = atomic_load_explicit(&wt->order, memory_order_acquire);

	atomic_store_explicit(&wt->turned, loop_now(wt->worker.loop), memory_order_relaxed);
	if (wt->worker.reader != NULL)
		store_reader_reset(wt->worker.reader);
	hand_on_savings(wt);
	look_for_change(wt);
	if (order != ORDER_SERVE && !wt->worker.is_draining)
		begin_drain(wt);
	if (order == ORDER_END)
		end_all_clients(wt);
	if (wt->worker.is_draining && wt->worker.clients == NULL && wt->worker.flying == NULL)
		loop_stop(wt->worker.loop);
}

static void *
run_worker(void *arg)
{
	struct worker_thread *wt = arg;

	loop_run(wt->worker.loop);
	atomic_store_explicit(&wt->has_ended, true, memory_order_release);
	loop_kick(wt->main);
	return NULL;
}

/* As top -H and the like show it. */
static void
name_thread(struct worker_thread *wt, unsigned number)
{
	char name[16];

	snprintf(name, sizeof(name), "worker %u", number % 1000);
	(void)pthread_setname_np(wt->thread, name);
}

static void
worker_free(struct worker_thread *wt)
{
	struct worker *w = &wt->worker;
	struct change *change = atomic_load_explicit(&wt->change, memory_order_acquire);

	assert(w->clients == NULL && wt->ears == NULL);
	if (change != NULL) {	/* it came too late */
		refuse_change(change);
		change_free(change);
	}
	saving_hand_on(w);
	savings_free(w->savings);
	metrics_free(w->metrics);
	buf_done(&w->head);
	prints_free(w->prints);
	scout_free(wt->scout);
	multi_free(w->multi);
	loop_timer_free(wt->hand_on_timer);
	loop_timer_free(wt->drain_timer);
	if (w->reader != NULL)
		store_reader_close(w->reader);
	loop_free(w->loop);
	tls_context_unref(w->tls);
	config_unref(w->config);
	xfree(wt);
}

int
worker_start(const struct worker_options *options, struct worker **ret_worker)
{
	struct worker_thread *wt = xcalloc(1, sizeof(*wt));
	struct worker *w = &wt->worker;
	int r;

	wt->main = options->main;
	wt->turned = clock_mono();
	w->loop = loop_new();
	w->multi = multi_new(w->loop);
	w->config = config_ref(options->config);
	w->tls = tls_context_ref(options->tls);
	w->store = options->store;
	w->scribe = options->scribe;
	w->variants = options->variants;
	w->flights = options->flights;
	w->guests = options->guests;
	w->refreshes = options->refreshes;
	w->ledger = options->ledger;
	w->upstreams = options->upstreams;
	w->board = options->board;
	w->savings = savings_new();
	w->outlets = options->outlets;
	w->metrics = metrics_new();
	buf_init(&w->head, WORKER_HEAD_MAX);
	if (w->store != NULL) {
		w->reader = store_reader_open(w->store);
		w->prints = prints_new(PRINT_SLOTS);
	}
	if (getrandom(&w->next_id, sizeof(w->next_id), 0) < 0)
		w->next_id = (uint64_t)clock_wall();
	wt->drain_timer = loop_timer_new(w->loop, end_all_clients, w);
	wt->hand_on_timer = loop_timer_new(w->loop, on_time_to_hand_on, wt);
	listen_on(wt, options->sockets, options->n_sockets);
	if (options->number == 0)	/* what one does for all */
		wt->scout = scout_new(w);
	loop_set_turn_hook(w->loop, on_turn, wt);
	r = -pthread_create(&wt->thread, NULL, run_worker, wt);
	if (r < 0) {
		stop_listening(wt);
		worker_free(wt);
		return r;
	}
	name_thread(wt, options->number);
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
worker_change(struct worker *worker, struct config *config, struct tls_context *tls,
    const struct worker_socket *sockets, size_t n_sockets)
{
	struct worker_thread *wt = thread_of(worker);
	struct change *change = xcalloc(1, sizeof(*change));

	assert(worker_has_changed(worker));
	change->config = config_ref(config);
	change->tls = tls_context_ref(tls);
	change->sockets = xcalloc(n_sockets, sizeof(*sockets));
	change->n_sockets = n_sockets;
	for (size_t i = 0; i < n_sockets; i++)
		change->sockets[i] = (struct worker_socket){
			xstrdup(sockets[i].name), sockets[i].fd, sockets[i].is_announced,
		};
	atomic_store_explicit(&wt->change, change, memory_order_release);
	loop_kick(worker->loop);
}

bool
worker_has_changed(const struct worker *worker)
{
	const struct worker_thread *wt = (const struct worker_thread *)(const void *)worker;

	return atomic_load_explicit(&wt->change, memory_order_acquire) == NULL;
}

void
worker_drain(struct worker *worker, bool hard)
{
	struct worker_thread *wt = thread_of(worker);

	atomic_store_explicit(&wt->order, hard ? ORDER_END : ORDER_DRAIN, memory_order_release);
	loop_kick(worker->loop);
}

void
worker_ping(struct worker *worker)
{
	loop_kick(worker->loop);
}

usec_t
worker_turned(struct worker *worker)
{
	return atomic_load_explicit(&thread_of(worker)->turned, memory_order_relaxed);
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
