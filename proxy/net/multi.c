/* SPDX-License-Identifier: MIT */
/*
 * multi.c - libcurl's sockets and its timer, on our loop.
 */
#include "proxy/net/multi.h"

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
	unsigned		 n_jobs;
};

struct socket_watch {
	struct multi		*multi;
	struct loop_watch	*watch;
	curl_socket_t		 fd;
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

	act(sw->multi, sw->fd,
	    (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
}

/* libcurl may ask for this from within our call of it, watch callback included. */
static void
free_socket_watch(void *arg)
{
	struct socket_watch *sw = arg;

	xfree(sw);
}

static int
on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct multi *multi = arg;
	struct socket_watch *sw = socket_arg;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (sw == NULL)
			return 0;
		sw->watch = loop_watch_free(sw->watch);
		loop_free_later(multi->loop, sw, free_socket_watch);
		curl_multi_assign(multi->handle, fd, NULL);
		return 0;
	}
	if (sw == NULL) {
		sw = xcalloc(1, sizeof(*sw));
		*sw = (struct socket_watch){ .multi = multi, .fd = fd };
		sw->watch = loop_watch_new(multi->loop, fd, on_socket_ready, sw);
		curl_multi_assign(multi->handle, fd, sw);
	}
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
