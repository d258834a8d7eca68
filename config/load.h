/* SPDX-License-Identifier: MIT */
/*
 * load.h - the configuration out of the bytes of a file; config_load() opens
 * the file.
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/config.h"

/*
 * Read TEXT, which stands in FILE, over the defaults in CONFIG.  COMPLAIN hears
 * of everything wrong; returns 0 or CONFIG_E_WRONG.
 */
int	load_text(struct bytes text, const char *file, config_complain_fn *complain, void *arg,
	    struct config *config) MUST_USE;

/* One more of UP's, which takes it. */
void	load_add_token(struct config_upstream *up, struct secret *token);

#endif
