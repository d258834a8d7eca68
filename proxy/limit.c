/* SPDX-License-Identifier: MIT */
/*
 * limit.c - an account (cache/ledger.h) for each team, and one for the places of each
 * route that has a bound.  Times are the wall clock's, as those of the ledger.
 *
 *	rate --> tokens --> budget --> place of the route --> place of the team
 *
 * A place once taken is kept while the next is waited for; places are always taken in
 * this order.  What cannot be checked is refused: a budget without a price, or one
 * whose ledger could not be read.
 */
#include "proxy/limit.h"

#include <inttypes.h>
#include <string.h>

#include "base/rate.h"
#include "cache/ledger.h"
#include "config/config.h"
#include "proxy/form.h"
#include "proxy/question.h"
#include "proxy/worker.h"

#define TEAM_QUEUE	100
#define TEAM_TIME	(30 * USEC_PER_SEC)

/* Where no usage is told: a token has about so many bytes of text, or of events. */
#define BYTES_PER_TOKEN	4
#define BYTES_PER_EVENT	200

static bool
is_limited(const struct config_team *team)
{
	return team->rate.n > 0 || team->tokens.n > 0 || team->budget.amount > 0 ||
	    team->concurrency > 0;
}

/* Is there anything to be written down of what it uses? */
static bool
is_charged(const struct request *req)
{
	const struct config_team *team = req->admission.team;

	return team != NULL && (is_limited(team) || req->config->n_prices > 0);
}

static void
find_account(struct request *req)
{
	struct admission *admission = &req->admission;

	if (admission->account == NULL)
		admission->account = ledger_account(req->worker->ledger,
		    bytes_str(admission->team->name));
}

static bool
refuse(struct limit_refusal *refusal, const char *code, const char *message, usec_t wait)
{
	*refusal = (struct limit_refusal){
		.status = 429, .code = code, .message = message, .wait = wait,
	};
	return false;
}

static bool
has_budget(struct request *req, struct limit_refusal *refusal)
{
	const struct budget *budget = &req->admission.team->budget;
	usec_t now = clock_wall();
	struct spending spending;

	if (budget->amount == 0)
		return true;
	if (config_price_find(req->config, req->model) == NULL)
		return refuse(refusal, "no_price", "the team has a budget, and \"prices\" has no "
		    "price for this model", 0);
	if (!ledger_is_sound(req->worker->ledger))
		return refuse(refusal, "budget_unknown", "what the team has spent cannot be read; "
		    "see the log", 0);
	spending = ledger_get(req->worker->ledger, req->admission.account, now);
	if ((budget->period == PERIOD_DAY ? spending.today : spending.this_month) <
	    budget->amount)
		return true;
	return refuse(refusal, "insufficient_quota", "the budget of the team is spent",
	    ledger_period_left(budget->period, now));
}

static bool
take_request(struct request *req, struct limit_refusal *refusal)
{
	const struct rate *rate = &req->admission.team->rate;
	struct rate_meter *meter = &req->admission.account->requests;
	usec_t now = clock_wall();

	if (rate->n == 0)
		return true;
	if (rate_take(meter, rate, now)) {
		ledger_touch(req->worker->ledger);
		return true;
	}
	return refuse(refusal, "rate_limit_exceeded", "the team has sent too many requests",
	    rate_wait(meter, rate, 1, now));
}

/* The request itself is taken last, so that it does not count where another limit refuses. */
static bool
is_allowed(struct request *req, struct limit_refusal *refusal)
{
	const struct rate *tokens;
	struct account *account;
	usec_t now = clock_wall();

	if (!is_charged(req))
		return true;
	find_account(req);
	account = req->admission.account;
	tokens = &req->admission.team->tokens;
	if (tokens->n > 0 && rate_left(&account->tokens, tokens, now) == 0)
		return refuse(refusal, "rate_limit_exceeded", "the team has used too many tokens",
		    rate_wait(&account->tokens, tokens, 1, now));
	return has_budget(req, refusal) && take_request(req, refusal);
}

/* Of one that was let in from the line, GATE_E_WAIT while it stands there. */
static int
enter(struct gate *gate, const struct gate_limits *limits, struct gate_pass *pass)
{
	if (pass->gate != NULL)
		return gate_is_inside(pass) ? 0 : GATE_E_WAIT;
	return limits->max > 0 ? gate_enter(gate, limits, pass) : 0;
}

/* By what it takes, so that a reload does not give a route the places of another. */
static int
name_route(struct request *req, struct bytes *ret_name)
{
	const struct config_route *route = req->route;
	int r;

	r = arena_printf(req->arena, ret_name, LEDGER_UNWRITTEN "route %s %s",
	    route->path != NULL ? route->path : "-",
	    route->dialect != NULL ? route->dialect : "-");
	for (size_t i = 0; r == 0 && i < route->n_teams; i++)
		r = arena_printf(req->arena, ret_name, "%.*s @%s", BYTES_ARG(*ret_name),
		    req->config->teams[route->teams[i]].name);
	for (char **model = route->models; r == 0 && *model != NULL; model++)
		r = arena_printf(req->arena, ret_name, "%.*s %s", BYTES_ARG(*ret_name), *model);
	return r;
}

static int
enter_route(struct request *req)
{
	const struct config_route *route = req->route;
	const struct gate_limits limits = { route->concurrency, route->queue };
	struct bytes name;
	struct account *account;

	if (route->concurrency == 0)
		return 0;
	if (name_route(req, &name) < 0)
		return GATE_E_FULL;
	account = ledger_account(req->worker->ledger, name);
	return enter(account->gate, &limits, &req->admission.route_pass);
}

static int
enter_team(struct request *req)
{
	const struct config_team *team = req->admission.team;
	struct gate_limits limits = { .queue = TEAM_QUEUE };

	if (team == NULL || team->concurrency == 0)
		return 0;
	limits.max = team->concurrency;
	return enter(req->admission.account->gate, &limits, &req->admission.team_pass);
}

/* How long the line may take: as what it stands in says. */
static enum limit_verdict
wait_in_line(struct request *req, usec_t time, struct limit_refusal *refusal)
{
	struct admission *admission = &req->admission;
	usec_t now = loop_now(req->worker->loop);

	if (admission->until == 0)
		admission->until = now + time;
	if (now < admission->until && !req->worker->is_draining) {
		request_wake_at(req, admission->until);
		return LIMIT_WAIT;
	}
	refuse(refusal, "queue_timeout", "no call was free in time; try again later",
	    USEC_PER_SEC);
	return LIMIT_REFUSED;
}

static enum limit_verdict
take_place(struct request *req, struct limit_refusal *refusal)
{
	usec_t time = req->route->queue_timeout;
	int r = enter_route(req);

	if (r == 0) {
		time = TEAM_TIME;
		r = enter_team(req);
	}
	if (r == GATE_E_WAIT)
		return wait_in_line(req, time, refusal);
	if (r == 0)
		return LIMIT_PASSED;
	refuse(refusal, "queue_full", "too many requests wait for a call; try again later",
	    USEC_PER_SEC);
	return LIMIT_REFUSED;
}

enum limit_verdict
limit_check(struct request *req, struct limit_refusal *ret_refusal)
{
	enum limit_verdict verdict;

	if (!req->admission.is_counted) {
		if (!is_allowed(req, ret_refusal))
			return LIMIT_REFUSED;
		req->admission.is_counted = true;
	}
	verdict = take_place(req, ret_refusal);
	req->admission.is_passed = verdict == LIMIT_PASSED;
	return verdict;
}

bool
limit_is_passed(const struct request *req)
{
	return req->admission.is_passed || (req->route->concurrency == 0 && !is_charged(req));
}

enum limit_verdict
limit_check_hit(struct request *req, struct limit_refusal *ret_refusal)
{
	const struct config_team *team = req->admission.team;

	if (team == NULL || !team->count_hits || team->rate.n == 0)
		return LIMIT_PASSED;
	find_account(req);
	return take_request(req, ret_refusal) ? LIMIT_PASSED : LIMIT_REFUSED;
}

static void
charge(struct request *req, const struct token_usage *usage)
{
	const struct config_price *price = config_price_find(req->config, req->model);
	struct account *account = req->admission.account;
	struct spending spending = { .input = usage->input, .output = usage->output };
	usec_t now = clock_wall();

	req->admission.is_settled = true;
	if (price != NULL)
		spending.spent = usage->input * price->input + usage->output * price->output;
	ledger_spend(req->worker->ledger, account, &spending, now);
	rate_charge(&account->tokens, &req->admission.team->tokens, usage->input + usage->output,
	    now);
}

static bool
is_to_settle(const struct request *req)
{
	return req->admission.account != NULL && req->admission.is_counted &&
	    !req->admission.is_settled && req->fetch != NULL && fetch_status(req->fetch) == 200;
}

/* Of an answer that tells nothing, or was broken off: by its length, if it is prose. */
static struct token_usage
estimate(const struct request *req)
{
	uint64_t held = fetch_body(req->fetch).len, sent = req->reply.body_len;
	uint64_t size = sent > held ? sent : held;
	struct token_usage usage = { .input = question_body(req).len / BYTES_PER_TOKEN + 1 };

	if (req->call.wants_stream)
		usage.output = size / BYTES_PER_EVENT + 1;
	else if (req->call.is_sampled && req->call.is_json_answer)
		usage.output = size / BYTES_PER_TOKEN + 1;
	return usage;
}

void
limit_settle(struct request *req)
{
	struct token_usage usage;

	if (!is_to_settle(req))
		return;
	if (!form_usage(req, &usage))
		usage = estimate(req);
	charge(req, &usage);
}

void
limit_end(struct request *req)
{
	struct token_usage usage;

	if (is_to_settle(req)) {
		usage = estimate(req);
		charge(req, &usage);
	}
	gate_leave(&req->admission.team_pass);
	gate_leave(&req->admission.route_pass);
}

struct limit {
	const char		*name;		/* of what */
	const struct rate	*rate;
	uint64_t		 left;
	uint64_t		 reset;		/* seconds until all of it is there again */
};

static void
note_limit(struct limit *limit, const char *name, const struct rate *rate,
    const struct rate_meter *meter)
{
	usec_t now = clock_wall();
	usec_t wait = rate_wait(meter, rate, rate->n, now);

	*limit = (struct limit){
		.name = name, .rate = rate, .left = rate_left(meter, rate, now),
		.reset = (uint64_t)(wait + USEC_PER_SEC - 1) / USEC_PER_SEC,
	};
}

/* RateLimit (draft-ietf-httpapi-ratelimit-headers), and OpenAI's names for the same. */
static int
add_limits(struct buf *out, const struct limit *limits, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = buf_addf(out, "%s\"%s\";q=%" PRIu64 ";w=%" PRIu64,
		    i == 0 ? "RateLimit-Policy: " : ", ", limits[i].name, limits[i].rate->n,
		    (uint64_t)(limits[i].rate->per / USEC_PER_SEC));
	for (size_t i = 0; r == 0 && i < n; i++)
		r = buf_addf(out, "%s\"%s\";r=%" PRIu64 ";t=%" PRIu64,
		    i == 0 ? "\r\nRateLimit: " : ", ", limits[i].name, limits[i].left,
		    limits[i].reset);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = buf_addf(out, "\r\nx-ratelimit-limit-%s: %" PRIu64
		    "\r\nx-ratelimit-remaining-%s: %" PRIu64 "\r\nx-ratelimit-reset-%s: %" PRIu64
		    "s", limits[i].name, limits[i].rate->n, limits[i].name, limits[i].left,
		    limits[i].name, limits[i].reset);
	return r == 0 ? buf_add_str(out, "\r\n") : r;
}

void
limit_note_follower(struct request *req)
{
	const struct config_team *team = req->admission.team;

	if (team != NULL && (team->rate.n > 0 || team->tokens.n > 0))
		find_account(req);
}

static bool
names_limits(struct bytes name)
{
	return bytes_eq_str_nocase(name, "ratelimit") ||
	    bytes_eq_str_nocase(name, "x-ratelimit-limit-requests");
}

/* The same of the fields of another's call, as they are in its flight. */
static bool
text_names_limits(struct bytes fields)
{
	while (fields.len > 0) {
		struct bytes line = bytes_cut(&fields, '\n');

		if (names_limits(bytes_cut(&line, ':')))
			return true;
	}
	return false;
}

/* Those of the upstream say more: they are about what is left for all of us. */
static bool
upstream_says(const struct request *req)
{
	const struct flight_seat *seat = &req->sharing.seat;
	const struct fields *fields;

	if (req->fetch == NULL || fetch_status(req->fetch) == 0)
		return seat->flight != NULL && text_names_limits(flight_head(seat)->fields);
	fields = fetch_fields(req->fetch);
	for (size_t i = 0; i < fields->n; i++)
		if (names_limits(fields->list[i].name))
			return true;
	return false;
}

int
limit_add_fields(struct request *req, struct buf *out)
{
	const struct config_team *team = req->admission.team;
	struct account *account = req->admission.account;
	struct limit limits[2];
	size_t n = 0;

	if (account == NULL || upstream_says(req))
		return 0;
	if (team->rate.n > 0)
		note_limit(&limits[n++], "requests", &team->rate, &account->requests);
	if (team->tokens.n > 0)
		note_limit(&limits[n++], "tokens", &team->tokens, &account->tokens);
	return n > 0 ? add_limits(out, limits, n) : 0;
}
