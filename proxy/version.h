/* SPDX-License-Identifier: MIT */
/*
 * version.h - what this is called, towards people and towards upstreams.
 */
#ifndef PROXY_VERSION_H
#define PROXY_VERSION_H

#define VERSION		"0.1.0"
#define VERSION_PRODUCT	"reprise/" VERSION

/* Print it, and the libraries it runs with. */
void	version_print(void);

#endif
