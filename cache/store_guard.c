/* SPDX-License-Identifier: MIT */
/*
 * store_guard.c - a signal handler, and therefore the one place beside the log
 * with state of the process: a handler is given no argument of ours.
 */
#include "cache/store_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

#define MARKER		"opening"

static const int signals[] = { SIGBUS, SIGSEGV, SIGFPE };
static struct sigaction previous[ARRAY_LEN(signals)];
static int dir_fd = -1;
static _Thread_local int depth;

static int
marker_path(const char *dir, char path[PATH_MAX])
{
	int len = snprintf(path, PATH_MAX, "%s/%s", dir, MARKER);

	return len >= 0 && len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

bool
store_guard_is_marked(const char *dir)
{
	char path[PATH_MAX];

	return marker_path(dir, path) == 0 && access(path, F_OK) == 0;
}

int
store_guard_mark(const char *dir)
{
	char path[PATH_MAX];
	int r = marker_path(dir, path), fd;

	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

void
store_guard_unmark(const char *dir)
{
	char path[PATH_MAX];

	if (marker_path(dir, path) == 0)
		unlink(path);
}

/* Not ours: as it would have been without us. */
static void
pass_on(int signal)
{
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (signals[i] == signal)
			sigaction(signal, &previous[i], NULL);
	/* Returning runs the same instruction again, into the handler before us. */
}

static void
on_signal(int signal)
{
	static const char line[] =
	    "<2>the cache file could not be read where it is mapped: ending, to be started "
	    "afresh; it will be set aside\n";

	if (depth == 0 || dir_fd < 0) {
		pass_on(signal);
		return;
	}
	(void)openat(dir_fd, MARKER, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	(void)!write(STDERR_FILENO, line, sizeof(line) - 1);
	_exit(STORE_GUARD_EXIT);
}

void
store_guard_arm(const char *dir)
{
	struct sigaction action = { .sa_handler = on_signal };

	if (dir_fd >= 0)
		return;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &action, &previous[i]);
}

void
store_guard_disarm(void)
{
	if (dir_fd < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &previous[i], NULL);
	close(dir_fd);
	dir_fd = -1;
}

void
store_guard_enter(void)
{
	depth++;
}

void
store_guard_leave(void)
{
	depth--;
}
