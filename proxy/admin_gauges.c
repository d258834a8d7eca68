/* SPDX-License-Identifier: MIT */
/*
 * admin_gauges.c - of the metrics what is not counted by workers: calls under way, the
 * cache, the upstreams, and what teams have used, saved and left.
 */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/money.h"
#include "base/rate.h"
#include "cache/flight.h"
#include "cache/ledger.h"
#include "cache/scribe.h"
#include "cache/store.h"
#include "config/config.h"
#include "proxy/admin_priv.h"
#include "proxy/body_log.h"
#include "proxy/exporter.h"
#include "proxy/page.h"
#include "proxy/server_priv.h"
#include "proxy/upstream.h"

static void
put_flights(struct page *page, const struct server *srv)
{
	struct flight_count count = flight_count(srv->flights);

	page_put_one(page, "flights", "gauge", "Questions under way that others may wait for.",
	    (double)count.flights);
	page_put_one(page, "followers", "gauge", "Requests that wait for the call of another.",
	    (double)count.seats);
}

static void
put_log(struct page *page, const struct server *srv)
{
	page_put_one(page, "log_dropped_total", "counter", "Lines of the log that were dropped.",
	    (double)log_dropped());
	page_put_one(page, "log_bodies_dropped_total", "counter",
	    "Questions and answers that could not be written to their file.",
	    (double)body_logs_dropped(srv->outlets.bodies));
	page_put_one(page, "spans_dropped_total", "counter",
	    "Spans that could not be sent to their collector.",
	    (double)exporter_dropped(srv->outlets.exporter));
}

static void
put_store(struct page *page, struct store *store)
{
	struct store_stat stat;

	if (store_get_stat(store, &stat) != 0)
		return;
	page_put_one(page, "entries", "gauge", "Answers in the cache.", (double)stat.entries);
	page_put_one(page, "stored_bytes", "gauge", "Bytes of pages in use.",
	    (double)stat.used_bytes);
	page_put_one(page, "file_bytes", "gauge", "Bytes of the cache's file.",
	    (double)stat.file_bytes);
	page_put_one(page, "evicted_total", "counter", "Answers that went to make room.",
	    (double)stat.evicted);
	page_put_one(page, "expired_total", "counter",
	    "Answers that went since their time was over.", (double)stat.expired);
	page_put_one(page, "damaged_total", "counter", "Entries that failed their check.",
	    (double)stat.damaged);
}

static void
put_scribe(struct page *page, struct scribe *scribe)
{
	struct scribe_stat stat;

	scribe_get_stat(scribe, &stat);
	page_put_one(page, "scribe_queue_bytes", "gauge", "Bytes that wait to be written.",
	    (double)stat.queued_bytes);
	page_put_one(page, "scribe_paused", "gauge",
	    "1: the disk refused, nothing is stored for now.", stat.paused);
	page_put_one(page, "scribe_committed_total", "counter", "Answers written to the cache.",
	    (double)stat.stored);
	page_put_one(page, "scribe_errors_total", "counter", "Writes that failed.",
	    (double)stat.errors);
}

static struct upstream_state
state_of(const struct server *srv, size_t i)
{
	return upstream_state(upstream_find(srv->upstreams, srv->config->upstreams[i].name));
}

static void
put_upstream_gauge(struct page *page, const char *name, const struct config_upstream *up,
    unsigned value)
{
	page_putf(page, "reprise_%s{upstream=\"%s\"} %u\n", name, up->name, value);
}

static void
put_upstreams(struct page *page, const struct server *srv)
{
	const struct config *config = srv->config;

	page_begin(page, "upstream_healthy", "gauge", "0: its health checks fail.");
	for (size_t i = 0; i < config->n_upstreams; i++)
		put_upstream_gauge(page, "upstream_healthy", &config->upstreams[i],
		    state_of(srv, i).is_well);
	page_begin(page, "upstream_breaker", "gauge",
	    "0: closed, 1: open, it is left alone, 2: half-open, one request asks it.");
	for (size_t i = 0; i < config->n_upstreams; i++)
		put_upstream_gauge(page, "upstream_breaker", &config->upstreams[i],
		    state_of(srv, i).breaker);
	page_begin(page, "upstream_calls", "gauge", "Calls under way.");
	for (size_t i = 0; i < config->n_upstreams; i++)
		put_upstream_gauge(page, "upstream_calls", &config->upstreams[i],
		    state_of(srv, i).n_calls);
}

/* Of one value for each account: what it is called, where it stands, and what it counts in. */
struct tally_row {
	const char	*metric;
	const char	*more;		/* labels */
	double		 unit;
	uint64_t	(*get)(const struct spending *spending, const struct saved *saved);
};

static uint64_t
used_input(const struct spending *spending, const struct saved *saved)
{
	(void)saved;
	return spending->input;
}

static uint64_t
used_output(const struct spending *spending, const struct saved *saved)
{
	(void)saved;
	return spending->output;
}

static uint64_t
saved_input(const struct spending *spending, const struct saved *saved)
{
	(void)spending;
	return saved->input;
}

static uint64_t
saved_output(const struct spending *spending, const struct saved *saved)
{
	(void)spending;
	return saved->output;
}

static uint64_t
spent(const struct spending *spending, const struct saved *saved)
{
	(void)saved;
	return spending->spent;
}

static uint64_t
saved_cost(const struct spending *spending, const struct saved *saved)
{
	(void)spending;
	return saved->cost;
}

static const struct tally_row rows[] = {
	{ "tokens_total", ",direction=\"input\",source=\"upstream\"", 1, used_input },
	{ "tokens_total", ",direction=\"output\",source=\"upstream\"", 1, used_output },
	{ "tokens_total", ",direction=\"input\",source=\"cache\"", 1, saved_input },
	{ "tokens_total", ",direction=\"output\",source=\"cache\"", 1, saved_output },
	{ "cost_dollars_total", "", 1.0 / PICO, spent },
	{ "saved_cost_dollars_total", "", 1.0 / PICO, saved_cost },
};

struct listing {
	struct page		*page;
	struct ledger		*ledger;
	const struct tally_row	*row;
};

static void
put_account(void *arg, const struct account *account)
{
	const struct listing *listing = arg;
	struct spending spending = ledger_get(listing->ledger, account, clock_wall());
	struct saved saved = ledger_saved(listing->ledger, account);
	uint64_t value = listing->row->get(&spending, &saved);
	bool is_team = strcmp(account->name, LEDGER_NOBODY) != 0;

	if (value == 0 || bytes_has_prefix(bytes_str(account->name), LEDGER_UNWRITTEN))
		return;
	page_putf(listing->page, "reprise_%s{team=\"%s\"%s} %.15g\n", listing->row->metric,
	    is_team ? account->name : "", listing->row->more, (double)value * listing->row->unit);
}

static void
put_rows(struct page *page, struct ledger *ledger, const char *metric)
{
	struct listing listing = { .page = page, .ledger = ledger };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		listing.row = &rows[i];
		if (strcmp(rows[i].metric, metric) == 0)
			ledger_each(ledger, put_account, &listing);
	}
}

static void
put_teams(struct page *page, const struct server *srv)
{
	page_begin(page, "tokens_total", "counter",
	    "Tokens of answers, by what gave them: an upstream, or the cache.");
	put_rows(page, srv->ledger, "tokens_total");
	page_begin(page, "cost_dollars_total", "counter", "What calls cost, by the prices.");
	put_rows(page, srv->ledger, "cost_dollars_total");
	page_begin(page, "saved_cost_dollars_total", "counter",
	    "What answers from the cache would have cost.");
	put_rows(page, srv->ledger, "saved_cost_dollars_total");
}

static void
put_limit(struct page *page, const char *team, const char *name, const struct rate *rate,
    const struct rate_meter *meter)
{
	if (rate->n > 0)
		page_putf(page, "reprise_limit_remaining{team=\"%s\",limit=\"%s\"} %" PRIu64
		    "\n", team, name, rate_left(meter, rate, clock_wall()));
}

static void
put_limits(struct page *page, const struct server *srv)
{
	const struct config *config = srv->config;

	page_begin(page, "limit_remaining", "gauge", "What a team may still use at once.");
	for (size_t i = 0; i < config->n_teams; i++) {
		const struct config_team *team = &config->teams[i];
		const struct account *account =
		    ledger_account(srv->ledger, bytes_str(team->name));

		put_limit(page, team->name, "requests", &team->rate, &account->requests);
		put_limit(page, team->name, "tokens", &team->tokens, &account->tokens);
	}
}

void
admin_put_gauges(struct page *page, const struct server *srv)
{
	put_flights(page, srv);
	put_log(page, srv);
	if (srv->store != NULL)
		put_store(page, srv->store);
	if (srv->scribe != NULL)
		put_scribe(page, srv->scribe);
	put_upstreams(page, srv);
	put_teams(page, srv);
	put_limits(page, srv);
}
