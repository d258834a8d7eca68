/* SPDX-License-Identifier: MIT */
/*
 * handover.c - on the main threads of both; who comes is the same user, or root.
 *
 * What teams use of the old server while it drains is not written down any more: the
 * ledger is the new one's from then on.
 */
#include "proxy/handover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cache/scribe.h"
#include "cache/store.h"
#include "config/config.h"
#include "proxy/listening.h"
#include "proxy/net/loop.h"
#include "proxy/net/pass.h"
#include "proxy/server_priv.h"

#define SOCKET_NAME	"handover.sock"
#define PATH_SIZE	256
#define READY		"ready"
#define LOCK		"lock"

struct handover {
	struct server		*srv;		/* borrowed: outlives us */
	struct loop_watch	*watch;		/* for who comes, and then for its word */
	int			 listen_fd;
	int			 fd;		/* to who takes our place; -1: nobody */
	char			 path[PATH_SIZE];
};

static int
make_path(const char *cache, char path[PATH_SIZE])
{
	return snprintf(path, PATH_SIZE, "%s/" SOCKET_NAME, cache) < PATH_SIZE ? 0 :
	    -ENAMETOOLONG;
}

static void on_taker(void *arg, bool readable, bool writable);
static void on_word(void *arg, bool readable, bool writable);

/* Look at FD from now on, and at nothing else. */
static void
look_at(struct handover *handover, int fd, loop_watch_fn *fn)
{
	handover->watch = loop_watch_free(handover->watch);
	handover->watch = loop_watch_new(handover->srv->loop, fd, fn, handover);
	loop_watch_set(handover->watch, true, false);
}

static void
await_taker(struct handover *handover)
{
	if (handover->fd >= 0)
		close(handover->fd);
	handover->fd = -1;
	look_at(handover, handover->listen_fd, on_taker);
}

/* What is on its way to the store only we know of: it is written down first. */
static int
pass_all(struct handover *handover)
{
	int lock_fd = store_lock_fd(handover->srv->store), r;

	scribe_flush(handover->srv->scribe);
	r = listening_pass(handover->srv->listening, handover->fd);

	return r == 0 ? pass_send(handover->fd, LOCK, &lock_fd, 1) : r;
}

static void
on_taker(void *arg, bool readable, bool writable)
{
	struct handover *handover = arg;
	int r;

	(void)readable;
	(void)writable;
	handover->fd = accept4(handover->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (handover->fd < 0)
		return;
	r = handover->srv->is_draining || handover->srv->is_reloading ? -EBUSY :
	    pass_all(handover);
	if (r == 0) {
		log_info("another server is taking this one's place");
		look_at(handover, handover->fd, on_word);
		return;
	}
	log_warn("another server could not take this one's place: %s", strerror(-r));
	await_taker(handover);
}

static void
on_word(void *arg, bool readable, bool writable)
{
	struct handover *handover = arg;
	char text[PASS_TEXT_SIZE];
	int fds[PASS_FDS_MAX];
	size_t n;

	(void)readable;
	(void)writable;
	if (pass_receive(handover->fd, text, fds, &n) == 0 && strcmp(text, READY) == 0) {
		handover->watch = loop_watch_free(handover->watch);
		server_give_way(handover->srv);
		return;
	}
	log_warn("the server that was taking this one's place is gone; going on");
	await_taker(handover);
}

struct handover *
handover_new(struct server *srv)
{
	struct handover *handover;
	char path[PATH_SIZE];
	int fd = make_path(srv->config->cache.path, path);

	if (srv->scribe == NULL)
		return NULL;
	if (fd == 0)
		fd = pass_listen(path);
	if (fd < 0) {
		log_debug("no other server can take this one's place: %s", strerror(-fd));
		return NULL;
	}
	handover = xcalloc(1, sizeof(*handover));
	*handover = (struct handover){ .srv = srv, .listen_fd = fd, .fd = -1 };
	memcpy(handover->path, path, sizeof(path));
	await_taker(handover);
	return handover;
}

struct handover *
handover_free(struct handover *handover)
{
	if (handover == NULL)
		return NULL;
	loop_watch_free(handover->watch);
	(void)unlink(handover->path);	/* first: who finds none there makes one */
	close(handover->listen_fd);
	if (handover->fd >= 0)
		close(handover->fd);
	return xfree(handover);
}

/* Up to the lock, which is the last. */
static int
receive_all(struct takeover *takeover)
{
	char text[PASS_TEXT_SIZE];
	int fds[PASS_FDS_MAX], r;
	size_t n;

	for (;;) {
		r = pass_receive(takeover->fd, text, fds, &n);
		if (r < 0)
			return r;
		if (strcmp(text, LOCK) == 0 && n == 1) {
			takeover->lock_fd = fds[0];
			return 0;
		}
		listening_receive(takeover->listening, text, fds, n);
	}
}

int
takeover_begin(const char *path, unsigned n_workers, struct takeover *takeover,
    const char **ret_why)
{
	char at[PATH_SIZE];
	int r = make_path(path, at);

	*takeover = (struct takeover){ .fd = -1, .lock_fd = -1 };
	*ret_why = "no server that serves from this cache can be asked for its place";
	takeover->fd = r < 0 ? r : pass_connect(at);
	if (takeover->fd < 0)
		return takeover->fd;
	takeover->listening = listening_new(n_workers);
	*ret_why = "the other server did not give way; its log says why";
	r = receive_all(takeover);
	if (r == 0) {
		*ret_why = "\"workers\" must not be fewer than the other server has";
		r = listening_complete(takeover->listening);
	}
	if (r < 0)
		takeover_end(takeover, false);
	return r;
}

void
takeover_end(struct takeover *takeover, bool is_ready)
{
	if (takeover->fd >= 0 && is_ready && pass_send(takeover->fd, READY, NULL, 0) < 0)
		log_warn("the other server does not hear that its place is taken");
	if (takeover->fd >= 0)
		close(takeover->fd);
	if (takeover->lock_fd >= 0)
		close(takeover->lock_fd);
	takeover->listening = listening_free(takeover->listening);
	*takeover = (struct takeover){ .fd = -1, .lock_fd = -1 };
}
