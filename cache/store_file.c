/* SPDX-License-Identifier: MIT */
/*
 * store_file.c - what must hold before the file is mapped.
 *
 * The layout of LMDB's two meta pages (lmdb 0.9, mdb.c, MDB_page and
 * MDB_meta; 64-bit, native byte order):
 *
 *	 0  page header			16
 *	16  magic, version		 4 + 4
 *	24  address, map size		 8 + 8
 *	40  free table: page size ...	48, its root page at 80
 *	88  main table			48, its root page at 128
 *	136 last page, transaction	 8 + 8
 */
#include "cache/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/num.h"

#define MDB_META_MAGIC		0xbeefc0deu
#define MDB_META_VERSION	1
#define META_LEN		152
#define NO_PAGE			UINT64_MAX
#define PAGE_SIZE_MIN		512
#define PAGE_SIZE_MAX		65536
#define BAD_MAX			1000	/* files set aside in one second */

struct meta {
	uint32_t	magic;
	uint32_t	version;
	uint32_t	page_size;
	uint64_t	free_root;
	uint64_t	main_root;
	uint64_t	last_page;
	uint64_t	txn;
};

static int
path_in(const char *dir, const char *name, char ret_path[PATH_MAX])
{
	int len = snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);

	return len >= 0 && len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int
store_file_make_dir(const char *dir)
{
	char path[PATH_MAX];
	size_t len = strlen(dir);

	if (len == 0 || len >= sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, dir, len + 1);
	for (char *p = strchr(path + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int
store_file_lock(const char *dir, int held_fd, int *ret_fd)
{
	char path[PATH_MAX], pid[16];
	int r = path_in(dir, "lock", path);
	int fd, len;

	if (r < 0)
		return r;
	/* A lock is of the file as it was opened: who was given that has the lock, too. */
	fd = held_fd > 0 ? fcntl(held_fd, F_DUPFD_CLOEXEC, 0) :
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		r = errno == EWOULDBLOCK ? STORE_FILE_E_LOCKED : -errno;
		close(fd);
		return r;
	}
	/* For whoever is refused; without it the lock holds as well. */
	len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)len, 0) < 0)
		(void)len;
	*ret_fd = fd;
	return 0;
}

pid_t
store_file_lock_holder(const char *dir)
{
	char path[PATH_MAX], text[16];
	struct bytes rest = { text, 0 };
	uint64_t pid;
	ssize_t n;
	int fd;

	if (path_in(dir, "lock", path) < 0)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text));
	close(fd);
	rest.len = n > 0 ? (size_t)n : 0;
	return num_parse_u64(bytes_cut(&rest, '\n'), &pid) == 0 ? (pid_t)pid : 0;
}

static bool
read_meta(int fd, off_t at, struct meta *ret_meta)
{
	unsigned char p[META_LEN];

	if (pread(fd, p, sizeof(p), at) != (ssize_t)sizeof(p))
		return false;
	memcpy(&ret_meta->magic, p + 16, sizeof(uint32_t));
	memcpy(&ret_meta->version, p + 20, sizeof(uint32_t));
	memcpy(&ret_meta->page_size, p + 40, sizeof(uint32_t));
	memcpy(&ret_meta->free_root, p + 80, sizeof(uint64_t));
	memcpy(&ret_meta->main_root, p + 128, sizeof(uint64_t));
	memcpy(&ret_meta->last_page, p + 136, sizeof(uint64_t));
	memcpy(&ret_meta->txn, p + 144, sizeof(uint64_t));
	return true;
}

static const char *
meta_fault(const struct meta *meta)
{
	if (meta->magic != MDB_META_MAGIC)
		return "it is no LMDB file";
	if (meta->version != MDB_META_VERSION)
		return "it was written by another version of LMDB";
	if (meta->page_size < PAGE_SIZE_MIN || meta->page_size > PAGE_SIZE_MAX ||
	    (meta->page_size & (meta->page_size - 1)) != 0)
		return "its pages have no possible size";
	if ((meta->free_root != NO_PAGE && meta->free_root > meta->last_page) ||
	    (meta->main_root != NO_PAGE && meta->main_root > meta->last_page))
		return "its tables begin outside of it";
	return NULL;
}

static const char *
file_fault(int fd, uint64_t size)
{
	struct meta first, second;
	const struct meta *last;
	const char *fault;

	if (!read_meta(fd, 0, &first))
		return "it is cut short";
	fault = meta_fault(&first);
	if (fault != NULL)
		return fault;
	if (!read_meta(fd, (off_t)first.page_size, &second))
		return "it is cut short";
	fault = meta_fault(&second);
	if (fault != NULL)
		return fault;
	last = first.txn > second.txn ? &first : &second;
	if (last->last_page >= size / last->page_size)
		return "it is cut short";
	return NULL;
}

int
store_file_create(const char *dir, int *ret_fd)
{
	char path[PATH_MAX];
	int r = path_in(dir, "data.mdb", path);

	if (r < 0)
		return r;
	r = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (r < 0)
		return -errno;
	*ret_fd = r;
	return 0;
}

bool
store_file_exists(const char *dir)
{
	char path[PATH_MAX];

	return path_in(dir, "data.mdb", path) == 0 && access(path, F_OK) == 0;
}

const char *
store_file_fault(const char *dir)
{
	char path[PATH_MAX];
	const char *fault = NULL;
	struct stat st;
	int fd;

	if (path_in(dir, "data.mdb", path) < 0)
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size > 0)
		fault = file_fault(fd, (uint64_t)st.st_size);
	close(fd);
	return fault;
}

/* By another name for each, also for those of one second. */
static int
rename_bad(const char *dir, const char *path)
{
	char name[64], bad[PATH_MAX];
	int r = -EEXIST;

	for (int i = 0; r == -EEXIST && i < BAD_MAX; i++) {
		snprintf(name, sizeof(name), i == 0 ? "data.mdb.bad-%" PRId64 :
		    "data.mdb.bad-%" PRId64 "-%d", clock_wall() / USEC_PER_SEC, i);
		r = path_in(dir, name, bad);
		if (r == 0 && access(bad, F_OK) == 0)
			r = -EEXIST;
		else if (r == 0 && rename(path, bad) < 0)
			return -errno;
	}
	return r;
}

int
store_file_set_aside(const char *dir)
{
	char path[PATH_MAX];
	int r = path_in(dir, "data.mdb", path);

	if (r == 0)
		r = rename_bad(dir, path);
	if (r == 0)
		r = path_in(dir, "lock.mdb", path);
	if (r == 0 && unlink(path) < 0 && errno != ENOENT)
		r = -errno;
	return r;
}
