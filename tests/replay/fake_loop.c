/* SPDX-License-Identifier: MIT */
/*
 * fake_loop.c - loop.h and clock.h over a time that stands still.  Loops take
 * turns: what one posts to another arrives when it is the other's.
 */
#include "proxy/net/loop.h"

#include <stddef.h>

#include "base/mem.h"
#include "tests/replay/world.h"

#define WALL_START	((usec_t)1700000000 * USEC_PER_SEC)
#define TURNS_MAX	1000

struct loop_timer {
	struct loop		*loop;
	struct loop_timer	*next;
	loop_fn			*fn;
	void			*arg;
	usec_t			 at;	/* 0: not set */
};

struct freed {
	struct freed	*next;
	void		*object;
	loop_fn		*free;
};

struct loop {
	struct loop		 *next;
	struct loop_task	 *ready;
	struct loop_task	**ready_end;
	struct loop_mail	 *mail;		/* posted, newest first */
	struct loop_timer	 *timers;
	struct freed		 *freed;
	loop_fn			 *hook;
	void			 *hook_arg;
};

static usec_t now = USEC_PER_SEC;
static usec_t wall_ahead;		/* of where it would be */
static struct loop *loops;

usec_t
clock_mono(void)
{
	return now;
}

usec_t
clock_wall(void)
{
	return WALL_START + now + wall_ahead;
}

struct loop *
loop_new(void)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	loop->ready_end = &loop->ready;
	loop->next = loops;
	loops = loop;
	return loop;
}

struct loop *
loop_free(struct loop *loop)
{
	struct loop **p = &loops;

	assert(loop->ready == NULL && loop->mail == NULL);
	assert(loop->timers == NULL && loop->freed == NULL);
	while (*p != loop)
		p = &(*p)->next;
	*p = loop->next;
	return xfree(loop);
}

usec_t
loop_now(const struct loop *loop)
{
	(void)loop;
	return now;
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
	struct loop_task **p = &task->loop->ready;

	if (!task->is_woken)
		return;
	while (*p != task)
		p = &(*p)->next;
	*p = task->next;
	if (task->next == NULL)
		task->loop->ready_end = p;
	task->is_woken = false;
}

void
loop_free_later(struct loop *loop, void *object, loop_fn *free)
{
	struct freed *f = xcalloc(1, sizeof(*f));

	*f = (struct freed){ .next = loop->freed, .object = object, .free = free };
	loop->freed = f;
}

struct loop_timer *
loop_timer_new(struct loop *loop, loop_fn *fn, void *arg)
{
	struct loop_timer *timer = xcalloc(1, sizeof(*timer));

	*timer = (struct loop_timer){ .loop = loop, .next = loop->timers, .fn = fn, .arg = arg };
	loop->timers = timer;
	return timer;
}

struct loop_timer *
loop_timer_free(struct loop_timer *timer)
{
	struct loop_timer **p;

	if (timer == NULL)
		return NULL;
	for (p = &timer->loop->timers; *p != timer; p = &(*p)->next)
		;
	*p = timer->next;
	return xfree(timer);
}

void
loop_timer_set(struct loop_timer *timer, usec_t delay)
{
	timer->at = now + delay;
}

void
loop_timer_clear(struct loop_timer *timer)
{
	timer->at = 0;
}

static void
take_mail(struct loop *loop)
{
	while (loop->mail != NULL) {
		struct loop_mail *mail = loop->mail;

		loop_mail_cancel(mail);
		loop_task_wake(mail->task);
	}
}

static void
turn(struct loop *loop)
{
	struct freed *next;

	take_mail(loop);
	while (loop->ready != NULL) {
		struct loop_task *task = loop->ready;

		loop_task_cancel(task);
		task->run(task->arg);
	}
	if (loop->hook != NULL)
		loop->hook(loop->hook_arg);
	for (struct freed *f = take_ptr(&loop->freed); f != NULL; f = next) {
		next = f->next;
		f->free(f->object);
		xfree(f);
	}
}

static bool
is_settled(void)
{
	for (struct loop *loop = loops; loop != NULL; loop = loop->next)
		if (loop->ready != NULL || loop->mail != NULL || loop->freed != NULL)
			return false;
	return true;
}

void
world_settle(void)
{
	for (int i = 0; !is_settled(); i++) {
		assert(i < TURNS_MAX);
		for (struct loop *loop = loops; loop != NULL; loop = loop->next)
			turn(loop);
	}
}

static struct loop_timer *
next_timer(usec_t until)
{
	struct loop_timer *first = NULL;

	for (struct loop *loop = loops; loop != NULL; loop = loop->next)
		for (struct loop_timer *t = loop->timers; t != NULL; t = t->next)
			if (t->at != 0 && t->at <= until && (first == NULL || t->at < first->at))
				first = t;
	return first;
}

void
world_set_wall(usec_t ahead)
{
	wall_ahead = ahead;
}

void
world_stop(usec_t time)
{
	struct loop_timer *timer;

	now += time;
	while ((timer = next_timer(now)) != NULL) {
		timer->at = 0;
		timer->fn(timer->arg);
	}
}

void
world_pass(usec_t time)
{
	usec_t until = now + time;
	struct loop_timer *timer;

	while ((timer = next_timer(until)) != NULL) {
		now = timer->at > now ? timer->at : now;
		timer->at = 0;
		timer->fn(timer->arg);
		world_settle();
	}
	now = until;
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

	if (mail->is_posted)
		return;
	mail->is_posted = true;
	mail->next = loop->mail;
	loop->mail = mail;
}

void
loop_mail_cancel(struct loop_mail *mail)
{
	struct loop_mail **p = &mail->task->loop->mail;

	if (!mail->is_posted)
		return;
	while (*p != mail)
		p = &(*p)->next;
	*p = mail->next;
	mail->is_posted = false;
}
