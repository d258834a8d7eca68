/* SPDX-License-Identifier: MIT */
/*
 * server.h - the whole service: store, scribe, sockets, workers, signals.  One
 * a process; it runs on the main thread.
 */
#ifndef PROXY_SERVER_H
#define PROXY_SERVER_H

#include "config/config.h"

struct server;

enum {
	SERVER_E_FAILED = 1,	/* could not start; the log says why */
	SERVER_E_CONFIG,	/* the configuration asks for what another process has */
};

/* Where configurations come from. */
struct server_source {
	/* As config_load(). */
	int	(*load)(void *arg, config_complain_fn *complain, void *complain_arg,
		    struct config **ret_config);
	/* What is the process's own, as the level of its log, is from now on as CONFIG says. */
	void	(*adopt)(const struct config *config);
	void	*arg;
	bool	takes_over;	/* the place of the server that serves from its cache */
};

/*
 * Serve as CONFIG says until SIGTERM or SIGINT, then finish what is under way;
 * a second signal ends it at once.  SIGHUP reloads the configuration from SOURCE.
 * SIGPIPE must be ignored.  Returns 0 or one of the above.
 */
int	server_run(struct config *config, const struct server_source *source);

/*
 * Load the configuration anew, and serve new requests by it; one that is wrong changes
 * nothing.  TELL hears of what is wrong, and of what takes a restart.  Returns 0, or
 * one of the above.
 */
int	server_reload(struct server *srv, config_complain_fn *tell, void *arg);

#endif
