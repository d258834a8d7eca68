/* SPDX-License-Identifier: MIT */
/*
 * spool.h - lines on their way to something slow: a queue with a ceiling, and a thread that
 * writes what is in it.
 *
 * Whoever hands on a line waits for nobody: where there is no room the line is dropped and
 * counted (H-84).  The thread is not woken for each line, it looks again soon after a write.
 */
#ifndef BASE_SPOOL_H
#define BASE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"

struct spool;

/* Write DATA, lines or parts of them; how many bytes of it were, the rest is given up. */
typedef size_t spool_write_fn(void *arg, struct bytes data);

/* A line that says that N were dropped, into MEM; its length. */
typedef size_t spool_tell_fn(uint64_t n, char *mem, size_t size);

struct spool_options {
	const char	*name;		/* of the thread */
	size_t		 size;		/* bytes of lines that wait */
	spool_write_fn	*write;		/* may wait as long as it has to */
	void		*arg;		/* borrowed: outlives the thread */
	spool_tell_fn	*tell;		/* NULL: the count is enough */
};

/* 0, or a negative error: there is no thread. */
int	spool_start(const struct spool_options *options, struct spool **ret_spool) MUST_USE;

/* From any thread.  LINE ends in a newline; false: dropped. */
bool	spool_put(struct spool *spool, struct bytes line);

/* How many lines were dropped, or could not be written. */
uint64_t	spool_dropped(const struct spool *spool);

/*
 * Write what is left, at most for PATIENCE, and free SPOOL, which nobody uses any more.
 * False: it still writes, and is left to its thread.
 */
bool	spool_stop(struct spool *spool, usec_t patience);

#endif
