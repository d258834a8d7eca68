/* SPDX-License-Identifier: MIT */
/*
 * scout.c - a list of rounds, each with its aim, its path and its time; one call of each
 * at once.
 */
#include "proxy/scout.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "proxy/board.h"
#include "proxy/dialect/identity.h"
#include "proxy/dialect/model_list.h"
#include "proxy/errand.h"
#include "proxy/models.h"
#include "proxy/upstream.h"
#include "proxy/worker.h"

#define CHECK_TIME_MAX	(5 * USEC_PER_SEC)
#define LIST_TIME	(5 * USEC_PER_SEC)
#define REVISION_TIME	(3 * USEC_PER_SEC)
#define REVISION_AGAIN	USEC_PER_SEC	/* after one that failed, if it is not more often anyway */

enum aim {
	AIM_HEALTH,
	AIM_REVISION,
	AIM_MODELS,
};

struct round {
	enum aim			 aim;
	const struct config_upstream	*to;		/* in the scout's CONFIG */
	const char			*path;
	usec_t				 every;
	usec_t				 due;		/* INT64_MAX: when it is wanted */
	struct notice			*notice;	/* where it is told; NULL: nowhere */
	enum notice_state		 brought;	/* there, the last time */
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

/* How long a call may take. */
static usec_t
time_of(const struct round *round)
{
	if (round->aim != AIM_HEALTH)
		return round->aim == AIM_REVISION ? REVISION_TIME : LIST_TIME;
	return round->every < CHECK_TIME_MAX ? round->every : CHECK_TIME_MAX;
}

static bool
must_begin(const struct round *round, usec_t now)
{
	bool is_due = now >= round->due;

	return round->notice != NULL ? notice_take(round->notice, is_due) : is_due;
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
		.time = time_of(round),
	};

	round->errand = errand_start(scout->worker->multi, &options, &scout->task);
}

static bool
is_good(const struct round *round)
{
	int status = errand_status(round->errand);

	return status >= 200 && status < 300;
}

static void
finish_check(struct scout *scout, struct round *round, usec_t now)
{
	round->due = now + round->every;
	upstream_note_check(upstream_of(scout, round), is_good(round), round->every);
	if (!is_good(round))
		board_doubt(scout->worker->board, round->to->name);
}

/* Once each time that it changes. */
static void
log_revision(const struct round *round, enum notice_state state, struct bytes text)
{
	struct bytes one = identity_of(text, BYTES_NONE);

	if (one.len > 0)
		log_info("upstream %s: the revision of its model is %.*s", round->to->name,
		    BYTES_ARG(one));
	else if (text.len > 0)
		log_info("upstream %s: its models are others now", round->to->name);
	if (state == NOTICE_FAILED && round->brought != NOTICE_FAILED)
		log_warn("upstream %s says nothing of its models at %s, keeping no answers of it",
		    round->to->name, round->path);
}

static void
finish_revision(struct round *round, usec_t now)
{
	enum notice_state state = errand_met_nobody(round->errand) ? NOTICE_NOBODY :
	    NOTICE_FAILED;
	bool is_soon = round->every > REVISION_AGAIN, is_new;
	struct buf text;

	buf_init(&text, IDENTITY_MAX);
	if (is_good(round) && identity_read(errand_body(round->errand), &text) == 0)
		state = NOTICE_KNOWN;
	is_new = notice_set(round->notice, state, buf_bytes(&text), now);
	log_revision(round, state, is_new ? buf_bytes(&text) : BYTES_NONE);
	round->brought = state;
	round->due = now + (state != NOTICE_KNOWN && is_soon ? REVISION_AGAIN : round->every);
	buf_done(&text);
}

static void
finish_models(struct round *round, usec_t now)
{
	enum notice_state state = NOTICE_FAILED;
	struct buf text;

	buf_init(&text, MODEL_LIST_SIZE);
	if (is_good(round) && model_list_read(errand_body(round->errand), &text) == 0)
		state = NOTICE_KNOWN;
	notice_set(round->notice, state, buf_bytes(&text), now);
	buf_done(&text);
}

static void
finish(struct scout *scout, struct round *round, usec_t now)
{
	switch (round->aim) {
	case AIM_HEALTH:
		finish_check(scout, round, now);
		break;
	case AIM_REVISION:
		finish_revision(round, now);
		break;
	case AIM_MODELS:
		finish_models(round, now);
		break;
	}
	round->errand = errand_free(round->errand);
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
		if (round->errand == NULL && must_begin(round, now))
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

/* A notice is wanted, by whatever worker. */
static void
on_want(void *arg)
{
	struct scout *scout = arg;

	loop_post(&scout->mail);
}

static void
add_round(struct scout *scout, const struct round *round)
{
	scout->rounds = xreallocarray(scout->rounds, scout->n_rounds + 1, sizeof(*round));
	scout->rounds[scout->n_rounds++] = *round;
}

/* Where nobody looks after it any more, an upstream is taken for well again. */
static void
plan_checks(struct scout *scout)
{
	const struct config *config = scout->config;

	for (size_t i = 0; i < config->n_upstreams; i++) {
		const struct config_upstream *to = &config->upstreams[i];

		if (to->health.path != NULL)
			add_round(scout, &(struct round){ .aim = AIM_HEALTH, .to = to,
			    .path = to->health.path, .every = to->health.every });
		else
			upstream_note_check(upstream_find(scout->worker->upstreams, to->name),
			    true, 0);
	}
}

/* As a route asks for it, or else the upstream; the same place is asked once. */
static void
plan_revision(struct scout *scout, const struct config_route *route,
    const struct config_upstream *to)
{
	const struct config_probe *probe = route->revision.probe.path != NULL ?
	    &route->revision.probe : &to->revision.probe;
	struct round round = {
		.aim = AIM_REVISION, .to = to, .path = probe->path, .every = probe->every,
	};

	if (route->revision.text != NULL || probe->path == NULL)
		return;
	round.notice = board_find(scout->worker->board, to, probe->path, NOTICE_REVISION);
	for (size_t i = 0; i < scout->n_rounds; i++) {
		struct round *other = &scout->rounds[i];

		if (other->notice != round.notice)
			continue;
		other->every = round.every < other->every ? round.every : other->every;
		return;
	}
	add_round(scout, &round);
}

static void
plan_revisions(struct scout *scout)
{
	const struct config *config = scout->config;

	for (size_t i = 0; i < config->n_routes; i++)
		for (size_t j = 0; j < config->routes[i].n_to; j++)
			plan_revision(scout, &config->routes[i],
			    &config->upstreams[config->routes[i].to[j]]);
}

static void
plan_lists(struct scout *scout)
{
	const struct config *config = scout->config;

	for (size_t i = 0; i < config->n_upstreams && models_are_ours(config); i++) {
		const struct config_upstream *to = &config->upstreams[i];

		if (models_are_listed_by(config, to))
			add_round(scout, &(struct round){
				.aim = AIM_MODELS, .to = to, .path = MODELS_PATH, .due = INT64_MAX,
				.notice = board_find(scout->worker->board, to, MODELS_PATH,
				    NOTICE_MODELS),
			});
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
	if (strcmp(scout->config->cache.mode, "replay") != 0) {
		plan_checks(scout);
		plan_revisions(scout);
		plan_lists(scout);
	}
	board_set_scout(worker->board, on_want, scout);
	loop_post(&scout->mail);
	return scout;
}

struct scout *
scout_free(struct scout *scout)
{
	if (scout == NULL)
		return NULL;
	board_leave_scout(scout->worker->board, scout);
	loop_mail_cancel(&scout->mail);
	loop_task_cancel(&scout->task);
	for (size_t i = 0; i < scout->n_rounds; i++)
		errand_free(scout->rounds[i].errand);
	loop_timer_free(scout->timer);
	config_unref(scout->config);
	xfree(scout->rounds);
	return xfree(scout);
}
