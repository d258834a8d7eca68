/* SPDX-License-Identifier: MIT */
/*
 * metrics.c - series are found by their labels in a table of chains, and by route and team
 * of the worker's configuration in a small table before it: a hit looks into one slot.
 */
#include "proxy/metrics.h"

#include <stdio.h>
#include <string.h>

#include "base/counter.h"
#include "base/mem.h"
#include "config/config.h"
#include "proxy/forward.h"
#include "proxy/request_priv.h"
#include "proxy/worker.h"

#define BUCKETS	4096
#define SLOTS	1024

/* Of the writer alone. */
struct chained {
	struct metrics_series	 series;	/* first */
	struct chained		*bucket_next;
};

struct slot {
	const struct config	*config;	/* not to be followed: tells others apart */
	const struct config_route *route;
	const struct config_team *team;
	struct metrics_series	*series;	/* NULL: free */
};

struct metrics {
	_Atomic(struct metrics_series *) series;
	_Atomic(struct metrics_upstream *) upstreams;
	struct histogram	 overhead[END_REASONS];
	unsigned		 n_series;
	struct chained		*buckets[BUCKETS];
	struct slot		 slots[SLOTS];
};

struct metrics *
metrics_new(void)
{
	return xcalloc(1, sizeof(struct metrics));
}

struct metrics *
metrics_free(struct metrics *metrics)
{
	struct metrics_series *series, *next_series;
	struct metrics_upstream *up, *next_up;

	if (metrics == NULL)
		return NULL;
	for (series = metrics->series; series != NULL; series = next_series) {
		next_series = series->next;
		xfree(series);
	}
	for (up = metrics->upstreams; up != NULL; up = next_up) {
		next_up = up->next;
		xfree(up);
	}
	return xfree(metrics);
}

/* FNV-1a: the labels are the configuration's, nobody chooses them to collide. */
static struct chained **
bucket_of(struct metrics *metrics, const char *labels)
{
	uint32_t hash = 2166136261;

	for (const char *p = labels; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619;
	return &metrics->buckets[hash % BUCKETS];
}

static struct metrics_series *
find_series(struct metrics *metrics, const char *labels)
{
	struct chained *one = *bucket_of(metrics, labels);

	while (one != NULL && strcmp(one->series.labels, labels) != 0)
		one = one->bucket_next;
	return one != NULL ? &one->series : NULL;
}

static struct metrics_series *
add_series(struct metrics *metrics, const char *labels)
{
	struct chained *one = xcalloc(1, sizeof(*one));
	struct chained **bucket = bucket_of(metrics, labels);

	snprintf(one->series.labels, METRICS_LABELS_SIZE, "%s", labels);
	one->series.next = metrics->series;
	one->bucket_next = *bucket;
	*bucket = one;
	metrics->n_series++;
	atomic_store_explicit(&metrics->series, &one->series, memory_order_release);
	return &one->series;
}

static struct metrics_series *
series_of(struct metrics *metrics, const char *labels)
{
	struct metrics_series *series = find_series(metrics, labels);

	if (series == NULL && metrics->n_series >= METRICS_SERIES_MAX) {
		labels = "route=\"other\"";
		series = find_series(metrics, labels);
	}
	return series != NULL ? series : add_series(metrics, labels);
}

void
metrics_name_route(const struct config_route *route, char label[METRICS_LABEL_SIZE])
{
	size_t len = 0;

	label[0] = '\0';
	for (char **model = route->models; *model != NULL && len < METRICS_LABEL_SIZE; model++)
		len += (size_t)snprintf(label + len, METRICS_LABEL_SIZE - len, "%s%s",
		    model == route->models ? "" : ",", *model);
	if (route->path != NULL && len < METRICS_LABEL_SIZE)
		len += (size_t)snprintf(label + len, METRICS_LABEL_SIZE - len, " %s", route->path);
	if (route->dialect != NULL && len < METRICS_LABEL_SIZE)
		snprintf(label + len, METRICS_LABEL_SIZE - len, " %s", route->dialect);
}

/* NAME="TEXT", as the value of a label is written. */
static char *
add_label(char *to, const char *name, const char *text)
{
	to = stpcpy(stpcpy(to, name), "=\"");
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '"')
			*to++ = '\\';
		*to++ = *text;
	}
	return stpcpy(to, "\"");
}

static struct metrics_series *
look_up(struct metrics *metrics, const struct request *req)
{
	const struct config_team *team = req->admission.team;
	char labels[METRICS_LABELS_SIZE], label[METRICS_LABEL_SIZE] = "", *to;

	if (req->route != NULL)
		metrics_name_route(req->route, label);
	to = add_label(labels, "route", label);
	if (team != NULL) {
		snprintf(label, sizeof(label), "%s", team->name);
		add_label(stpcpy(to, ","), "team", label);
	}
	return series_of(metrics, labels);
}

/* Routes and teams of two configurations may lie in the same place, one after the other. */
static struct metrics_series *
of_request(struct metrics *metrics, const struct request *req)
{
	const struct config_team *team = req->admission.team;
	size_t route_at = req->route != NULL ? (size_t)(req->route - req->config->routes) + 1 : 0;
	size_t team_at = team != NULL ? (size_t)(team - req->config->teams) + 1 : 0;
	struct slot *slot = &metrics->slots[(route_at * 31 + team_at) % SLOTS];

	if (slot->series != NULL && slot->config == req->config && slot->route == req->route &&
	    slot->team == team)
		return slot->series;
	*slot = (struct slot){ req->config, req->route, team, look_up(metrics, req) };
	return slot->series;
}

void
metrics_renew(struct metrics *metrics)
{
	memset(metrics->slots, 0, sizeof(metrics->slots));
}

static usec_t
overhead_of(const struct timing *timing)
{
	usec_t now = timing->since != 0 ? timing->since : clock_mono();

	return now - timing->whole - timing->waited;
}

void
metrics_request(struct metrics *metrics, const struct request *req, enum end_reason why)
{
	struct metrics_series *series = of_request(metrics, req);
	const struct timing *timing = &req->timing;

	if (timing->whole != 0)
		histogram_add(&metrics->overhead[why], overhead_of(timing));
	if (why == END_HIT || why == END_STALE)
		counter_add(&series->saved_usec, (int64_t)req->found.took);
	counter_add(&series->ended[why], 1);	/* last: it says how many there are */
}

static struct metrics_upstream *
upstream_of(struct metrics *metrics, const char *name)
{
	struct metrics_upstream *up = metrics->upstreams;

	while (up != NULL && strncmp(up->name, name, METRICS_LABEL_SIZE - 1) != 0)
		up = up->next;
	if (up != NULL)
		return up;
	up = xcalloc(1, sizeof(*up));
	snprintf(up->name, METRICS_LABEL_SIZE, "%s", name);
	up->next = metrics->upstreams;
	atomic_store_explicit(&metrics->upstreams, up, memory_order_release);
	return up;
}

/* What became of the call, as a status. */
static unsigned
outcome_of(const struct fetch *fetch, bool is_cancelled)
{
	int status;

	if (is_cancelled)
		return METRICS_CANCELLED;
	if (fetch_state(fetch) == FETCH_FAILED)
		return METRICS_FAILED;
	status = fetch_status(fetch);
	return status > METRICS_FAILED && status < METRICS_STATUSES ? (unsigned)status :
	    METRICS_FAILED;
}

void
metrics_call(struct metrics *metrics, const struct request *req, bool is_cancelled)
{
	struct metrics_upstream *up = upstream_of(metrics, forward_upstream(req)->name);
	enum fetch_state state = fetch_state(req->fetch);

	counter_add(&up->statuses[outcome_of(req->fetch, is_cancelled)], 1);
	histogram_add(&up->total, fetch_time(req->fetch));
	if (state == FETCH_HEAD || state == FETCH_DONE)
		histogram_add(&up->first_byte, fetch_head_time(req->fetch));
}

static void
merge_series(struct metrics *to, const struct metrics_series *from)
{
	struct metrics_series *series = series_of(to, from->labels);

	for (size_t i = 0; i < END_REASONS; i++)
		counter_add(&series->ended[i], (int64_t)counter_get(&from->ended[i]));
	counter_add(&series->saved_usec, (int64_t)counter_get(&from->saved_usec));
}

static void
merge_upstream(struct metrics *to, const struct metrics_upstream *from)
{
	struct metrics_upstream *up = upstream_of(to, from->name);

	for (size_t i = 0; i < METRICS_STATUSES; i++)
		counter_add(&up->statuses[i], (int64_t)counter_get(&from->statuses[i]));
	histogram_merge(&up->first_byte, &from->first_byte);
	histogram_merge(&up->total, &from->total);
}

static void
clear(_Atomic uint64_t *counters, size_t n)
{
	for (size_t i = 0; i < n; i++)
		atomic_store_explicit(&counters[i], 0, memory_order_relaxed);
}

static void
clear_histogram(struct histogram *histogram)
{
	clear(histogram->counts, ARRAY_LEN(histogram->counts));
	clear(&histogram->sum, 1);
}

void
metrics_clear(struct metrics *metrics)
{
	struct metrics_upstream *up = metrics->upstreams;

	for (struct metrics_series *series = metrics->series; series != NULL;
	    series = series->next) {
		clear(series->ended, END_REASONS);
		clear(&series->saved_usec, 1);
	}
	for (; up != NULL; up = up->next) {
		clear(up->statuses, METRICS_STATUSES);
		clear_histogram(&up->first_byte);
		clear_histogram(&up->total);
	}
	for (size_t i = 0; i < END_REASONS; i++)
		clear_histogram(&metrics->overhead[i]);
}

void
metrics_merge(struct metrics *to, const struct metrics *from)
{
	const struct metrics_series *series = metrics_series(from);
	const struct metrics_upstream *up = metrics_upstreams(from);

	for (; series != NULL; series = series->next)
		merge_series(to, series);
	for (; up != NULL; up = up->next)
		merge_upstream(to, up);
	for (size_t i = 0; i < END_REASONS; i++)
		histogram_merge(&to->overhead[i], &from->overhead[i]);
}

const struct metrics_series *
metrics_series(const struct metrics *metrics)
{
	return atomic_load_explicit(&metrics->series, memory_order_acquire);
}

const struct metrics_upstream *
metrics_upstreams(const struct metrics *metrics)
{
	return atomic_load_explicit(&metrics->upstreams, memory_order_acquire);
}

const struct histogram *
metrics_overhead(const struct metrics *metrics, enum end_reason why)
{
	return &metrics->overhead[why];
}
