/* SPDX-License-Identifier: MIT */
/*
 * shim.c - the calls that LMDB makes on its file, before they reach the kernel.
 */
#include "tests/faults/shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"

#define REAL(name)	((__typeof__(&name))dlsym(RTLD_NEXT, #name))

struct plan {
	unsigned	skip;
	unsigned	n;
	int		error;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct plan plans[SHIM_CALLS];
static unsigned n_failed;
static shim_watch_fn *watch;

void
shim_fail(enum shim_call call, unsigned skip, unsigned n, int error)
{
	pthread_mutex_lock(&lock);
	plans[call] = (struct plan){ skip, n, error };
	pthread_mutex_unlock(&lock);
}

unsigned
shim_heal(void)
{
	unsigned n;

	pthread_mutex_lock(&lock);
	memset(plans, 0, sizeof(plans));
	n = n_failed;
	n_failed = 0;
	pthread_mutex_unlock(&lock);
	return n;
}

void
shim_watch(shim_watch_fn *fn)
{
	pthread_mutex_lock(&lock);
	watch = fn;
	pthread_mutex_unlock(&lock);
}

static bool
is_data(const char *path)
{
	const char *name = strrchr(path, '/');

	return name != NULL && strcmp(name, "/data.mdb") == 0;
}

static bool
is_data_fd(int fd)
{
	char link[32], path[256];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len > 0 ? len : 0] = '\0';
	return is_data(path);
}

/* What is to become of this call: 0, an errno or SHIM_SHORT. */
static int
fate_of(enum shim_call call)
{
	struct plan *plan = &plans[call];
	int error = 0;

	pthread_mutex_lock(&lock);
	if (plan->skip > 0) {
		plan->skip--;
	} else if (plan->n > 0) {
		plan->n--;
		n_failed++;
		error = plan->error;
	}
	pthread_mutex_unlock(&lock);
	return error;
}

static void
tell(int fd, off_t at, const void *data, size_t len)
{
	bool is_synced = (fcntl(fd, F_GETFL) & O_DSYNC) != 0;

	pthread_mutex_lock(&lock);
	if (watch != NULL)
		watch(at, data, len, is_synced);
	pthread_mutex_unlock(&lock);
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
	int fate = is_data_fd(fd) ? fate_of(SHIM_WRITE) : 0;
	ssize_t n;

	if (fate > 0) {
		errno = fate;
		return -1;
	}
	n = REAL(pwrite)(fd, data, fate == SHIM_SHORT ? len / 2 : len, at);
	if (n > 0 && is_data_fd(fd))
		tell(fd, at, data, (size_t)n);
	return n;
}

ssize_t
writev(int fd, const struct iovec *iov, int n_iov)
{
	bool is_ours = is_data_fd(fd);
	int fate = is_ours ? fate_of(SHIM_WRITE) : 0;
	off_t at = is_ours ? lseek(fd, 0, SEEK_CUR) : 0;
	ssize_t n;

	if (fate > 0) {
		errno = fate;
		return -1;
	}
	n = REAL(writev)(fd, iov, fate == SHIM_SHORT ? n_iov / 2 : n_iov);
	for (ssize_t i = 0, done = 0; is_ours && done < n; i++) {
		tell(fd, at + done, iov[i].iov_base, iov[i].iov_len);
		done += (ssize_t)iov[i].iov_len;
	}
	return n;
}

static int
sync_with(int (*real)(int), int fd)
{
	bool is_ours = is_data_fd(fd);
	int fate = is_ours ? fate_of(SHIM_SYNC) : 0, r;

	if (fate != 0) {
		errno = fate;
		return -1;
	}
	r = real(fd);
	if (r == 0 && is_ours)
		tell(fd, 0, NULL, 0);
	return r;
}

int
fsync(int fd)
{
	return sync_with(REAL(fsync), fd);
}

int
fdatasync(int fd)
{
	return sync_with(REAL(fdatasync), fd);
}

/* LMDB cuts and lengthens its file with this in modes that are not ours (H-56). */
int
ftruncate(int fd, off_t len)
{
	assert(!is_data_fd(fd));
	return REAL(ftruncate)(fd, len);
}

int
open(const char *path, int flags, ...)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	int fate = writes && is_data(path) ? fate_of(SHIM_OPEN) : 0;
	mode_t mode = 0;
	va_list args;

	if (fate != 0) {
		errno = fate;
		return -1;
	}
	va_start(args, flags);
	if ((flags & (O_CREAT | O_TMPFILE)) != 0)
		mode = va_arg(args, mode_t);
	va_end(args);
	return REAL(open)(path, flags, mode);
}
