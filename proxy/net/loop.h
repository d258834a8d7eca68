/* SPDX-License-Identifier: MIT */
/*
 * loop.h - one thread's event loop, and the turn that everything keeps to:
 *
 *	poll --> callbacks note what arrived --> ready tasks run --> turn hooks
 *	  ^                                                              |
 *	  `---------------- what was freed later is freed ---------------'
 *
 * Callbacks only note and wake; waking is not running.  So nothing is entered
 * twice, and nothing is freed under anybody's feet.
 */
#ifndef PROXY_NET_LOOP_H
#define PROXY_NET_LOOP_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"

struct loop;
struct loop_timer;
struct loop_watch;

struct loop	*loop_new(void);
struct loop	*loop_free(struct loop *loop);

/* Turn until loop_stop(), which any callback, task or hook may call. */
void	loop_run(struct loop *loop);
void	loop_stop(struct loop *loop);

/* Make a turn happen soon.  From any thread, and from a signal handler. */
void	loop_kick(struct loop *loop);

/* Monotonic time as it was when this turn began. */
usec_t	loop_now(const struct loop *loop);

/* HOOK runs at the end of each turn, after all tasks. */
typedef void loop_fn(void *arg);
void	loop_set_turn_hook(struct loop *loop, loop_fn *hook, void *arg);

/*
 * Something to run once on the next turn, however often it was woken.
 * Embedded in its owner, who cancels it before it goes away.
 */
struct loop_task {
	struct loop		*loop;
	loop_fn			*run;
	void			*arg;
	struct loop_task	*next;		/* on the ready list */
	bool			 is_woken;
};

void	loop_task_init(struct loop_task *task, struct loop *loop, loop_fn *run, void *arg);
void	loop_task_wake(struct loop_task *task);
void	loop_task_cancel(struct loop_task *task);

/*
 * A task that another thread may wake.  Embedded beside the task, whose owner
 * cancels it first and has seen to it that nobody posts it any more.
 */
struct loop_mail {
	struct loop_task	*task;
	struct loop_mail	*next;
	bool			 is_posted;
};

void	loop_mail_init(struct loop_mail *mail, struct loop_task *task);
void	loop_post(struct loop_mail *mail);	/* from any thread */
void	loop_mail_cancel(struct loop_mail *mail);

/* Call FREE(OBJECT) when this turn is over. */
void	loop_free_later(struct loop *loop, void *object, loop_fn *free);

/* Level-triggered interest in a descriptor, which stays its owner's. */
typedef void loop_watch_fn(void *arg, bool readable, bool writable);
struct loop_watch	*loop_watch_new(struct loop *loop, int fd, loop_watch_fn *fn, void *arg);
struct loop_watch	*loop_watch_free(struct loop_watch *watch);
void	loop_watch_set(struct loop_watch *watch, bool read, bool write);

/* One timer, not set at first; FN runs as a callback, so it only notes and wakes. */
struct loop_timer	*loop_timer_new(struct loop *loop, loop_fn *fn, void *arg);
struct loop_timer	*loop_timer_free(struct loop_timer *timer);
void	loop_timer_set(struct loop_timer *timer, usec_t delay);
void	loop_timer_clear(struct loop_timer *timer);

#endif
