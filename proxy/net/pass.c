/* SPDX-License-Identifier: MIT */
/*
 * pass.c - one message, one sendmsg(2).
 */
#include "proxy/net/pass.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG		4
#define PATIENCE	10	/* seconds */

union control {
	char		mem[CMSG_SPACE(PASS_FDS_MAX * sizeof(int))];
	struct cmsghdr	header;		/* so that it is aligned like one */
};

static int
open_at(const char *path, struct sockaddr_un *ret_sun)
{
	int fd;

	*ret_sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (snprintf(ret_sun->sun_path, sizeof(ret_sun->sun_path), "%s", path) >=
	    (int)sizeof(ret_sun->sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

static int
close_with(int fd, int r)
{
	close(fd);
	return r;
}

/* Who connects waits for messages, but not for ever. */
int
pass_connect(const char *path)
{
	const struct timeval patience = { .tv_sec = PATIENCE };
	struct sockaddr_un sun;
	int fd = open_at(path, &sun);

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0)
		return close_with(fd, -errno);
	return fd;
}

int
pass_listen(const char *path)
{
	struct sockaddr_un sun;
	int fd = pass_connect(path);

	if (fd >= 0)
		return close_with(fd, -EADDRINUSE);
	(void)unlink(path);
	fd = open_at(path, &sun);
	if (fd < 0)
		return fd;
	if (bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0 || listen(fd, BACKLOG) < 0)
		return close_with(fd, -errno);
	return fd;
}

int
pass_send(int fd, const char *text, const int *fds, size_t n)
{
	union control control = { .mem = { 0 } };
	struct iovec iov = { (void *)(uintptr_t)text, strlen(text) + 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	assert(n <= PASS_FDS_MAX && iov.iov_len <= PASS_TEXT_SIZE);
	if (n > 0) {
		msg.msg_control = control.mem;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, n * sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int
pass_receive(int fd, char ret_text[PASS_TEXT_SIZE], int ret_fds[PASS_FDS_MAX], size_t *ret_n)
{
	union control control;
	struct iovec iov = { ret_text, PASS_TEXT_SIZE };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.mem,
		.msg_controllen = sizeof(control.mem),
	};
	struct cmsghdr *header;
	ssize_t len = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);

	if (len <= 0)
		return len < 0 ? -errno : -ECONNRESET;
	ret_text[len - 1] = '\0';
	*ret_n = 0;
	header = CMSG_FIRSTHDR(&msg);
	if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
		*ret_n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(ret_fds, CMSG_DATA(header), *ret_n * sizeof(int));
	}
	return 0;
}
