/* SPDX-License-Identifier: MIT */
/*
 * shim.h - the disk under data.mdb, as a test wants it: calls that write, sync
 * or open it fail when they are told to, and are watched.  The program defines
 * the C library's functions itself, so that LMDB calls these.
 */
#ifndef TESTS_FAULTS_SHIM_H
#define TESTS_FAULTS_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum shim_call {
	SHIM_WRITE,
	SHIM_SYNC,
	SHIM_OPEN,		/* for writing */
	SHIM_CALLS,
};

#define SHIM_SHORT	(-1)	/* in place of an errno: half is written */
#define SHIM_ALWAYS	1000000

/* From now on let SKIP calls pass, then fail N with ERROR. */
void	shim_fail(enum shim_call call, unsigned skip, unsigned n, int error);

/* Let all pass again; returns how many failed since the last time. */
unsigned	shim_heal(void);

/* What was written, LEN 0: a sync.  IS_SYNCED: it was on the disk before the call returned. */
typedef void shim_watch_fn(off_t at, const void *data, size_t len, bool is_synced);

/* NULL ends it. */
void	shim_watch(shim_watch_fn *fn);

#endif
