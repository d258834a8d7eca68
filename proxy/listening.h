/* SPDX-License-Identifier: MIT */
/*
 * listening.h - on which addresses the proxy listens, and the sockets for that: on each
 * address one for each worker.  Main thread alone.
 *
 * Sockets are handed out once, and belong to whoever has them; a set that takes the place
 * of another one opens only what the other has not.
 */
#ifndef PROXY_LISTENING_H
#define PROXY_LISTENING_H

#include <stddef.h>

#include "base/err.h"

struct config;
struct listening;
struct worker_socket;

/*
 * Open what CONFIG says, or take what the service manager opened instead; OLD, NULL at
 * first, is what N_WORKERS workers have already.  Returns 0 or a negative error, with
 * *RET_ADDRESS, borrowed from CONFIG, the one that failed.
 */
int	listening_open(const struct config *config, const struct listening *old,
	    unsigned n_workers, struct listening **ret_listening, const char **ret_address)
	    MUST_USE;

/* Closes what was not handed out. */
struct listening	*listening_free(struct listening *listening);

/* How many addresses. */
size_t	listening_count(const struct listening *listening);

/* The sockets of WORKER, one for each address, which become the caller's; their names stay ours. */
void	listening_hand_out(struct listening *listening, unsigned worker,
	    struct worker_socket *sockets);

/* In words: what ERROR of listening_open() means. */
const char	*listening_why(int error);

#endif
