/* SPDX-License-Identifier: MIT */
/*
 * store_file.h - the store's directory, before LMDB is let near it: who owns
 * it, and whether the file in it can be mapped at all.  LMDB trusts its file;
 * a cut one ends in SIGBUS (H-54).
 */
#ifndef CACHE_STORE_FILE_H
#define CACHE_STORE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

enum {
	STORE_FILE_E_LOCKED = 1,
};

/* Make DIR and what leads to it, for the owner alone. */
int	store_file_make_dir(const char *dir) MUST_USE;

/*
 * Lock DIR for this process until *RET_FD is closed: our own file beside the
 * data, which must not be opened twice (H-57); HELD_FD, if it is over 0, is the lock
 * of another process that shares it.  0, STORE_FILE_E_LOCKED or -errno.
 */
int	store_file_lock(const char *dir, int held_fd, int *ret_fd) MUST_USE;

/* Who holds the lock, or 0. */
pid_t	store_file_lock_holder(const char *dir);

/* Is there a data file in DIR at all? */
bool	store_file_exists(const char *dir);

/* What keeps the data file of DIR from being opened, a static text; NULL if nothing does. */
const char	*store_file_fault(const char *dir);

/* Make a data file in DIR, where none may be, for the owner alone. */
int	store_file_create(const char *dir, int *ret_fd) MUST_USE;

/* Rename it to data.mdb.bad-<time>; nothing is ever deleted but LMDB's lock file. */
int	store_file_set_aside(const char *dir) MUST_USE;

#endif
