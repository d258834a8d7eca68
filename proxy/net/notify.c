/* SPDX-License-Identifier: MIT */
/*
 * notify.c - libsystemd, behind two words.
 */
#include "proxy/net/notify.h"

#include <inttypes.h>

#include <systemd/sd-daemon.h>

void
notify_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

void
notify_reloading(usec_t now)
{
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, (int64_t)now);
}

void
notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

void
notify_status(const char *text)
{
	(void)sd_notifyf(0, "STATUS=%s", text);
}

usec_t
notify_watchdog(void)
{
	uint64_t usec;

	return sd_watchdog_enabled(0, &usec) > 0 ? (usec_t)usec : 0;
}

void
notify_alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}

int
notify_listen_fds(void)
{
	int n = sd_listen_fds(1);

	return n > 0 ? n : 0;
}
