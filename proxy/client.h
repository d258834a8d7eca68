/* SPDX-License-Identifier: MIT */
/*
 * client.h - one connection of a client, and its requests, one after another:
 * what is pipelined waits in the socket until its turn has come.  Owned by its
 * worker's list; owns its connection and its current request.
 *
 *	(opening -->) idle --> reading --> answering --> flushing --> idle ...
 *	                                                    `-------> lingering --> closed
 *
 * Lingering (H-7): say FIN, read what the client still sends, up to 64 kB or a
 * second, so that it reads our last answer instead of a reset.
 */
#ifndef PROXY_CLIENT_H
#define PROXY_CLIENT_H

#include <stdbool.h>

#include "base/ip.h"
#include "proxy/guests.h"
#include "proxy/stats.h"

struct client;
struct conn;
struct request;
struct tls_context;
struct worker;

/* A connection, and whose it is. */
struct arrival {
	int		fd;
	struct tls_context *tls;	/* borrowed; NULL: it speaks plainly */
	struct ip	from;		/* none: it came through a unix socket */
	bool		is_announced;	/* so a PROXY header says */
	struct guest	guest;
};

/* Serve the client of ARRIVAL, whose descriptor and guest are taken.  It ends itself. */
void	client_new(struct worker *worker, const struct arrival *arrival);

/* Where it comes from, as its connection says, or the proxy before it. */
struct ip	client_address(const struct client *client);
bool		client_is_announced(const struct client *client);

struct conn	*client_conn(struct client *client);

/*
 * What was begun stays unfinished, and the connection is to end with a reset: with no FIN
 * before it if that would make it look finished.
 */
void	client_break_off(struct client *client, bool has_no_fin);

/* Look again at what there is to do, on the next turn. */
void	client_wake(struct client *client);

/* The head of the current request is read, LEN bytes of body are to come. */
void	client_expects_body(struct client *client, uint64_t len);

/* The request is whole: the client owes us nothing, no deadline holds. */
void	client_request_is_read(struct client *client);

/* The current request ended; may another one follow on this connection? */
void	client_request_ended(struct client *client, bool may_follow);

/* Close those that wait for a request; the others after their answer. */
void	clients_drain(struct client *first);

/* Close, whatever it was doing. */
void	client_cut(struct client *client);

#endif
