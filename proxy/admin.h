/* SPDX-License-Identifier: MIT */
/*
 * admin.h - what the administrator asks of a running server, over HTTP: on the address of
 * the configuration, and on a socket in the cache's directory, which nobody else can open.
 * On the main thread, so that no question keeps a worker from serving.
 */
#ifndef PROXY_ADMIN_H
#define PROXY_ADMIN_H

#include "base/bytes.h"
#include "base/err.h"

#define ADMIN_SOCKET	"admin.sock"

struct admin;
struct server;

/* Its listening sockets are opened, as far as they can be; the log says of each that cannot. */
struct admin	*admin_new(struct server *srv);

/* Cuts who is still there. */
struct admin	*admin_free(struct admin *admin);

/* Listen where the server's configuration says now; what could not be opened is tried again. */
void	admin_renew(struct admin *admin);

/* The reload that was waited for is over. */
void	admin_reloaded(struct admin *admin);

/* The address of the socket in the directory of the cache PATH, as listen_open() takes it. */
#define ADMIN_ADDRESS_SIZE	128
int	admin_address(const char *path, char ret_address[ADMIN_ADDRESS_SIZE]) MUST_USE;

#endif
