/* SPDX-License-Identifier: MIT */
/*
 * notify.c - libsystemd, behind two words.
 */
#include "proxy/net/notify.h"

#include <systemd/sd-daemon.h>

void
notify_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

void
notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

int
notify_listen_fds(void)
{
	int n = sd_listen_fds(1);

	return n > 0 ? n : 0;
}
