/* SPDX-License-Identifier: MIT */
/*
 * client.c - reading in order, answering in order, closing with manners.
 *
 * One timer per client, which is set to the earliest time anything could be
 * due and finds out when it fires: a deadline that moves costs no system call.
 */
#include "proxy/client.h"

#include <unistd.h>

#include "base/mem.h"
#include "proxy/net/conn.h"
#include "proxy/net/loop.h"
#include "proxy/request.h"
#include "proxy/worker.h"

/* H-8; absolute, so that a byte now and then does not move them. */
#define HEAD_TIME	(10 * USEC_PER_SEC)
#define BODY_TIME	(10 * USEC_PER_SEC)
#define BODY_RATE	1000			/* and a second for so many bytes */
#define IDLE_TIME	(60 * USEC_PER_SEC)
#define WRITE_TIME	(60 * USEC_PER_SEC)
#define LINGER_TIME	(1 * USEC_PER_SEC)
#define LINGER_MAX	((size_t)64 << 10)

enum client_state {
	CLIENT_OPENING,		/* shaking hands */
	CLIENT_IDLE,		/* no byte of a request yet */
	CLIENT_HEAD,		/* a head is coming */
	CLIENT_BODY,		/* a body is coming */
	CLIENT_ANSWERING,	/* the request is whole */
	CLIENT_FLUSHING,	/* the last answer is leaving, then we close */
	CLIENT_LINGERING,
	CLIENT_CLOSED,
};

struct client {
	struct worker		*worker;	/* borrowed: outlives us */
	struct client		*next, **link;	/* in the worker's list */
	struct conn		*conn;
	struct ip		 from;
	bool			 is_announced;
	struct guest		 guest;
	struct request		*request;	/* NULL while idle */
	struct loop_timer	*timer;
	struct loop_task	 task;
	usec_t			 deadline;	/* 0: none */
	usec_t			 timer_at;	/* when the timer fires; 0: not set */
	uint64_t		 sent_before;	/* to see whether a write stalls */
	size_t			 lingered;
	bool			 has_no_fin;
	enum client_state	 state;
};

static void client_run(void *arg);

static void
set_deadline(struct client *client, usec_t delay)
{
	usec_t now = loop_now(client->worker->loop);

	client->deadline = now + delay;
	if (client->timer_at != 0 && client->timer_at <= client->deadline)
		return;
	client->timer_at = client->deadline;
	loop_timer_set(client->timer, delay);
}

static void
free_client(void *arg)
{
	struct client *client = arg;

	conn_free(client->conn);
	guest_leave(&client->guest);
	loop_timer_free(client->timer);
	xfree(client);
}

static void
close_client(struct client *client)
{
	if (client->state == CLIENT_CLOSED)
		return;
	/* Who only looks whether somebody listens does not begin one. */
	if (client->state == CLIENT_OPENING && !conn_is_at_end(client->conn))
		stats_count(&client->worker->stats.handshakes_failed);
	client->state = CLIENT_CLOSED;
	if (client->request != NULL)
		request_end(client->request, END_CLIENT_GONE);
	*client->link = client->next;
	if (client->next != NULL)
		client->next->link = client->link;
	loop_task_cancel(&client->task);
	loop_timer_clear(client->timer);
	loop_free_later(client->worker->loop, client, free_client);
}

static void
on_deadline(struct client *client)
{
	client->deadline = 0;
	switch (client->state) {
	case CLIENT_HEAD:
	case CLIENT_BODY:
		request_time_out(client->request);
		break;
	case CLIENT_ANSWERING:
	case CLIENT_FLUSHING:
		if (conn_sent(client->conn) == client->sent_before)
			close_client(client);
		break;
	default:
		close_client(client);
	}
}

static void
on_timer(void *arg)
{
	struct client *client = arg;

	client->timer_at = 0;
	loop_task_wake(&client->task);
}

static bool
is_due(struct client *client)
{
	usec_t now = loop_now(client->worker->loop);

	if (client->deadline == 0 || client->timer_at != 0)
		return false;
	if (now >= client->deadline)
		return true;
	client->timer_at = client->deadline;
	loop_timer_set(client->timer, client->deadline - now);
	return false;
}

/* A client accepted while draining had connected before: it is answered (H-14). */
static void
await_request(struct client *client)
{
	client->state = CLIENT_IDLE;
	set_deadline(client, client->worker->is_draining ? LINGER_TIME : IDLE_TIME);
}

void
client_new(struct worker *worker, const struct arrival *arrival)
{
	struct client *client = xcalloc(1, sizeof(*client));

	client->worker = worker;
	client->from = arrival->from;
	client->is_announced = arrival->is_announced;
	client->guest = arrival->guest;
	loop_task_init(&client->task, worker->loop, client_run, client);
	client->timer = loop_timer_new(worker->loop, on_timer, client);
	client->conn = conn_new(worker->loop, arrival->fd, arrival->tls, &client->task);
	conn_charge(client->conn, guests_memory(worker->guests));
	client->next = worker->clients;
	client->link = &worker->clients;
	if (client->next != NULL)
		client->next->link = &client->next;
	worker->clients = client;
	if (conn_is_opening(client->conn))
		set_deadline(client, worker->is_draining ? LINGER_TIME : HEAD_TIME);
	else
		await_request(client);
}

static void
begin_request(struct client *client)
{
	struct bytes in = conn_in(client->conn);

	if (in.len == 0) {
		if (conn_is_at_end(client->conn))
			close_client(client);
		return;
	}
	/* Answers that are not taken hold up the questions behind them (C5). */
	if (conn_unsent(client->conn) > 0)
		return;
	client->state = CLIENT_HEAD;
	set_deadline(client, HEAD_TIME);
	client->request = request_new(client->worker, client);
	request_run(client->request);
}

static void
open_client(struct client *client)
{
	if (!conn_is_opening(client->conn)) {
		await_request(client);
		begin_request(client);
	} else if (conn_is_at_end(client->conn)) {
		close_client(client);
	}
}

static void
flush(struct client *client)
{
	if (conn_unsent(client->conn) > 0)
		return;
	if (client->has_no_fin) {
		close_client(client);
		return;
	}
	conn_shutdown(client->conn);
	client->state = CLIENT_LINGERING;
	set_deadline(client, LINGER_TIME);
	loop_task_wake(&client->task);	/* its last byte may have come before ours went */
}

static void
linger(struct client *client)
{
	struct bytes in = conn_in(client->conn);

	client->lingered += in.len;
	conn_consume(client->conn, in.len);
	if (conn_is_at_end(client->conn) || client->lingered > LINGER_MAX)
		close_client(client);
}

/* A write that moves has its deadline moved; one that stalls is found by it. */
static void
watch_writing(struct client *client)
{
	uint64_t sent = conn_sent(client->conn);

	if (conn_unsent(client->conn) == 0) {
		if (client->state == CLIENT_ANSWERING)
			client->deadline = 0;
		return;
	}
	if (client->state == CLIENT_HEAD || client->state == CLIENT_BODY)
		return;
	if (client->deadline == 0 || sent != client->sent_before)
		set_deadline(client, WRITE_TIME);
	client->sent_before = sent;
}

/* What can be done with what is there. */
static void
go_on(struct client *client)
{
	switch (client->state) {
	case CLIENT_OPENING:
		open_client(client);
		break;
	case CLIENT_IDLE:
		begin_request(client);
		break;
	case CLIENT_HEAD:
	case CLIENT_BODY:
	case CLIENT_ANSWERING:
		request_run(client->request);
		break;
	case CLIENT_FLUSHING:
		flush(client);
		break;
	case CLIENT_LINGERING:
		linger(client);
		break;
	case CLIENT_CLOSED:
		break;
	}
}

/*
 * Deadlines come last: where we were not run for a while, what was in time has been
 * waiting, and moves them (F18).
 */
static void
client_run(void *arg)
{
	struct client *client = arg;

	if (conn_is_broken(client->conn)) {
		close_client(client);
		return;
	}
	go_on(client);
	if (client->state != CLIENT_CLOSED && is_due(client))
		on_deadline(client);
	if (client->state != CLIENT_CLOSED)
		watch_writing(client);
}

struct conn *
client_conn(struct client *client)
{
	return client->conn;
}

struct ip
client_address(const struct client *client)
{
	return client->from;
}

bool
client_is_announced(const struct client *client)
{
	return client->is_announced;
}

void
client_break_off(struct client *client, bool has_no_fin)
{
	client->has_no_fin = has_no_fin;
	conn_set_abortive(client->conn);
}

void
client_wake(struct client *client)
{
	loop_task_wake(&client->task);
}

void
client_expects_body(struct client *client, uint64_t len)
{
	client->state = CLIENT_BODY;
	set_deadline(client, BODY_TIME + (usec_t)len * (USEC_PER_SEC / BODY_RATE));
}

void
client_request_is_read(struct client *client)
{
	client->state = CLIENT_ANSWERING;
	client->deadline = 0;
}

void
client_request_ended(struct client *client, bool may_follow)
{
	client->request = NULL;
	if (client->state == CLIENT_CLOSED)
		return;
	client->sent_before = conn_sent(client->conn);
	client->state = may_follow && !client->worker->is_draining ?
	    CLIENT_IDLE : CLIENT_FLUSHING;
	set_deadline(client, client->state == CLIENT_IDLE ? IDLE_TIME : WRITE_TIME);
	if (client->state == CLIENT_FLUSHING || conn_in(client->conn).len > 0 ||
	    conn_is_at_end(client->conn))
		loop_task_wake(&client->task);
}

void
clients_drain(struct client *first)
{
	struct client *next;

	for (struct client *client = first; client != NULL; client = next) {
		next = client->next;
		if (client->state != CLIENT_IDLE && client->state != CLIENT_OPENING) {
			loop_task_wake(&client->task);	/* it may have waited long enough */
			continue;
		}
		/* One that has not asked yet may have a question on its way (H-14). */
		if (conn_in(client->conn).len == 0 && conn_sent(client->conn) > 0)
			client->state = CLIENT_FLUSHING;
		else
			set_deadline(client, LINGER_TIME);
		loop_task_wake(&client->task);
	}
}

void
client_cut(struct client *client)
{
	if (client->request != NULL)
		request_cut(client->request);
	close_client(client);
}
