/* SPDX-License-Identifier: MIT */
/*
 * conn.h - the socket of one client: bytes that came, bytes still to go.
 * Owned by the client, whose task it wakes whenever either changed; it takes
 * no decisions.  An idle connection holds no buffer (H-13).
 */
#ifndef PROXY_NET_CONN_H
#define PROXY_NET_CONN_H

#include "base/bytes.h"
#include "proxy/net/loop.h"

#define CONN_IN_MAX	((size_t)256 << 10)	/* reading waits while this much is unread */

struct conn;
struct quota;
struct tls_context;

/* Takes FD.  TLS as CONTEXT says, plain if it is NULL.  OWNER is borrowed: it outlives us. */
struct conn	*conn_new(struct loop *loop, int fd, struct tls_context *context,
		    struct loop_task *owner);
struct conn	*conn_free(struct conn *conn);	/* closes */

/*
 * Charge QUOTA, which outlives it, for what it holds beyond what any connection may: then
 * it reads no further, and conn_write() reports -ENOMEM, where there is no room.
 */
void	conn_charge(struct conn *conn, struct quota *quota);

bool	conn_is_opening(const struct conn *conn);	/* hands are being shaken */

/* It speaks plainly where TLS is spoken: fit for nothing but to be told so. */
bool	conn_is_mistaken(const struct conn *conn);

/* The I-th name in the client's certificate, which was verified; none after the last. */
struct bytes	conn_peer_name(const struct conn *conn, unsigned i);

/* What came and was not consumed; consume gives memory back when all is read. */
struct bytes	conn_in(const struct conn *conn);
void		conn_consume(struct conn *conn, size_t len);

bool	conn_is_at_end(const struct conn *conn);	/* the peer sent its last byte */
bool	conn_is_broken(const struct conn *conn);	/* nothing goes in or out any more */

/*
 * Send PARTS in order: what the socket takes goes straight from where it lies (over
 * TLS but for what fills no record), the rest is copied and follows by itself.  0, or
 * -ENOMEM.
 */
int	conn_write(struct conn *conn, const struct bytes *parts, unsigned n) MUST_USE;

/* Bytes copied and not yet taken by the socket. */
size_t	conn_unsent(const struct conn *conn);

/* The total that the socket has taken, in its own bytes: so that stalls are seen. */
uint64_t	conn_sent(const struct conn *conn);

/* The other side as 192.0.2.1:8080 or [2001:db8::1]:8080; empty: it has no address. */
#define CONN_PEER_SIZE	64
void	conn_peer(const struct conn *conn, char ret_text[CONN_PEER_SIZE]);

/*
 * Say that no more will be sent (close_notify, FIN).  Over TLS what comes after that is
 * read as it is: somebody may count it, but no more.
 */
void	conn_shutdown(struct conn *conn);

/* On close, reset the connection: the peer must not take what it got for whole. */
void	conn_set_abortive(struct conn *conn);

#endif
