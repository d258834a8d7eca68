/* SPDX-License-Identifier: MIT */
/*
 * flight.h - one upstream call that several requests wait for, on whatever
 * workers they are.  The first that asks leads: it makes the call and publishes
 * what comes.  Those that ask meanwhile have a seat, read the bytes so far at
 * once and then the rest as it comes.
 *
 *	waiting --> head --> landed		all there is has come
 *	       `---------`--> failed		the call failed, or will not be shared
 *
 * What was published does not move or change: seats read it without a lock.  The
 * table has 64 shards with a mutex each, taken only after a miss.
 */
#ifndef CACHE_FLIGHT_H
#define CACHE_FLIGHT_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "cache/key.h"

struct flight;
struct flights;
struct quota;

struct flights	*flights_new(void);
struct flights	*flights_free(struct flights *flights);	/* none may be under way */

/* What those that begin from now on hold is charged to QUOTA, which outlives them. */
void		 flights_charge(struct flights *flights, struct quota *quota);

enum flight_state {
	FLIGHT_WAITING,
	FLIGHT_HEAD,
	FLIGHT_LANDED,
	FLIGHT_FAILED,
};

/* What is known of the answer before its body; copied when it is published. */
struct flight_head {
	int		status;
	unsigned	form;		/* its caller's */
	bool		is_live;	/* the body is still coming */
	bool		is_stream;	/* of events, as its caller asked for */
	struct bytes	fields;		/* "name: value\r\n" each, as they go to clients */
	struct bytes	compute;
	struct bytes	compute_time;
};

/* Tokens that its answer says it took; none if it says nothing. */
struct flight_usage {
	uint64_t	input, output;
};

/*
 * A place in a flight, embedded in the request that waits.  WAKE is called by the
 * leader's thread whenever there is news.
 */
typedef void flight_wake_fn(void *arg);
struct flight_seat {
	struct flight		*flight;	/* NULL: not seated */
	flight_wake_fn		*wake;
	void			*arg;
	struct flight_seat	*next, **link;
	struct flight_chunk	*chunk;		/* where it reads; NULL: from the start */
	size_t			 chunk_at;
	size_t			 at;		/* bytes read of the whole */
};

/*
 * Lead the flight of KEY and QUESTION: *RET_FLIGHT, to be ended by
 * flight_land() or flight_fail(), and SEAT, which stays free, is woken when
 * someone joins and when the last of them leaves; or, if it is under way, take SEAT in it and leave
 * *RET_FLIGHT NULL.  Another question under the same key is led apart.
 */
void	flight_join(struct flights *flights, const struct key *key, struct bytes question,
	    struct flight_seat *seat, struct flight **ret_flight);

/* How many are under way, and how many seats are taken in them; any thread. */
struct flight_count {
	uint64_t	flights;
	uint64_t	seats;
};
struct flight_count	flight_count(const struct flights *flights);

/* Leave; nothing is read any more.  Does nothing without a seat. */
void	flight_leave(struct flight_seat *seat);

/* The rest is the leader's, until one of the last two, with which its flight is gone. */

bool	flight_is_awaited(struct flight *flight);

/* No one joins any more. */
void	flight_close(struct flight *flight);

void	flight_set_head(struct flight *flight, const struct flight_head *head);
void	flight_add(struct flight *flight, struct bytes body);
void	flight_set_usage(struct flight *flight, const struct flight_usage *usage);
void	flight_land(struct flight *flight);
void	flight_fail(struct flight *flight, int failure);	/* FAILURE is its caller's */

/* For seats. */
enum flight_state	 flight_state(const struct flight_seat *seat);
const struct flight_head *flight_head(const struct flight_seat *seat);	/* from FLIGHT_HEAD on */
int	flight_failure(const struct flight_seat *seat);			/* once failed */
const struct flight_usage *flight_usage(const struct flight_seat *seat);	/* once landed */

/* What has come and was not read, as far as it lies in one piece; then it is read. */
struct bytes	flight_read(struct flight_seat *seat);
void		flight_advance(struct flight_seat *seat, size_t len);

/* How much there is in all. */
size_t		flight_len(const struct flight_seat *seat);

#endif
