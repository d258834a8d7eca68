/* SPDX-License-Identifier: MIT */
/*
 * tls.h - TLS over one socket, which stays its owner's: bytes in and out, whatever that
 * takes of handshakes.  It never waits and never watches: conn.c does.
 */
#ifndef PROXY_NET_TLS_H
#define PROXY_NET_TLS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"

#define TLS_RECORD_MAX	((size_t)16 << 10)	/* what one record carries */

struct tls;
struct tls_context;

/* The server's end on FD, as CONTEXT says; NULL: no memory. */
struct tls	*tls_new(struct tls_context *context, int fd);
struct tls	*tls_free(struct tls *tls);	/* without a word to the peer */

enum {
	TLS_E_WAIT = 1,		/* for the socket */
	TLS_E_END,		/* the peer sent its last byte */
	TLS_E_BROKEN,		/* nothing goes in or out any more */
};

/* Shakes hands first.  0 with *RET_N bytes in SPACE, or one of the above. */
int	tls_read(struct tls *tls, char *space, size_t size, size_t *ret_n) MUST_USE;

/*
 * Send the beginning of DATA, a record at most: 0 with *RET_N bytes gone.  After
 * TLS_E_WAIT the next DATA begins with the same bytes and is no shorter than a record
 * or than this.
 */
int	tls_write(struct tls *tls, struct bytes data, size_t *ret_n) MUST_USE;

/* Say that no more will be sent: 0 (or nothing can be said any more), or TLS_E_WAIT. */
int	tls_end(struct tls *tls) MUST_USE;

bool	tls_is_open(const struct tls *tls);	/* hands were shaken */

/* Has it taken bytes from the socket that tls_read() did not give yet? */
bool	tls_has_more(const struct tls *tls);

/* Does tls_read() wait for room in the socket? */
bool	tls_waits_for_room(const struct tls *tls);

/* What the socket took since it is open. */
uint64_t	tls_sent(const struct tls *tls);

/*
 * The I-th name in the peer's certificate, which was verified and holds today: its
 * common name, then its DNS names.  None after the last.
 */
struct bytes	tls_peer_name(const struct tls *tls, unsigned i);

#endif
