/* SPDX-License-Identifier: MIT */
/*
 * metrics.h - what one worker did, by route, team and upstream: counters and durations.
 *
 * The worker alone writes, without a lock; others may read at any time, since what is
 * once in a list stays there, and is whole before it is.  Bounded: what comes past
 * METRICS_SERIES_MAX pairs of route and team counts as "other".
 */
#ifndef PROXY_METRICS_H
#define PROXY_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "proxy/stats.h"

#define METRICS_SERIES_MAX	10000
#define METRICS_STATUSES	600	/* an HTTP status is below this */
#define METRICS_CANCELLED	0	/* in place of one: nobody waited any more */
#define METRICS_FAILED		1	/* no answer, or none that was whole */
#define METRICS_LABEL_SIZE	96
#define METRICS_LABELS_SIZE	(4 * METRICS_LABEL_SIZE + 32)

struct config_route;
struct metrics;
struct request;

/* The requests of one route and team. */
struct metrics_series {
	_Atomic(struct metrics_series *) next;
	char			 labels[METRICS_LABELS_SIZE];	/* route="", team="", escaped */
	_Atomic uint64_t	 ended[END_REASONS];
	_Atomic uint64_t	 saved_usec;	/* that upstreams took for what was given again */
};

/* The calls of one upstream. */
struct metrics_upstream {
	_Atomic(struct metrics_upstream *) next;
	char			 name[METRICS_LABEL_SIZE];
	_Atomic uint64_t	 statuses[METRICS_STATUSES];
	struct histogram	 first_byte;	/* until the head of the answer */
	struct histogram	 total;
};

/* ROUTE as its line in the configuration: its globs, and what else it looks at. */
void		metrics_name_route(const struct config_route *route,
		    char label[METRICS_LABEL_SIZE]);

struct metrics	*metrics_new(void);
struct metrics	*metrics_free(struct metrics *metrics);

/* Another configuration takes the place of the worker's. */
void	metrics_renew(struct metrics *metrics);

/* REQ ended for its client, for the reason WHY. */
void	metrics_request(struct metrics *metrics, const struct request *req, enum end_reason why);

/* The call that REQ made is over; IS_CANCELLED: before its answer was. */
void	metrics_call(struct metrics *metrics, const struct request *req, bool is_cancelled);

/* Set all that was counted to 0; the lists stay.  For what others are merged into. */
void	metrics_clear(struct metrics *metrics);

/* Add all of FROM, another thread's, to TO. */
void	metrics_merge(struct metrics *to, const struct metrics *from);

/* The first of each list, the newest first. */
const struct metrics_series	*metrics_series(const struct metrics *metrics);
const struct metrics_upstream	*metrics_upstreams(const struct metrics *metrics);

/* Time in the proxy, less the time it waited for others, of requests that ended for WHY. */
const struct histogram	*metrics_overhead(const struct metrics *metrics, enum end_reason why);

#endif
