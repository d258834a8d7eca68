/* SPDX-License-Identifier: MIT */
/*
 * stats.h - counters, one set per worker, so that counting shares no cache line.
 */
#ifndef PROXY_STATS_H
#define PROXY_STATS_H

#include <stdint.h>

enum end_reason {
#define END(name, counter, word) name,
#include "proxy/end_tbl.h"
#undef END
};

struct stats {
#define STAT(name, help) uint64_t name;
#include "proxy/stat_tbl.h"
#undef STAT
};

/* Count a request that ended for REASON. */
void	stats_end(struct stats *stats, enum end_reason reason);

/* The word for REASON in the access log. */
const char	*stats_end_word(enum end_reason reason);

/* Add the counters of FROM to those of TO. */
void	stats_add(struct stats *to, const struct stats *from);

/* Log every counter that is not zero, in one line. */
void	stats_log(const struct stats *stats);

#endif
