/* SPDX-License-Identifier: MIT */
/*
 * store_guard.c - a signal handler, and therefore the one place beside the log
 * with state of the process: a handler is given no argument of ours.
 *
 * The marker is a file, and what counts is its length: a process that tries the
 * cache file adds a byte, one that it ended as many as make a marker.
 */
#include "cache/store_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define MARKER		"opening"
#define MARK		"xxx"
#define MARK_LEN	(sizeof(MARK) - 1)

/* SIGABRT: the C library's, when a damaged page was copied over the end of its copy. */
static const int signals[] = { SIGBUS, SIGSEGV, SIGFPE, SIGABRT };
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
	struct stat st;

	return marker_path(dir, path) == 0 && stat(path, &st) == 0 &&
	    st.st_size >= (off_t)MARK_LEN;
}

static int
add_to_marker(const char *dir, size_t len)
{
	char path[PATH_MAX];
	int r = marker_path(dir, path), fd;

	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, MARK, len) < 0)
		r = -errno;
	close(fd);
	return r;
}

int
store_guard_try(const char *dir)
{
	int r = add_to_marker(dir, 1);

	return r == -ENOSPC || r == -EDQUOT ? 0 : r;
}

int
store_guard_mark(const char *dir)
{
	return add_to_marker(dir, MARK_LEN);
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

void
store_guard_give_up(void)
{
	static const char line[] =
	    "<2>the cache file could not be read where it is mapped: ending, to be started "
	    "afresh; it will be set aside\n";
	int fd;

	if (dir_fd < 0)
		return;
	fd = openat(dir_fd, MARKER, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	(void)!write(fd, MARK, MARK_LEN);
	(void)!write(STDERR_FILENO, line, sizeof(line) - 1);
	_exit(STORE_GUARD_EXIT);
}

/* A page that is gone is the file's fault wherever it is looked at: by who sends an answer, too. */
static void
on_signal(int signal)
{
	if (depth > 0 || signal == SIGBUS)
		store_guard_give_up();
	pass_on(signal);
}

bool
store_guard_arm(const char *dir)
{
	struct sigaction action = { .sa_handler = on_signal };

	if (dir_fd >= 0)
		return false;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &action, &previous[i]);
	return true;
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
