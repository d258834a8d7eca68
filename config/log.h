/* SPDX-License-Identifier: MIT */
/*
 * log.h - what the configuration says of the log: a part of config.h.
 */
#ifndef CONFIG_LOG_H
#define CONFIG_LOG_H

#include <stdint.h>

#include "base/clock.h"

struct config_log {
	char		*level;		/* error, warn, info, debug */
	char		*format;	/* text, json */
	uint64_t	 access;	/* set of access_field: of a line per request; 0: none */
	char		*otlp;		/* URL that takes spans, or NULL */
	usec_t		 slow;		/* requests that take as long are logged; 0: none */
};

#endif
