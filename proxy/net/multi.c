/* SPDX-License-Identifier: MIT */
/*
 * multi.c - libcurl's sockets and its timer, on our loop.
 *
 * A kept connection stays watched between its transfers, although libcurl takes
 * its interest back after each: that would be two system calls for every one of
 * them.  Nothing is to come meanwhile; should something, the end above all, the
 * watch goes blind until the next transfer, and libcurl finds out by itself then.
 */
#include "proxy/net/multi.h"

#include <unistd.h>

#include "base/mem.h"

#define MAX_KEPT_CONNECTIONS	256L
#define MAX_CONNECTIONS		1024L

struct job {
	multi_done_fn	*done;
	void		*arg;
};

struct multi {
	struct loop		*loop;
	CURLM			*handle;
	struct loop_timer	*timer;
	struct loop_task	 drain;		/* after sockets acted: who is over? */
	struct socket_watch	**kept;		/* by descriptor; NULL: none */
	size_t			 kept_size;
	unsigned		 n_jobs;
};

struct socket_watch {
	struct multi		*multi;
	struct loop_watch	*watch;
	curl_socket_t		 fd;
	bool			 is_wanted;	/* by libcurl, now */
};

static void
act(struct multi *multi, curl_socket_t fd, int what)
{
	int running;

	curl_multi_socket_action(multi->handle, fd, what, &running);
	loop_task_wake(&multi->drain);
}

static void
on_socket_ready(void *arg, bool readable, bool writable)
{
	struct socket_watch *sw = arg;

	if (!sw->is_wanted) {
		loop_watch_set(sw->watch, false, false);
		return;
	}
	act(sw->multi, sw->fd,
	    (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
}

static struct socket_watch *
new_socket_watch(struct multi *multi, curl_socket_t fd)
{
	struct socket_watch *sw = xcalloc(1, sizeof(*sw));

	*sw = (struct socket_watch){ .multi = multi, .fd = fd };
	sw->watch = loop_watch_new(multi->loop, fd, on_socket_ready, sw);
	return sw;
}

static void
free_memory(void *arg)
{
	xfree(arg);
}

/* libcurl may ask for this from within our call of it, watch callback included. */
static void
free_socket_watch(struct socket_watch *sw)
{
	sw->watch = loop_watch_free(sw->watch);
	loop_free_later(sw->multi->loop, sw, free_memory);
}

static struct socket_watch *
find_kept(const struct multi *multi, curl_socket_t fd)
{
	return (size_t)fd < multi->kept_size ? multi->kept[fd] : NULL;
}

static void
keep(struct multi *multi, struct socket_watch *sw)
{
	size_t at = (size_t)sw->fd, size = multi->kept_size;

	if (at >= size) {
		multi->kept_size = size * 2 > at ? size * 2 : at + 1;
		multi->kept = xreallocarray(multi->kept, multi->kept_size,
		    sizeof(struct socket_watch *));
		while (size < multi->kept_size)
			multi->kept[size++] = NULL;
	}
	multi->kept[at] = sw;
}

static void
forget(struct multi *multi, curl_socket_t fd)
{
	struct socket_watch *sw = find_kept(multi, fd);

	if (sw == NULL)
		return;
	multi->kept[fd] = NULL;
	free_socket_watch(sw);
}

/* A new socket is none of those that were kept, whatever its number. */
static int
on_opened(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)purpose;
	forget(arg, fd);
	return CURL_SOCKOPT_OK;
}

static int
on_closed(void *arg, curl_socket_t fd)
{
	forget(arg, fd);
	return close(fd);
}

/*
 * Only what is connected, and EASY's last: of other sockets, those of a resolver
 * and those that never got through, libcurl does not say when it closes them.
 */
static bool
is_to_be_kept(CURL *easy, curl_socket_t fd)
{
	curl_socket_t last = CURL_SOCKET_BAD;

	curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &last);
	return last == fd;
}

static void
end_interest(struct multi *multi, CURL *easy, struct socket_watch *sw)
{
	sw->is_wanted = false;
	if (find_kept(multi, sw->fd) == sw)
		return;
	if (is_to_be_kept(easy, sw->fd))
		keep(multi, sw);
	else
		free_socket_watch(sw);
}

static int
on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct multi *multi = arg;
	struct socket_watch *sw = socket_arg;

	if (what == CURL_POLL_REMOVE) {
		if (sw != NULL)
			end_interest(multi, easy, sw);
		return 0;
	}
	if (sw == NULL) {
		sw = find_kept(multi, fd);
		if (sw == NULL)
			sw = new_socket_watch(multi, fd);
		curl_multi_assign(multi->handle, fd, sw);
	}
	sw->is_wanted = true;
	loop_watch_set(sw->watch, what & CURL_POLL_IN, what & CURL_POLL_OUT);
	return 0;
}

static int
on_timer_wanted(CURLM *handle, long timeout_ms, void *arg)
{
	struct multi *multi = arg;

	(void)handle;
	if (timeout_ms < 0)
		loop_timer_clear(multi->timer);
	else
		loop_timer_set(multi->timer, timeout_ms * USEC_PER_MSEC);
	return 0;
}

static void
on_timer(void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void
drain_messages(void *arg)
{
	struct multi *multi = arg;
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(multi->handle, &left)) != NULL) {
		CURLcode result = msg->data.result;
		struct job *job = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&job);
		job->done(job->arg, result);
	}
}

struct multi *
multi_new(struct loop *loop)
{
	struct multi *multi = xcalloc(1, sizeof(*multi));

	multi->loop = loop;
	multi->handle = curl_multi_init();
	assert(multi->handle != NULL);
	multi->timer = loop_timer_new(loop, on_timer, multi);
	loop_task_init(&multi->drain, loop, drain_messages, multi);
	curl_multi_setopt(multi->handle, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
	curl_multi_setopt(multi->handle, CURLMOPT_SOCKETDATA, multi);
	curl_multi_setopt(multi->handle, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
	curl_multi_setopt(multi->handle, CURLMOPT_TIMERDATA, multi);
	curl_multi_setopt(multi->handle, CURLMOPT_MAXCONNECTS, MAX_KEPT_CONNECTIONS);
	curl_multi_setopt(multi->handle, CURLMOPT_MAX_TOTAL_CONNECTIONS, MAX_CONNECTIONS);
	return multi;
}

struct multi *
multi_free(struct multi *multi)
{
	if (multi == NULL)
		return NULL;
	assert(multi->n_jobs == 0);
	curl_multi_cleanup(multi->handle);
	for (size_t fd = 0; fd < multi->kept_size; fd++)
		assert(multi->kept[fd] == NULL);
	xfree(multi->kept);
	loop_task_cancel(&multi->drain);
	loop_timer_free(multi->timer);
	return xfree(multi);
}

struct loop *
multi_loop(const struct multi *multi)
{
	return multi->loop;
}

void
multi_add(struct multi *multi, CURL *easy, multi_done_fn *done, void *arg)
{
	struct job *job = xcalloc(1, sizeof(*job));

	*job = (struct job){ .done = done, .arg = arg };
	curl_easy_setopt(easy, CURLOPT_PRIVATE, job);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_opened);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, multi);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_closed);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, multi);
	multi->n_jobs++;
	curl_multi_add_handle(multi->handle, easy);
}

void
multi_remove(struct multi *multi, CURL *easy)
{
	struct job *job = NULL;

	curl_multi_remove_handle(multi->handle, easy);
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&job);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
	xfree(job);
	multi->n_jobs--;
}

void
multi_nudge(struct multi *multi)
{
	loop_timer_set(multi->timer, 0);
}
