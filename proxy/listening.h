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
int	listening_open(const struct config *config, struct listening *old,
	    unsigned n_workers, struct listening **ret_listening, const char **ret_address)
	    MUST_USE;

/*
 * What another server has, for the one that takes its place: it passes its sockets over FD
 * and keeps them; the other makes an empty set for its workers, fills it with each message,
 * and completes it, which fails with -E2BIG if it has fewer workers.
 */
int	listening_pass(const struct listening *listening, int fd) MUST_USE;
struct listening	*listening_new(unsigned n_workers);
void	listening_receive(struct listening *listening, const char *words, const int *fds,
	    size_t n);
int	listening_complete(struct listening *listening) MUST_USE;

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
