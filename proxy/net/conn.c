/* SPDX-License-Identifier: MIT */
/*
 * conn.c - level-triggered reads into one buffer, writev before any copy.  Where there
 * is TLS between, records take the place of both.
 */
#include "proxy/net/conn.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/quota.h"
#include "proxy/net/tls.h"

#define READ_LEN	((size_t)64 << 10)
#define PARTS_MAX	8
#define RECORDS_PER_TURN 16

struct conn {
	struct loop_task	*owner;		/* borrowed: outlives us */
	struct loop_watch	*watch;
	struct tls		*tls;		/* NULL: plain */
	struct loop_task	 pull;		/* reads what was left, when there is room */
	struct buf		 in;
	struct buf		 out;
	uint64_t		 sent;
	int			 fd;
	bool			 is_new;	/* nothing has come yet */
	bool			 is_mistaken;
	bool			 is_full;	/* more has come than there is room for */
	bool			 is_ending;	/* close_notify waits for the socket */
	bool			 is_shut;
	bool			 is_abortive;
	bool			 is_at_end;
	bool			 is_broken;
};

static bool
has_room(const struct conn *conn)
{
	return buf_len(&conn->in) + READ_LEN <= CONN_IN_MAX;
}

static bool
reading_waits_for_room(const struct conn *conn)
{
	return conn->tls != NULL && !conn->is_shut && tls_waits_for_room(conn->tls);
}

static void
set_interest(struct conn *conn)
{
	bool may_read = !conn->is_at_end && !conn->is_full && has_room(conn);
	bool must_write = buf_len(&conn->out) > 0 || conn->is_ending ||
	    reading_waits_for_room(conn);

	loop_watch_set(conn->watch, !conn->is_broken && may_read,
	    !conn->is_broken && must_write);
}

static void
note_failure(struct conn *conn)
{
	if (errno != EAGAIN && errno != EINTR)
		conn->is_broken = true;
}

/* As many records as have come; TRUE: there may be more, and no room for it. */
static bool
read_records(struct conn *conn)
{
	char *space;
	size_t n;
	int r;

	do {
		if (buf_space(&conn->in, TLS_RECORD_MAX, &space) < 0)
			return true;
		r = tls_read(conn->tls, space, TLS_RECORD_MAX, &n);
		if (r == 0)
			buf_fill(&conn->in, n);
	} while (r == 0 && tls_has_more(conn->tls));
	if (buf_len(&conn->in) == 0)
		buf_done(&conn->in);
	conn->is_at_end = r == TLS_E_END;
	conn->is_broken = r == TLS_E_BROKEN;
	return false;
}

static void
read_some(struct conn *conn)
{
	ssize_t n;
	char *space;

	if (conn->tls != NULL && !conn->is_shut) {
		conn->is_full = read_records(conn);
		return;
	}
	conn->is_full = buf_space(&conn->in, READ_LEN, &space) < 0;
	if (conn->is_full)
		return;
	n = recv(conn->fd, space, READ_LEN, 0);
	if (n > 0)
		buf_fill(&conn->in, (size_t)n);
	else if (n == 0)
		conn->is_at_end = true;
	else
		note_failure(conn);
}

/* How much of DATA went into a record. */
static size_t
write_record(struct conn *conn, struct bytes data)
{
	size_t n = 0;
	int r = tls_write(conn->tls, data, &n);

	if (r != 0 && r != TLS_E_WAIT)
		conn->is_broken = true;
	return r == 0 ? n : 0;
}

static size_t
write_plain(struct conn *conn, struct bytes data)
{
	ssize_t n = send(conn->fd, data.ptr, data.len, MSG_NOSIGNAL);

	if (n < 0) {
		note_failure(conn);
		return 0;
	}
	conn->sent += (uint64_t)n;
	return (size_t)n;
}

static void
write_some(struct conn *conn)
{
	unsigned turns = conn->tls != NULL ? RECORDS_PER_TURN : 1;
	size_t n;

	do {
		struct bytes b = buf_bytes(&conn->out);

		n = conn->tls != NULL ? write_record(conn, b) : write_plain(conn, b);
		buf_consume(&conn->out, n);
	} while (--turns > 0 && n > 0 && buf_len(&conn->out) > 0);
	if (buf_len(&conn->out) == 0)
		buf_done(&conn->out);
}

/* A handshake begins with 22; what begins with a letter is a line of HTTP. */
static void
look_at_first(struct conn *conn)
{
	unsigned char first;
	ssize_t n = recv(conn->fd, &first, 1, MSG_PEEK);

	if (n < 0) {
		note_failure(conn);
		return;
	}
	conn->is_new = false;
	conn->is_at_end = n == 0;
	conn->is_mistaken = n > 0 && isalpha(first);
	if (conn->is_mistaken)
		conn->tls = tls_free(conn->tls);
}

static void
on_socket(void *arg, bool readable, bool writable)
{
	struct conn *conn = arg;

	if (readable && conn->is_new)
		look_at_first(conn);
	if (writable && conn->is_ending)
		conn_shutdown(conn);
	if (writable && buf_len(&conn->out) > 0)
		write_some(conn);
	if ((readable || reading_waits_for_room(conn)) && !conn->is_at_end && !conn->is_broken &&
	    !conn->is_new)
		read_some(conn);
	set_interest(conn);
	loop_task_wake(conn->owner);
}

static void
on_pull(void *arg)
{
	on_socket(arg, true, false);
}

struct conn *
conn_new(struct loop *loop, int fd, struct tls_context *context, struct loop_task *owner)
{
	struct conn *conn = xcalloc(1, sizeof(*conn));
	const int on = 1;

	*conn = (struct conn){ .owner = owner, .fd = fd };
	buf_init(&conn->in, CONN_IN_MAX);
	buf_init(&conn->out, SIZE_MAX / 2);
	/* Fails on a unix socket, where there is nothing to delay. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	conn->watch = loop_watch_new(loop, fd, on_socket, conn);
	loop_task_init(&conn->pull, loop, on_pull, conn);
	if (context != NULL) {
		conn->tls = tls_new(context, fd);
		conn->is_new = true;
		conn->is_broken = conn->tls == NULL;
	}
	if (conn->is_broken)
		loop_task_wake(owner);
	set_interest(conn);
	return conn;
}

struct conn *
conn_free(struct conn *conn)
{
	if (conn == NULL)
		return NULL;
	if (conn->tls != NULL && !conn->is_shut && !conn->is_broken && !conn->is_abortive &&
	    buf_len(&conn->out) == 0)
		(void)!tls_end(conn->tls);
	tls_free(conn->tls);
	loop_task_cancel(&conn->pull);
	loop_watch_free(conn->watch);
	close(conn->fd);
	buf_done(&conn->in);
	buf_done(&conn->out);
	return xfree(conn);
}

void
conn_charge(struct conn *conn, struct quota *quota)
{
	buf_charge(&conn->in, quota, READ_LEN);
	buf_charge(&conn->out, quota, QUOTA_FREE);
}

bool
conn_is_opening(const struct conn *conn)
{
	return conn->tls != NULL && !tls_is_open(conn->tls);
}

bool
conn_is_mistaken(const struct conn *conn)
{
	return conn->is_mistaken;
}

struct bytes
conn_peer_name(const struct conn *conn, unsigned i)
{
	return conn->tls != NULL ? tls_peer_name(conn->tls, i) : BYTES_NONE;
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
	if (conn->is_full && has_room(conn))
		loop_task_wake(&conn->pull);
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

/*
 * What follows the first DONE bytes of PARTS, at most a record of it.  A record costs a
 * system call and a head, so what does not fill one is joined with what follows, in ROOM;
 * what does stays where it lies.
 */
static struct bytes
next_record(const struct bytes *parts, unsigned n, size_t done, char room[TLS_RECORD_MAX])
{
	size_t len = 0;

	for (unsigned i = 0; i < n && len < TLS_RECORD_MAX; i++) {
		struct bytes rest = bytes_skip(parts[i], done);

		done -= parts[i].len - rest.len;
		if (len == 0 && (rest.len >= TLS_RECORD_MAX || i == n - 1))
			return bytes_first(rest, TLS_RECORD_MAX);
		rest = bytes_first(rest, TLS_RECORD_MAX - len);
		if (rest.len > 0)
			memcpy(room + len, rest.ptr, rest.len);
		len += rest.len;
	}
	return (struct bytes){ room, len };
}

/* How much of PARTS went into records at once. */
static size_t
write_records(struct conn *conn, const struct bytes *parts, unsigned n)
{
	char room[TLS_RECORD_MAX];
	struct bytes next;
	size_t done = 0, sent;

	do {
		next = next_record(parts, n, done, room);
		sent = next.len > 0 ? write_record(conn, next) : 0;
		done += sent;
	} while (sent > 0);
	return done;
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
		done = conn->tls != NULL ? write_records(conn, parts, n) :
		    write_now(conn, parts, n);
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
	return conn->tls != NULL ? tls_sent(conn->tls) : conn->sent;
}

void
conn_peer(const struct conn *conn, char ret_text[CONN_PEER_SIZE])
{
	struct sockaddr_storage address = { 0 };
	socklen_t len = sizeof(address);
	char host[NI_MAXHOST], port[NI_MAXSERV];
	bool is_v6;

	ret_text[0] = '\0';
	if (getpeername(conn->fd, (struct sockaddr *)&address, &len) < 0 ||
	    address.ss_family == AF_UNIX ||
	    getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
	    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	is_v6 = address.ss_family == AF_INET6;
	(void)snprintf(ret_text, CONN_PEER_SIZE, is_v6 ? "[%s]:%s" : "%s:%s", host, port);
}

void
conn_shutdown(struct conn *conn)
{
	conn->is_ending = conn->tls != NULL && !conn->is_abortive &&
	    tls_end(conn->tls) == TLS_E_WAIT;
	if (!conn->is_ending) {
		conn->is_shut = true;
		(void)shutdown(conn->fd, SHUT_WR);
	}
	set_interest(conn);
}

void
conn_set_abortive(struct conn *conn)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	conn->is_abortive = true;
	(void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}
