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
void	notify_status(const char *text);	/* for people */

/* Within this time after another it wants to hear notify_alive(); 0: it does not. */
usec_t	notify_watchdog(void);
void	notify_alive(void);

/* How many listening sockets were passed; they are NOTIFY_FD_FIRST and following. */
#define NOTIFY_FD_FIRST	3
int	notify_listen_fds(void);

#endif
