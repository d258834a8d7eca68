/* SPDX-License-Identifier: MIT */
/*
 * tls_ticket.h - the keys that session tickets are sealed with: one set for all workers
 * and across reloads, so that a session is resumed wherever it comes back.  Nothing is
 * kept of a session here: the ticket is with the client.
 */
#ifndef PROXY_NET_TLS_TICKET_H
#define PROXY_NET_TLS_TICKET_H

struct ssl_ctx_st;
struct tls_tickets;

struct tls_tickets	*tls_tickets_new(void);
struct tls_tickets	*tls_tickets_ref(struct tls_tickets *tickets);
struct tls_tickets	*tls_tickets_unref(struct tls_tickets *tickets);	/* returns NULL */

/* Have CTX seal and open tickets with TICKETS, which outlives it. */
void	tls_tickets_use(struct tls_tickets *tickets, struct ssl_ctx_st *ctx);

#endif
