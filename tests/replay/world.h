/* SPDX-License-Identifier: MIT */
/*
 * world.h - what surrounds the request engine in a replay: loop, clock,
 * connections, upstream transfers and scribe, each replaced at link time by a
 * fake that does nothing by itself.  Time moves, bytes come and upstreams
 * answer only when the script says so.
 */
#ifndef REPLAY_WORLD_H
#define REPLAY_WORLD_H

#include "base/buf.h"
#include "base/clock.h"
#include "proxy/net/fetch.h"

#define WORLD_CONNS	16
#define WORLD_FETCHES	64

/* One end of a connection: ours is conn.h, this is what its client sees. */
struct fake_conn {
	struct loop_task	*owner;		/* NULL: not open, or closed by us */
	struct buf		 in;		/* sent by the client, not yet read by us */
	struct buf		 unsent;	/* written by us, not yet taken */
	struct buf		 out;		/* taken by the client, not yet expected */
	uint64_t		 sent;
	bool			 was_open;
	bool			 is_opening;	/* hands are being shaken */
	bool			 is_holding;	/* takes nothing */
	bool			 is_at_end;
	bool			 is_broken;
	bool			 is_shut;	/* we said FIN */
	bool			 is_abortive;
};

struct fake_fetch {
	struct fetch	*fetch;			/* NULL once freed */
	struct buf	 head;			/* method, target, fields: as lines */
	struct buf	 body;
	bool		 was_cancelled;		/* freed before it ended */
};

extern struct fake_conn world_conns[WORLD_CONNS];
extern struct fake_fetch world_fetches[WORLD_FETCHES];
extern unsigned world_n_fetches;

/* Turn the loops, one after another, until nothing is ready on any. */
void	world_settle(void);

/* The wall clock jumps to where it is AHEAD of the time that passes, which does not. */
void	world_set_wall(usec_t ahead);

/* We are stopped for TIME: all timers that are due by then fire before anything runs. */
void	world_stop(usec_t time);

/* Let TIME pass, timer by timer. */
void	world_pass(usec_t time);

/* A client's side of connection N. */
void	world_send(unsigned n, struct bytes data);
void	world_take(unsigned n, bool takes);
void	world_wake(unsigned n);

/* The upstream's side of fetch N. */
void	world_fetch_head(unsigned n, int status);
void	world_fetch_field(unsigned n, struct bytes name, struct bytes value);
void	world_fetch_body(unsigned n, struct bytes data);
void	world_fetch_end(unsigned n, enum fetch_framing framing);
void	world_fetch_fail(unsigned n, enum fetch_failure failure);

#endif
