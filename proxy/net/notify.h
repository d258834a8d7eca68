/* SPDX-License-Identifier: MIT */
/*
 * notify.h - the service manager: telling it where we are (sd_notify(3)), and
 * taking the sockets it opened for us (sd_listen_fds(3)).  Without one, all of
 * this does nothing.
 */
#ifndef PROXY_NET_NOTIFY_H
#define PROXY_NET_NOTIFY_H

#include "base/clock.h"

void	notify_ready(void);
void	notify_reloading(usec_t now);	/* monotonic; until notify_ready() */
void	notify_stopping(void);

/* How many listening sockets were passed; they are NOTIFY_FD_FIRST and following. */
#define NOTIFY_FD_FIRST	3
int	notify_listen_fds(void);

#endif
