/* SPDX-License-Identifier: MIT */
/*
 * request.h - one client request, from its first byte to its log line.
 *
 * A request belongs to its client and borrows the worker.  It takes no
 * events: whoever changes something it waits for wakes it, and the loop runs
 * it once per turn.  However it ends, it ends in request_end().
 */
#ifndef PROXY_REQUEST_H
#define PROXY_REQUEST_H

#include "proxy/stats.h"

struct client;
struct request;
struct worker;

struct request	*request_new(struct worker *worker, struct client *client);

/* Walk its steps as far as what is there carries it. */
void	request_run(struct request *req);

/* What it still owed us did not come in time: 408. */
void	request_time_out(struct request *req);

/* There is no more time for it: end it, and say so where that can be said. */
void	request_cut(struct request *req);

/* End REQ, whatever it was doing.  Its memory lasts until the turn ends. */
void	request_end(struct request *req, enum end_reason why);

#endif
