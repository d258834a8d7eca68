/* SPDX-License-Identifier: MIT */
/*
 * exporter.h - spans on their way to a collector (OTLP over HTTP, as JSON): a batch every
 * 5 s, or when there are 512.
 *
 * Workers hand them on and wait for nobody; the main thread's loop sends.  Where the
 * collector cannot be reached the batch is kept and sent again, after pauses that grow, and
 * what finds no room meanwhile is dropped and counted.
 */
#ifndef PROXY_EXPORTER_H
#define PROXY_EXPORTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "proxy/net/loop.h"

struct config;
struct exporter;
struct multi;

/* LOOP and MULTI are the main thread's, borrowed; all but exporter_put() is for it alone. */
struct exporter	*exporter_new(struct loop *loop, struct multi *multi);
struct exporter	*exporter_free(struct exporter *exporter);

/* Where to, from now on: as CONFIG says, which may be nowhere. */
void	exporter_renew(struct exporter *exporter, const struct config *config);

/* From any thread: a span as a JSON object. */
void	exporter_put(struct exporter *exporter, struct bytes span);

/* How many spans were dropped. */
uint64_t	exporter_dropped(const struct exporter *exporter);

/*
 * Send what is left.  True as long as that goes on, for a second at most, after which the
 * loop turns once more.
 */
bool	exporter_is_flushing(struct exporter *exporter);

#endif
