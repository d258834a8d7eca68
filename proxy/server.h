/* SPDX-License-Identifier: MIT */
/*
 * server.h - the whole service: store, scribe, sockets, workers, signals.  One
 * a process; it runs on the main thread.
 */
#ifndef PROXY_SERVER_H
#define PROXY_SERVER_H

struct config;

enum {
	SERVER_E_FAILED = 1,	/* could not start; the log says why */
	SERVER_E_CONFIG,	/* the configuration asks for what another process has */
};

/*
 * Serve as CONFIG says until SIGTERM or SIGINT, then finish what is under way;
 * a second signal ends it at once.  SIGPIPE must be ignored.  Returns 0 or one
 * of the above.
 */
int	server_run(struct config *config);

#endif
