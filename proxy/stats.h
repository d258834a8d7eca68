/* SPDX-License-Identifier: MIT */
/*
 * stats.h - counters, one set per worker, so that counting shares no cache line.  One
 * thread counts; others may look at any time.
 */
#ifndef PROXY_STATS_H
#define PROXY_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum end_reason {
#define END(name, counter, word) name,
#include "proxy/end_tbl.h"
#undef END
	END_REASONS,
};

struct stats {
#define STAT(name, help) _Atomic uint64_t name;
#include "proxy/stat_tbl.h"
#undef STAT
};

/* One more. */
void	stats_count(_Atomic uint64_t *counter);

/* Count a request that ended for REASON. */
void	stats_end(struct stats *stats, enum end_reason reason);

/* Does a request that ends add to the counter called NAME? */
bool	stats_is_end(const char *name);

/* The word for REASON in the access log. */
const char	*stats_end_word(enum end_reason reason);

/* Add the counters of FROM to those of TO. */
void	stats_add(struct stats *to, const struct stats *from);

/* Call FN with each counter: its name, what it means, how far it is. */
typedef void stats_fn(void *arg, const char *name, const char *help, uint64_t value);
void	stats_walk(const struct stats *stats, stats_fn *fn, void *arg);

/* Log every counter that is not zero, in one line. */
void	stats_log(const struct stats *stats);

#endif
