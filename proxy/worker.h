/* SPDX-License-Identifier: MIT */
/*
 * worker.h - one thread that serves: its loop, its listening sockets, its
 * upstream transfers, its reader of the store, its clients.  A hit touches
 * nothing that another thread writes.
 *
 * Requests borrow the worker they run on; only worker.c writes its members.
 */
#ifndef PROXY_WORKER_H
#define PROXY_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "proxy/http/respond.h"
#include "proxy/outlets.h"
#include "proxy/stats.h"

#define WORKER_HEAD_MAX	((size_t)256 << 10)

struct board;
struct client;
struct config;
struct flights;
struct guests;
struct ledger;
struct loop;
struct metrics;
struct multi;
struct prints;
struct rate_meter;
struct request;
struct savings;
struct scribe;
struct store;
struct store_reader;
struct tls_context;
struct upstreams;
struct variants;

struct worker {
	struct loop		*loop;
	struct multi		*multi;
	struct config		*config;	/* a reference of our own */
	struct tls_context	*tls;		/* likewise; NULL: all speak plainly */
	struct store		*store;		/* borrowed; NULL: serving without a cache */
	struct scribe		*scribe;	/* borrowed; NULL with it */
	struct store_reader	*reader;	/* NULL with them */
	struct prints		*prints;	/* requests seen before; NULL with them */
	struct variants		*variants;	/* borrowed: shared by all workers */
	struct savings		*savings;	/* what answers without a call were */
	struct flights		*flights;	/* borrowed: shared by all workers */
	struct upstreams	*upstreams;	/* likewise: how they are */
	struct board		*board;		/* likewise: what they say about themselves */
	struct ledger		*ledger;	/* likewise: what teams have used */
	struct rate_meter	*refreshes;	/* likewise: what was refreshed ahead */
	struct guests		*guests;	/* likewise: who is connected */
	struct client		*clients;	/* all that are connected here */
	struct request		*flying;	/* whose clients left, and others wait */
	struct outlets		 outlets;	/* borrowed */
	struct stats		 stats;
	struct metrics		*metrics;
	struct respond_date	 date;
	struct buf		 head;		/* room for the head of an answer, empty between */
	uint64_t		 next_id;
	bool			 is_draining;	/* no new requests; the last one stops the loop */
};

/* Where a worker listens. */
struct worker_socket {
	const char	*name;		/* of the address: the same name is the same socket */
	int		 fd;		/* the worker's from then on; -1: it has it already */
	bool		 is_announced;	/* who connects says whose connection it is */
};

struct worker_options {
	unsigned	 number;	/* from 0: its thread is called by it */
	struct config	*config;
	struct tls_context *tls;	/* for TCP; NULL: none */
	struct store	*store;
	struct scribe	*scribe;
	struct variants	*variants;
	struct flights	*flights;
	struct guests	*guests;
	struct rate_meter *refreshes;
	struct ledger	*ledger;
	struct upstreams *upstreams;
	struct board	*board;
	struct outlets	 outlets;
	const struct worker_socket *sockets;	/* borrowed; what they name is taken */
	size_t		 n_sockets;
	struct loop	*main;		/* kicked when the worker has changed, or ended */
};

/* Start a worker on a thread of its own. */
int	worker_start(const struct worker_options *options, struct worker **ret_worker) MUST_USE;

/*
 * From the main thread: serve new requests as CONFIG says, and new connections as TLS,
 * which may be NULL, and listen on SOCKETS alone;
 * those under way go on as they began.  It is done when worker_has_changed(), until when
 * there may be no other change.
 */
void	worker_change(struct worker *worker, struct config *config, struct tls_context *tls,
	    const struct worker_socket *sockets, size_t n_sockets);
bool	worker_has_changed(const struct worker *worker);

/*
 * From another thread: take no more clients, answer those there are, and end
 * when they are gone or the drain time is over; at once if HARD.
 */
void	worker_drain(struct worker *worker, bool hard);

/* An id for a request: no two alike, hard to guess. */
uint64_t	worker_draw_id(struct worker *worker);

bool	worker_has_ended(struct worker *worker);

/* From the main thread: have its loop turn; when it did for the last time (monotonic). */
void	worker_ping(struct worker *worker);
usec_t	worker_turned(struct worker *worker);

/* Wait for its thread to end, add what it counted to TOTAL, and free it. */
void	worker_join(struct worker *worker, struct stats *total);

#endif
