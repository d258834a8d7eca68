/* SPDX-License-Identifier: MIT */
/*
 * defaults.h - what holds where the configuration says nothing and no text
 * can: it depends on the machine and the environment.
 */
#ifndef CONFIG_DEFAULTS_H
#define CONFIG_DEFAULTS_H

#include "config/config.h"

/* Before a file is read: all of the table's, and the number of workers. */
void	defaults_begin(struct config *config);

/* After it: the cache's path, and a route for the only upstream. */
void	defaults_end(struct config *config);

/* Without a file: the Hugging Face router. */
void	defaults_upstream(struct config *config);

#endif
