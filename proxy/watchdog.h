/* SPDX-License-Identifier: MIT */
/*
 * watchdog.h - tells the service manager that the server lives, as long as each of its
 * threads does (H-82): the manager starts anew what says nothing for too long.  On the
 * main thread; does nothing where no manager waits for it.
 */
#ifndef PROXY_WATCHDOG_H
#define PROXY_WATCHDOG_H

struct server;
struct watchdog;

struct watchdog	*watchdog_new(struct server *srv);
struct watchdog	*watchdog_free(struct watchdog *watchdog);

#endif
