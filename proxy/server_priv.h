/* SPDX-License-Identifier: MIT */
/*
 * server_priv.h - what the files of the main thread share: server.c (its life) and those
 * that answer its administrator, admin.c and admin_*.c.  For them alone.
 */
#ifndef PROXY_SERVER_PRIV_H
#define PROXY_SERVER_PRIV_H

#include "base/rate.h"
#include "proxy/outlets.h"
#include "proxy/handover.h"
#include "proxy/server.h"
#include "proxy/watch.h"

/* Those that are for us, read as they come. */
struct signals {
	struct loop_watch	*watch;
	int			 fd;
};

/* Who came before us, and who comes after. */
struct succession {
	struct takeover	  takeover;	/* of the place of another server, at the start */
	struct handover	 *handover;	/* of ours; NULL: nobody can ask for it */
	bool		  is_over;	/* our place is taken */
};

struct server {
	struct loop	 *loop;		/* of the main thread */
	struct signals	  signals;
	struct {
		struct loop_timer *tick;
		usec_t		  started;	/* of the wall clock */
	} time;
	struct watch	  watch;
	struct admin	 *admin;
	struct succession succession;
	struct watchdog	 *watchdog;	/* NULL: nobody waits for it */
	struct listening *listening;
	struct config	 *config;	/* a reference of our own */
	struct tls_context *tls;	/* likewise; NULL: none is spoken */
	const struct server_source *source;	/* borrowed: outlives us */
	struct store	 *store;	/* NULL: serving without a cache */
	struct scribe	 *scribe;
	struct variants	 *variants;
	struct flights	 *flights;
	struct {
		struct guests	*guests;
		struct rate_meter refreshes;
	} limits;			/* of all workers together */
	struct ledger	 *ledger;
	struct upstreams *upstreams;
	struct board	 *board;
	struct outlets	  outlets;
	struct worker	**workers;
	unsigned	  n_workers;
	struct {
		struct metrics	*metrics;	/* of all workers, at the scrape */
		uint64_t	 requests;	/* when the status was told */
	} last;
	bool		  is_draining;
	bool		  is_reloading;	/* until all workers have changed */
};

/* Another server serves in SRV's place, which drains and ends. */
void	server_give_way(struct server *srv);

#endif
