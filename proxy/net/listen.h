/* SPDX-License-Identifier: MIT */
/*
 * listen.h - sockets that accept.  Each worker has its own on every TCP
 * address (SO_REUSEPORT); a unix socket is one, shared by all.
 */
#ifndef PROXY_NET_LISTEN_H
#define PROXY_NET_LISTEN_H

#include "base/ip.h"
#include "proxy/net/loop.h"

#define LISTEN_NAME_MAX	128

struct listener;

/* Of a unix socket: who may connect. */
struct listen_permission {
	unsigned	 mode;		/* 0: by the umask */
	const char	*group;		/* NULL: that of the process */
};

/*
 * Open a listening socket at ADDRESS (host:port, [v6]:port or unix:/path).
 * Returns the descriptor or -errno: -EADDRINUSE also when the other one would
 * share it with us, unless that IS_BESIDE_US, a socket of our own; -EDESTADDRREQ
 * when the host has no address.  PERMISSION, which may be NULL, is for unix sockets.
 */
int	listen_open(const char *address, bool is_beside_us,
	    const struct listen_permission *permission) MUST_USE;

/* Give one that we opened before other permissions.  Does nothing for TCP. */
int	listen_permit(const char *address, const struct listen_permission *permission) MUST_USE;

/*
 * Take the socket FD from whoever opened it, who may have left it blocking: one
 * worker would then wait in it for a client that another one got.  -EOPNOTSUPP if
 * it does not listen.
 */
int	listen_adopt(int fd) MUST_USE;

/*
 * One more descriptor for another worker: a socket of its own on the address
 * of FD where clients are spread over such sockets, else FD once more.  An
 * adopted one is never doubled: it outlives us, and what waits at a socket of
 * our own when we end is lost (H-11).
 */
int	listen_share(int fd, bool is_adopted) MUST_USE;

/* Is it open to this machine's own files alone? */
bool	listen_is_unix(int fd);

/* Its address, with the port that the system chose. */
void	listen_name(int fd, char ret_name[LISTEN_NAME_MAX]);

/* Who accepts: all but TAKE may be NULL. */
struct listen_calls {
	/* A client, whose descriptor it takes; FROM is none on a unix socket. */
	void	(*take)(void *arg, int fd, struct ip from);
	/* May another one come?  If not, it waits with all behind it. */
	bool	(*has_room)(void *arg);
	/* Accepting pauses; ERROR says for want of what, 0 that there was no room. */
	void	(*paused)(void *arg, int error);
};

/* Accept from FD, which is taken; CALLS are borrowed, as ARG is. */
struct listener	*listener_new(struct loop *loop, int fd, const struct listen_calls *calls,
		    void *arg);

/* Its address (listen_name()). */
void	listener_name(const struct listener *listener, char ret_name[LISTEN_NAME_MAX]);

/* Accepts what already waits, so that nobody is reset (H-14), then closes. */
struct listener	*listener_free(struct listener *listener);

#endif
