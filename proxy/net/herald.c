/* SPDX-License-Identifier: MIT */
/*
 * herald.c - look at what is there, then take of it what is ours: all of it while the
 * header is not whole, so that the socket does not say again what we know.
 */
#include "proxy/net/herald.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/mem.h"
#include "proxy/http/preamble.h"

struct herald {
	struct loop_watch	*watch;
	struct loop_task	*owner;		/* borrowed: outlives us */
	struct buf		 in;
	struct preamble		 preamble;
	int			 fd;
	enum herald_state	 state;
};

static enum herald_state
state_of(enum preamble_state state)
{
	switch (state) {
	case PREAMBLE_DONE:
		return HERALD_DONE;
	case PREAMBLE_MORE:
		return HERALD_WAITING;
	default:
		return HERALD_BAD;
	}
}

/* LEN bytes more lie behind those that were taken before. */
static void
look_at(struct herald *herald, char *space, size_t len)
{
	size_t had = buf_len(&herald->in), ours;
	struct bytes all = { buf_bytes(&herald->in).ptr, had + len };

	if (had == 0)
		all.ptr = space;
	herald->state = state_of(preamble_read(all, &herald->preamble));
	ours = herald->state == HERALD_DONE ? herald->preamble.len - had : len;
	if (herald->state == HERALD_BAD || recv(herald->fd, space, ours, 0) != (ssize_t)ours) {
		herald->state = HERALD_BAD;
		return;
	}
	buf_fill(&herald->in, ours);
}

static void
read_some(struct herald *herald)
{
	size_t room = PREAMBLE_MAX - buf_len(&herald->in);
	char *space;
	ssize_t n;

	if (buf_space(&herald->in, room, &space) < 0) {
		herald->state = HERALD_BAD;
		return;
	}
	n = recv(herald->fd, space, room, MSG_PEEK);
	if (n > 0)
		look_at(herald, space, (size_t)n);
	else if (n == 0)
		herald->state = buf_len(&herald->in) == 0 ? HERALD_GONE : HERALD_BAD;
	else if (errno != EAGAIN && errno != EINTR)
		herald->state = HERALD_GONE;
}

static void
on_readable(void *arg, bool readable, bool writable)
{
	struct herald *herald = arg;

	(void)readable;
	(void)writable;
	read_some(herald);
	if (herald->state == HERALD_WAITING)
		return;
	loop_watch_set(herald->watch, false, false);
	loop_task_wake(herald->owner);
}

struct herald *
herald_new(struct loop *loop, int fd, struct loop_task *owner)
{
	struct herald *herald = xcalloc(1, sizeof(*herald));

	*herald = (struct herald){ .owner = owner, .fd = fd };
	buf_init(&herald->in, PREAMBLE_MAX);
	herald->watch = loop_watch_new(loop, fd, on_readable, herald);
	read_some(herald);
	loop_watch_set(herald->watch, herald->state == HERALD_WAITING, false);
	return herald;
}

struct herald *
herald_free(struct herald *herald)
{
	if (herald == NULL)
		return NULL;
	loop_watch_free(herald->watch);
	buf_done(&herald->in);
	return xfree(herald);
}

enum herald_state
herald_state(const struct herald *herald)
{
	return herald->state;
}

struct ip
herald_from(const struct herald *herald)
{
	return herald->preamble.from;
}
