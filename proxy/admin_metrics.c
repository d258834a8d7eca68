/* SPDX-License-Identifier: MIT */
/*
 * admin_metrics.c - what all workers did, and how the server is, in Prometheus' text format
 * (version 0.0.4; PROTOCOLS.md 19.5).
 *
 * What the workers counted is added up in a copy of our own, and they go on counting.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/quota.h"
#include "proxy/admin_priv.h"
#include "proxy/guests.h"
#include "proxy/metrics.h"
#include "proxy/page.h"
#include "proxy/server_priv.h"
#include "proxy/version.h"
#include "proxy/worker.h"

/* There may be ten thousand of these: no format is read for them. */
static void
put_requests_of(struct page *page, const struct metrics_series *series)
{
	struct bytes labels = bytes_str(series->labels);
	char digits[NUM_DIGITS_MAX], *end = digits + sizeof(digits), *start;

	for (size_t i = 0; i < END_REASONS; i++) {
		if (series->ended[i] == 0)
			continue;
		page_put(page, BYTES_LIT("reprise_requests_total{"));
		page_put(page, labels);
		page_put(page, BYTES_LIT(",result=\""));
		page_put(page, bytes_str(stats_end_word((enum end_reason)i)));
		page_put(page, BYTES_LIT("\"} "));
		start = num_format_u64(series->ended[i], end);
		page_put(page, (struct bytes){ start, (size_t)(end - start) });
		page_put(page, BYTES_LIT("\n"));
	}
}

static void
put_requests(struct page *page, const struct metrics *metrics)
{
	const struct metrics_series *series = metrics_series(metrics);

	page_begin(page, "requests_total", "counter", "Requests that ended, by how.");
	for (; series != NULL; series = series->next)
		put_requests_of(page, series);
}

static void
put_saved(struct page *page, const struct metrics *metrics)
{
	const struct metrics_series *series = metrics_series(metrics);

	page_begin(page, "saved_seconds_total", "counter",
	    "Time that upstreams had taken for answers that were given again.");
	for (; series != NULL; series = series->next)
		if (series->saved_usec > 0)
			page_putf(page, "reprise_saved_seconds_total{%s} %.15g\n",
			    series->labels, (double)series->saved_usec * PAGE_MICRO);
}

static void
put_histogram(struct page *page, const char *name, const char *labels,
    const struct histogram *histogram)
{
	uint64_t n = 0;

	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		n += histogram->counts[i];
		page_putf(page, "reprise_%s_bucket{%s,le=\"%g\"} %" PRIu64 "\n", name, labels,
		    (double)histogram_bounds[i] * PAGE_MICRO, n);
	}
	n += histogram->counts[HISTOGRAM_BOUNDS];
	page_putf(page, "reprise_%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", name, labels, n);
	page_putf(page, "reprise_%s_sum{%s} %.15g\n", name, labels,
	    (double)histogram->sum * PAGE_MICRO);
	page_putf(page, "reprise_%s_count{%s} %" PRIu64 "\n", name, labels, n);
}

static bool
is_empty(const struct histogram *histogram)
{
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
		if (histogram->counts[i] > 0)
			return false;
	return true;
}

static void
put_overhead(struct page *page, const struct metrics *metrics)
{
	char label[64];

	page_begin(page, "overhead_seconds", "histogram",
	    "Time of requests, from when they were whole, less the time they waited for others.");
	for (size_t i = 0; i < END_REASONS; i++) {
		const struct histogram *histogram = metrics_overhead(metrics, (enum end_reason)i);

		snprintf(label, sizeof(label), "result=\"%s\"",
		    stats_end_word((enum end_reason)i));
		if (!is_empty(histogram))
			put_histogram(page, "overhead_seconds", label, histogram);
	}
}

static const char *
outcome(size_t status, char text[16])
{
	if (status == METRICS_CANCELLED)
		return "cancelled";
	if (status == METRICS_FAILED)
		return "failed";
	snprintf(text, 16, "%zu", status);
	return text;
}

static void
put_responses(struct page *page, const struct metrics *metrics)
{
	const struct metrics_upstream *up = metrics_upstreams(metrics);
	char text[16];

	page_begin(page, "upstream_responses_total", "counter",
	    "Calls that are over, by the status of their answer.");
	for (; up != NULL; up = up->next)
		for (size_t i = 0; i < METRICS_STATUSES; i++)
			if (up->statuses[i] > 0)
				page_putf(page, "reprise_upstream_responses_total{upstream=\"%s\","
				    "code=\"%s\"} %" PRIu64 "\n", up->name, outcome(i, text),
				    up->statuses[i]);
}

static void
put_upstream_times(struct page *page, const struct metrics *metrics)
{
	const struct metrics_upstream *first = metrics_upstreams(metrics);
	char label[METRICS_LABEL_SIZE + 16];

	page_begin(page, "upstream_request_duration_seconds", "histogram",
	    "Time of calls to upstreams.");
	for (const struct metrics_upstream *up = first; up != NULL; up = up->next) {
		snprintf(label, sizeof(label), "upstream=\"%s\"", up->name);
		put_histogram(page, "upstream_request_duration_seconds", label, &up->total);
	}
	page_begin(page, "upstream_first_byte_seconds", "histogram",
	    "Time until the head of their answer.");
	for (const struct metrics_upstream *up = first; up != NULL; up = up->next) {
		snprintf(label, sizeof(label), "upstream=\"%s\"", up->name);
		put_histogram(page, "upstream_first_byte_seconds", label, &up->first_byte);
	}
}

/* Of the table of counters those that are no ends of requests, which have labels above. */
static void
put_counter(void *arg, const char *name, const char *help, uint64_t value)
{
	char metric[64];

	if (stats_is_end(name) || strcmp(name, "requests") == 0)
		return;
	snprintf(metric, sizeof(metric), "%s_total", name);
	page_put_one(arg, metric, "counter", help, (double)value);
}

static void
put_workers(struct page *page, const struct server *srv)
{
	struct metrics *metrics = srv->last.metrics;
	struct stats total = { 0 };

	metrics_clear(metrics);
	for (unsigned i = 0; i < srv->n_workers; i++) {
		metrics_merge(metrics, srv->workers[i]->metrics);
		stats_add(&total, &srv->workers[i]->stats);
	}
	put_requests(page, metrics);
	put_overhead(page, metrics);
	put_saved(page, metrics);
	put_responses(page, metrics);
	put_upstream_times(page, metrics);
	stats_walk(&total, put_counter, page);
	page_put_one(page, "connections", "gauge", "Clients that are connected.",
	    (double)guests_count(srv->limits.guests));
	page_put_one(page, "memory_bytes", "gauge", "Larger buffers of bodies and answers.",
	    (double)quota_used(guests_memory(srv->limits.guests)));
}

int
admin_metrics(struct server *srv, struct bytes body, struct admin_answer *answer)
{
	struct page page = { .out = &answer->body };

	(void)body;
	answer->type = "text/plain; version=0.0.4; charset=utf-8";
	page_begin(&page, "build_info", "gauge", "The version, as a label.");
	page_putf(&page, "reprise_build_info{version=\"%s\"} 1\n", VERSION);
	page_put_one(&page, "start_time_seconds", "gauge", "When the server began, since 1970.",
	    (double)srv->time.started * PAGE_MICRO);
	put_workers(&page, srv);
	admin_put_gauges(&page, srv);
	return page.r;
}
