/* SPDX-License-Identifier: MIT */
/*
 * store_guard.h - what to do when the mapped file kills us.  A file that is cut
 * or damaged where only its pages show it makes LMDB touch what is not there:
 * SIGBUS, SIGSEGV (H-54).  The handler leaves a marker beside the file, says one
 * line and ends the process; whoever starts next finds the marker and sets the
 * file aside.  So a bad file costs one restart.
 */
#ifndef CACHE_STORE_GUARD_H
#define CACHE_STORE_GUARD_H

#include <stdbool.h>

/* Exit code of a process that its cache file ended. */
#define STORE_GUARD_EXIT	70

/* Was the last process that had DIR open ended by its file, or the last three that tried it? */
bool	store_guard_is_marked(const char *dir);

/*
 * Leave a trace while the file of DIR is tried.  One alone says little: whoever
 * is killed leaves it too.  Where there is no room for it, it is done without:
 * a full disk can be read.
 */
int	store_guard_try(const char *dir);

/* Leave the marker, or remove it and all traces. */
int	store_guard_mark(const char *dir);
void	store_guard_unmark(const char *dir);

/* Catch signals from now on, for the first directory this is called for; false: not the first. */
bool	store_guard_arm(const char *dir);
void	store_guard_disarm(void);

/* End the process as the signals do: what is in the file cannot be.  Returns if not armed. */
void	store_guard_give_up(void);

/* Between these the thread works on the map: what it meets there is the file's fault. */
void	store_guard_enter(void);
void	store_guard_leave(void);

#endif
