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

/* Takes FD.  OWNER is borrowed: it outlives us. */
struct conn	*conn_new(struct loop *loop, int fd, struct loop_task *owner);
struct conn	*conn_free(struct conn *conn);	/* closes */

/* What came and was not consumed; consume gives memory back when all is read. */
struct bytes	conn_in(const struct conn *conn);
void		conn_consume(struct conn *conn, size_t len);

bool	conn_is_at_end(const struct conn *conn);	/* the peer sent its last byte */
bool	conn_is_broken(const struct conn *conn);	/* nothing goes in or out any more */

/*
 * Send PARTS in order: what the socket takes goes straight from where it lies,
 * the rest is copied and follows by itself.  0, or -ENOMEM.
 */
int	conn_write(struct conn *conn, const struct bytes *parts, unsigned n) MUST_USE;

/* Bytes copied and not yet taken by the socket. */
size_t	conn_unsent(const struct conn *conn);

/* The total that the socket has taken: so that stalls are seen. */
uint64_t	conn_sent(const struct conn *conn);

/* Say that no more will be sent (FIN); reading goes on. */
void	conn_shutdown(struct conn *conn);

/* On close, reset the connection: the peer must not take what it got for whole. */
void	conn_set_abortive(struct conn *conn);

#endif
