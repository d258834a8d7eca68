/* SPDX-License-Identifier: MIT */
/*
 * tempdir.h - a directory for one test, and the files in it.
 */
#ifndef TESTS_UNIT_TEMPDIR_H
#define TESTS_UNIT_TEMPDIR_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

struct tempdir {
	char	path[64];
	char	file[512];	/* of tempdir_file(): until it is called again */
};

static inline void
tempdir_make(struct tempdir *dir)
{
	snprintf(dir->path, sizeof(dir->path), "/tmp/reprise-test-XXXXXX");
	assert(mkdtemp(dir->path) != NULL);
}

static inline const char *
tempdir_file(struct tempdir *dir, const char *name)
{
	snprintf(dir->file, sizeof(dir->file), "%s/%s", dir->path, name);
	return dir->file;
}

/* How many files have a name that begins with PREFIX. */
static inline int
tempdir_count(struct tempdir *dir, const char *prefix)
{
	DIR *d = opendir(dir->path);
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

static inline void
tempdir_remove(struct tempdir *dir)
{
	DIR *d = opendir(dir->path);
	struct dirent *e;

	while ((e = readdir(d)) != NULL)
		unlink(tempdir_file(dir, e->d_name));
	closedir(d);
	rmdir(dir->path);
}

#endif
