/* SPDX-License-Identifier: MIT */
/*
 * loop.c - libevent underneath, one turn at a time on top.
 */
#include "proxy/net/loop.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

struct freed {
	struct freed	*next;
	void		*object;
	loop_fn		*free;
};

struct loop {
	struct event_base	 *base;
	struct loop_watch	 *kick_watch;
	struct loop_task	 *ready;	/* first woken first */
	struct loop_task	**ready_end;
	struct loop_task	  turn_end;	/* on the ready list while it is run */
	struct freed		 *freed;
	pthread_mutex_t		  mail_lock;
	struct loop_mail	 *mail;		/* posted, newest first */
	loop_fn			 *hook;
	void			 *hook_arg;
	usec_t			  now;
	int			  kick_fd;
	bool			  is_stopping;
};

struct loop_watch {
	struct loop	*loop;
	struct event	*event;
	loop_watch_fn	*fn;
	void		*arg;
	int		 fd;
	short		 interest;
};

struct loop_timer {
	struct event	*event;
	loop_fn		*fn;
	void		*arg;
};

static void
on_kick(void *arg, bool readable, bool writable)
{
	struct loop *loop = arg;
	uint64_t n;

	(void)readable;
	(void)writable;
	while (read(loop->kick_fd, &n, sizeof(n)) > 0)
		;
}

struct loop *
loop_new(void)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));
	struct event_config *config = event_config_new();

	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	loop->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert(loop->base != NULL && loop->kick_fd >= 0);
	pthread_mutex_init(&loop->mail_lock, NULL);
	loop->ready_end = &loop->ready;
	loop->now = clock_mono();
	loop->kick_watch = loop_watch_new(loop, loop->kick_fd, on_kick, loop);
	loop_watch_set(loop->kick_watch, true, false);
	return loop;
}

static void
free_freed(struct loop *loop)
{
	while (loop->freed != NULL) {
		struct freed *f = loop->freed;

		loop->freed = f->next;
		f->free(f->object);
		xfree(f);
	}
}

struct loop *
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return NULL;
	free_freed(loop);
	assert(loop->ready == NULL && loop->mail == NULL);
	pthread_mutex_destroy(&loop->mail_lock);
	loop_watch_free(loop->kick_watch);
	close(loop->kick_fd);
	event_base_free(loop->base);
	return xfree(loop);
}

/* As far as a mark: what these wake comes behind it and runs on the next turn. */
static void
run_ready(struct loop *loop)
{
	struct loop_task *mark = &loop->turn_end;

	mark->next = NULL;
	*loop->ready_end = mark;
	loop->ready_end = &mark->next;
	while (loop->ready != mark) {
		struct loop_task *task = loop->ready;

		assert(task != NULL);	/* the mark is on the list */
		loop->ready = task->next;
		task->next = NULL;
		task->is_woken = false;
		task->run(task->arg);
	}
	loop->ready = mark->next;
	if (loop->ready == NULL)
		loop->ready_end = &loop->ready;
}

/* Whoever posts kicks as well, and what is posted later kicks once more. */
static void
take_mail(struct loop *loop)
{
	pthread_mutex_lock(&loop->mail_lock);
	while (loop->mail != NULL) {
		struct loop_mail *mail = loop->mail;

		loop->mail = mail->next;
		mail->is_posted = false;
		loop_task_wake(mail->task);
	}
	pthread_mutex_unlock(&loop->mail_lock);
}

void
loop_run(struct loop *loop)
{
	loop->is_stopping = false;
	while (!loop->is_stopping) {
		int flags = EVLOOP_ONCE;

		if (loop->ready != NULL)
			flags |= EVLOOP_NONBLOCK;
		event_base_loop(loop->base, flags);
		loop->now = clock_mono();
		take_mail(loop);
		run_ready(loop);
		if (loop->hook != NULL)
			loop->hook(loop->hook_arg);
		free_freed(loop);
	}
}

void
loop_stop(struct loop *loop)
{
	loop->is_stopping = true;
}

void
loop_kick(struct loop *loop)
{
	const uint64_t one = 1;

	/* It fails only when it is full of kicks already. */
	if (write(loop->kick_fd, &one, sizeof(one)) < 0)
		return;
}

usec_t
loop_now(const struct loop *loop)
{
	return loop->now;
}

void
loop_set_turn_hook(struct loop *loop, loop_fn *hook, void *arg)
{
	loop->hook = hook;
	loop->hook_arg = arg;
}

void
loop_task_init(struct loop_task *task, struct loop *loop, loop_fn *run, void *arg)
{
	*task = (struct loop_task){ .loop = loop, .run = run, .arg = arg };
}

void
loop_task_wake(struct loop_task *task)
{
	if (task->is_woken)
		return;
	task->is_woken = true;
	task->next = NULL;
	*task->loop->ready_end = task;
	task->loop->ready_end = &task->next;
}

void
loop_task_cancel(struct loop_task *task)
{
	struct loop_task **at = &task->loop->ready;

	if (!task->is_woken)
		return;
	while (*at != task)
		at = &(*at)->next;
	*at = task->next;
	if (task->loop->ready_end == &task->next)
		task->loop->ready_end = at;
	task->next = NULL;
	task->is_woken = false;
}

void
loop_mail_init(struct loop_mail *mail, struct loop_task *task)
{
	*mail = (struct loop_mail){ .task = task };
}

void
loop_post(struct loop_mail *mail)
{
	struct loop *loop = mail->task->loop;
	bool is_first = false;

	pthread_mutex_lock(&loop->mail_lock);
	if (!mail->is_posted) {
		is_first = loop->mail == NULL;
		mail->is_posted = true;
		mail->next = loop->mail;
		loop->mail = mail;
	}
	pthread_mutex_unlock(&loop->mail_lock);
	if (is_first)
		loop_kick(loop);
}

void
loop_mail_cancel(struct loop_mail *mail)
{
	struct loop *loop = mail->task->loop;
	struct loop_mail **at = &loop->mail;

	pthread_mutex_lock(&loop->mail_lock);
	if (mail->is_posted) {
		while (*at != mail)
			at = &(*at)->next;
		*at = mail->next;
		mail->is_posted = false;
	}
	pthread_mutex_unlock(&loop->mail_lock);
}

void
loop_free_later(struct loop *loop, void *object, loop_fn *free)
{
	struct freed *f = xcalloc(1, sizeof(*f));

	*f = (struct freed){ .next = loop->freed, .object = object, .free = free };
	loop->freed = f;
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *watch = arg;

	(void)fd;
	watch->fn(watch->arg, what & EV_READ, what & EV_WRITE);
}

struct loop_watch *
loop_watch_new(struct loop *loop, int fd, loop_watch_fn *fn, void *arg)
{
	struct loop_watch *watch = xcalloc(1, sizeof(*watch));

	*watch = (struct loop_watch){ .loop = loop, .fn = fn, .arg = arg, .fd = fd };
	watch->event = event_new(loop->base, fd, EV_READ | EV_PERSIST, on_event, watch);
	assert(watch->event != NULL);
	return watch;
}

struct loop_watch *
loop_watch_free(struct loop_watch *watch)
{
	if (watch == NULL)
		return NULL;
	event_free(watch->event);
	return xfree(watch);
}

void
loop_watch_set(struct loop_watch *watch, bool read, bool write)
{
	short interest = (short)((read ? EV_READ : 0) | (write ? EV_WRITE : 0));

	if (interest == watch->interest)
		return;
	if (watch->interest != 0)
		event_del(watch->event);
	watch->interest = interest;
	if (interest == 0)
		return;
	event_assign(watch->event, watch->loop->base, watch->fd,
	    (short)(interest | EV_PERSIST), on_event, watch);
	event_add(watch->event, NULL);
}

static void
on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *timer = arg;

	(void)fd;
	(void)what;
	timer->fn(timer->arg);
}

struct loop_timer *
loop_timer_new(struct loop *loop, loop_fn *fn, void *arg)
{
	struct loop_timer *timer = xcalloc(1, sizeof(*timer));

	*timer = (struct loop_timer){ .fn = fn, .arg = arg };
	timer->event = evtimer_new(loop->base, on_timeout, timer);
	assert(timer->event != NULL);
	return timer;
}

struct loop_timer *
loop_timer_free(struct loop_timer *timer)
{
	if (timer == NULL)
		return NULL;
	event_free(timer->event);
	return xfree(timer);
}

void
loop_timer_set(struct loop_timer *timer, usec_t delay)
{
	struct timeval tv = { 0 };

	if (delay < 0)
		delay = 0;
	tv.tv_sec = (time_t)(delay / USEC_PER_SEC);
	tv.tv_usec = (suseconds_t)(delay % USEC_PER_SEC);
	evtimer_add(timer->event, &tv);
}

void
loop_timer_clear(struct loop_timer *timer)
{
	evtimer_del(timer->event);
}
