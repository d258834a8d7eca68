/* SPDX-License-Identifier: MIT */
/*
 * scout.c - a list of rounds, each with its path and its time; one call of each at
 * once.
 */
#include "proxy/scout.h"

#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "proxy/errand.h"
#include "proxy/upstream.h"
#include "proxy/worker.h"

#define CHECK_TIME_MAX	(5 * USEC_PER_SEC)

struct round {
	const struct config_upstream	*to;		/* in the scout's CONFIG */
	const char			*path;
	usec_t				 every;
	usec_t				 due;
	struct errand			*errand;	/* NULL: none is under way */
};

struct scout {
	struct worker		*worker;	/* borrowed: outlives us */
	struct config		*config;	/* a reference of our own */
	struct loop_task	 task;
	struct loop_mail	 mail;
	struct loop_timer	*timer;
	struct round		*rounds;
	size_t			 n_rounds;
};

static struct upstream *
upstream_of(const struct scout *scout, const struct round *round)
{
	return upstream_find(scout->worker->upstreams, round->to->name);
}

/* With one of its tokens, in turn with those who ask for clients. */
static void
begin(struct scout *scout, struct round *round)
{
	size_t n_tokens = round->to->n_tokens;
	const struct errand_options options = {
		.config = scout->config,
		.upstream = round->to,
		.token = n_tokens > 0 ? upstream_take_token(upstream_of(scout, round), n_tokens,
		    loop_now(scout->worker->loop)) : 0,
		.path = round->path,
		.time = round->every < CHECK_TIME_MAX ? round->every : CHECK_TIME_MAX,
	};

	round->errand = errand_start(scout->worker->multi, &options, &scout->task);
}

static void
finish(struct scout *scout, struct round *round, usec_t now)
{
	int status = errand_status(round->errand);

	round->errand = errand_free(round->errand);
	round->due = now + round->every;
	upstream_note_check(upstream_of(scout, round), status >= 200 && status < 300,
	    round->every);
}

static void
go(void *arg)
{
	struct scout *scout = arg;
	usec_t now = loop_now(scout->worker->loop), next = INT64_MAX;

	for (size_t i = 0; i < scout->n_rounds; i++) {
		struct round *round = &scout->rounds[i];

		if (round->errand != NULL && errand_is_over(round->errand))
			finish(scout, round, now);
		if (round->errand == NULL && now >= round->due)
			begin(scout, round);
		if (round->errand == NULL && round->due < next)
			next = round->due;
	}
	if (next < INT64_MAX)
		loop_timer_set(scout->timer, next - now);
}

static void
on_time(void *arg)
{
	struct scout *scout = arg;

	loop_task_wake(&scout->task);
}

static struct round *
add_round(struct scout *scout, const struct config_upstream *to, const char *path, usec_t every)
{
	struct round *round;

	scout->rounds = xreallocarray(scout->rounds, scout->n_rounds + 1, sizeof(*round));
	round = &scout->rounds[scout->n_rounds++];
	*round = (struct round){ .to = to, .path = path, .every = every };
	return round;
}

/* Where nobody looks after it any more, an upstream is taken for well again. */
static void
plan_checks(struct scout *scout)
{
	const struct config *config = scout->config;

	for (size_t i = 0; i < config->n_upstreams; i++) {
		const struct config_upstream *to = &config->upstreams[i];

		if (to->health.path != NULL)
			add_round(scout, to, to->health.path, to->health.every);
		else
			upstream_note_check(upstream_find(scout->worker->upstreams, to->name),
			    true, 0);
	}
}

struct scout *
scout_new(struct worker *worker)
{
	struct scout *scout = xcalloc(1, sizeof(*scout));

	scout->worker = worker;
	scout->config = config_ref(worker->config);
	loop_task_init(&scout->task, worker->loop, go, scout);
	loop_mail_init(&scout->mail, &scout->task);
	scout->timer = loop_timer_new(worker->loop, on_time, scout);
	if (strcmp(scout->config->cache.mode, "replay") != 0)
		plan_checks(scout);
	loop_post(&scout->mail);
	return scout;
}

struct scout *
scout_free(struct scout *scout)
{
	if (scout == NULL)
		return NULL;
	loop_mail_cancel(&scout->mail);
	loop_task_cancel(&scout->task);
	for (size_t i = 0; i < scout->n_rounds; i++)
		errand_free(scout->rounds[i].errand);
	loop_timer_free(scout->timer);
	config_unref(scout->config);
	xfree(scout->rounds);
	return xfree(scout);
}
