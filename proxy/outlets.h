/* SPDX-License-Identifier: MIT */
/*
 * outlets.h - what is told of requests besides the log: one of each, for all workers.  The
 * server's; workers borrow them.
 */
#ifndef PROXY_OUTLETS_H
#define PROXY_OUTLETS_H

struct body_logs;
struct exporter;
struct multi;

struct outlets {
	struct body_logs	*bodies;	/* NULL: nothing is written, */
	struct exporter		*exporter;	/* ... or sent: */
	struct multi		*multi;		/* with this, on the main thread alone */
};

#endif
