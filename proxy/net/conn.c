/* SPDX-License-Identifier: MIT */
/*
 * conn.c - level-triggered reads into one buffer, writev before any copy.
 */
#include "proxy/net/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define READ_LEN	((size_t)64 << 10)
#define PARTS_MAX	8

struct conn {
	struct loop_task	*owner;		/* borrowed: outlives us */
	struct loop_watch	*watch;
	struct buf		 in;
	struct buf		 out;
	uint64_t		 sent;
	int			 fd;
	bool			 is_at_end;
	bool			 is_broken;
};

static void
set_interest(struct conn *conn)
{
	bool may_read = !conn->is_at_end && buf_len(&conn->in) + READ_LEN <= CONN_IN_MAX;

	loop_watch_set(conn->watch, !conn->is_broken && may_read,
	    !conn->is_broken && buf_len(&conn->out) > 0);
}

static void
note_failure(struct conn *conn)
{
	if (errno != EAGAIN && errno != EINTR)
		conn->is_broken = true;
}

static void
read_some(struct conn *conn)
{
	ssize_t n;
	char *space;

	if (buf_space(&conn->in, READ_LEN, &space) < 0)
		return;		/* full: interest goes until something is consumed */
	n = recv(conn->fd, space, READ_LEN, 0);
	if (n > 0)
		buf_fill(&conn->in, (size_t)n);
	else if (n == 0)
		conn->is_at_end = true;
	else
		note_failure(conn);
}

static void
write_some(struct conn *conn)
{
	struct bytes b = buf_bytes(&conn->out);
	ssize_t n = send(conn->fd, b.ptr, b.len, MSG_NOSIGNAL);

	if (n < 0) {
		note_failure(conn);
		return;
	}
	conn->sent += (uint64_t)n;
	buf_consume(&conn->out, (size_t)n);
	if (buf_len(&conn->out) == 0)
		buf_done(&conn->out);
}

static void
on_socket(void *arg, bool readable, bool writable)
{
	struct conn *conn = arg;

	if (writable && buf_len(&conn->out) > 0)
		write_some(conn);
	if (readable && !conn->is_at_end)
		read_some(conn);
	set_interest(conn);
	loop_task_wake(conn->owner);
}

struct conn *
conn_new(struct loop *loop, int fd, struct loop_task *owner)
{
	struct conn *conn = xcalloc(1, sizeof(*conn));
	const int on = 1;

	*conn = (struct conn){ .owner = owner, .fd = fd };
	buf_init(&conn->in, CONN_IN_MAX);
	buf_init(&conn->out, SIZE_MAX / 2);
	/* Fails on a unix socket, where there is nothing to delay. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	conn->watch = loop_watch_new(loop, fd, on_socket, conn);
	set_interest(conn);
	return conn;
}

struct conn *
conn_free(struct conn *conn)
{
	if (conn == NULL)
		return NULL;
	loop_watch_free(conn->watch);
	close(conn->fd);
	buf_done(&conn->in);
	buf_done(&conn->out);
	return xfree(conn);
}

struct bytes
conn_in(const struct conn *conn)
{
	return buf_bytes(&conn->in);
}

void
conn_consume(struct conn *conn, size_t len)
{
	buf_consume(&conn->in, len);
	if (buf_len(&conn->in) == 0)
		buf_done(&conn->in);
	set_interest(conn);
}

bool
conn_is_at_end(const struct conn *conn)
{
	return conn->is_at_end;
}

bool
conn_is_broken(const struct conn *conn)
{
	return conn->is_broken;
}

/* How much of PARTS the socket took at once. */
static size_t
write_now(struct conn *conn, const struct bytes *parts, unsigned n)
{
	struct iovec iov[PARTS_MAX];
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n };
	ssize_t sent;

	assert(n <= PARTS_MAX);
	for (unsigned i = 0; i < n; i++)
		iov[i] = (struct iovec){ (void *)(uintptr_t)parts[i].ptr, parts[i].len };
	sent = sendmsg(conn->fd, &msg, MSG_NOSIGNAL);
	if (sent < 0) {
		note_failure(conn);
		return 0;
	}
	conn->sent += (uint64_t)sent;
	return (size_t)sent;
}

int
conn_write(struct conn *conn, const struct bytes *parts, unsigned n)
{
	size_t done = 0;

	if (conn->is_broken)
		return 0;
	if (buf_len(&conn->out) == 0)
		done = write_now(conn, parts, n);
	for (unsigned i = 0; i < n; i++) {
		struct bytes rest = bytes_skip(parts[i], done);
		int r = buf_add(&conn->out, rest);

		if (r < 0)
			return r;
		done -= parts[i].len - rest.len;
	}
	set_interest(conn);
	return 0;
}

size_t
conn_unsent(const struct conn *conn)
{
	return buf_len(&conn->out);
}

uint64_t
conn_sent(const struct conn *conn)
{
	return conn->sent;
}

void
conn_shutdown(struct conn *conn)
{
	(void)shutdown(conn->fd, SHUT_WR);
}

void
conn_set_abortive(struct conn *conn)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}
