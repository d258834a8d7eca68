/* SPDX-License-Identifier: MIT */
/*
 * access_log.c - a line per request, if the configuration asks for it: what, how it ended,
 * how long it took; and one for each that was slow, with what it waited for.  Never a query,
 * a body, or a credential (H-70).
 *
 * A field whose value is not known is left out.  In text those that speak for themselves
 * stand without their name.
 */
#include "proxy/access_log.h"

#include "base/log.h"
#include "config/access.h"
#include "config/config.h"
#include "proxy/answer.h"
#include "proxy/client.h"
#include "proxy/dialect/usage.h"
#include "proxy/form.h"
#include "proxy/forward.h"
#include "proxy/http/forwarded.h"
#include "proxy/metrics.h"
#include "proxy/net/conn.h"
#include "proxy/request_priv.h"
#include "proxy/tracing.h"
#include "proxy/worker.h"

#define ALL_FIELDS	(ACCESS_BIT(ACCESS_FIELDS) - 1)
#define BARE_FIELDS	(ACCESS_BIT(ACCESS_ID) | ACCESS_BIT(ACCESS_METHOD) | \
			    ACCESS_BIT(ACCESS_PATH) | ACCESS_BIT(ACCESS_RESULT))

/* What a line is about, and the line. */
struct report {
	struct request	*req;
	enum end_reason	 why;
	usec_t		 now;
	bool		 is_json;
	struct line	 line;
};

/* What stands before a value. */
static const struct {
	struct bytes	text;
	struct bytes	json;
} names[] = {
#define LIT(s) { s, sizeof(s) - 1 }
#define ACCESS(name, word, is_usual) [name] = { LIT(" " word "="), LIT(",\"" word "\":") },
#include "config/access_tbl.h"
#undef ACCESS
#undef LIT
};

/* Write the value; false: it is not known, and nothing was written. */
typedef bool put_fn(struct report *report);

static bool
put_text(struct report *report, struct bytes text)
{
	if (text.len == 0)
		return false;
	if (report->is_json)
		line_add_json(&report->line, text, LINE_VALUE_MAX);
	else
		line_add_word(&report->line, text, LINE_VALUE_MAX);
	return true;
}

static bool
put_number(struct report *report, uint64_t number)
{
	line_add_u64(&report->line, number);
	return true;
}

static bool
put_time(struct report *report, usec_t time)
{
	line_add_ms(&report->line, time);
	return true;
}

static bool
put_id(struct report *report)
{
	if (answer_give_id(report->req) < 0 || !put_text(report, report->req->id))
		return false;
	if (!report->is_json)
		line_add(&report->line, BYTES_LIT(":"));
	return true;
}

static bool
put_method(struct report *report)
{
	return report->req->head != NULL && put_text(report, report->req->head->method);
}

static bool
put_path(struct report *report)
{
	return report->req->head != NULL && put_text(report, report->req->head->path);
}

static bool
put_model(struct report *report)
{
	return put_text(report, report->req->call.model);
}

static bool
put_route(struct report *report)
{
	char label[METRICS_LABEL_SIZE];

	if (report->req->route == NULL)
		return false;
	metrics_name_route(report->req->route, label);
	return put_text(report, bytes_str(label));
}

static bool
put_team(struct report *report)
{
	const struct config_team *team = report->req->admission.team;

	return team != NULL && put_text(report, bytes_str(team->name));
}

static bool
put_upstream(struct report *report)
{
	return report->req->timing.n_calls > 0 &&
	    put_text(report, bytes_str(forward_upstream(report->req)->name));
}

static bool
put_calls(struct report *report)
{
	unsigned n = report->req->timing.n_calls;

	return n > 0 && put_number(report, n);
}

static bool
put_result(struct report *report)
{
	return put_text(report, bytes_str(stats_end_word(report->why)));
}

static bool
put_status(struct report *report)
{
	return put_number(report, (uint64_t)report->req->reply.status);
}

static bool
put_bytes(struct report *report)
{
	return put_number(report, report->req->reply.body_len);
}

static bool
put_ms(struct report *report)
{
	return put_time(report, report->now - report->req->timing.started);
}

static bool
put_overhead_ms(struct report *report)
{
	const struct timing *timing = &report->req->timing;
	usec_t end = timing->since != 0 ? timing->since : report->now;

	return timing->whole != 0 && put_time(report, end - timing->whole - timing->waited);
}

static bool
put_upstream_ms(struct report *report)
{
	const struct request *req = report->req;
	bool is_under_way = req->attempt.upstream != NULL && req->fetch != NULL;

	return req->timing.n_calls > 0 && put_time(report,
	    req->timing.calls + (is_under_way ? fetch_time(req->fetch) : 0));
}

static bool
put_age(struct report *report)
{
	bool is_found = report->why == END_HIT || report->why == END_STALE;

	return is_found && put_number(report,
	    (uint64_t)(report->req->question.lifetime.age / USEC_PER_SEC));
}

static bool
put_input_tokens(struct report *report)
{
	struct token_usage usage;

	return form_given_usage(report->req, report->why, &usage) &&
	    put_number(report, usage.input);
}

static bool
put_output_tokens(struct report *report)
{
	struct token_usage usage;

	return form_given_usage(report->req, report->why, &usage) &&
	    put_number(report, usage.output);
}

static bool
put_trace(struct report *report)
{
	const struct traceparent *of = tracing_of(report->req);

	return of != NULL && put_text(report, (struct bytes){ of->trace, TRACE_ID_LEN });
}

/* Whom a proxy in front speaks for, as far as it is trusted. */
static struct ip
asker(const struct request *req)
{
	const struct config_peers *peers = &req->config->peers;
	struct ip from = client_address(req->client);

	if (req->head == NULL)
		return from;
	return forwarded_for(&req->head->fields, peers->trusted, peers->n_trusted, from);
}

/* The other side of the connection has a port, whom it speaks for has none that matters. */
static bool
put_client(struct report *report)
{
	const struct request *req = report->req;
	char peer[CONN_PEER_SIZE];
	struct ip from = asker(req);

	if (client_is_announced(req->client) || !ip_eq(from, client_address(req->client)))
		ip_format(from, peer);
	else
		conn_peer(client_conn(req->client), peer);
	return put_text(report, bytes_str(peer));
}

static put_fn *const writers[] = {
	[ACCESS_ID] = put_id, [ACCESS_METHOD] = put_method, [ACCESS_PATH] = put_path,
	[ACCESS_MODEL] = put_model, [ACCESS_ROUTE] = put_route, [ACCESS_TEAM] = put_team,
	[ACCESS_UPSTREAM] = put_upstream, [ACCESS_CALLS] = put_calls,
	[ACCESS_RESULT] = put_result, [ACCESS_STATUS] = put_status, [ACCESS_BYTES] = put_bytes,
	[ACCESS_MS] = put_ms, [ACCESS_OVERHEAD_MS] = put_overhead_ms,
	[ACCESS_UPSTREAM_MS] = put_upstream_ms, [ACCESS_AGE] = put_age,
	[ACCESS_INPUT_TOKENS] = put_input_tokens, [ACCESS_OUTPUT_TOKENS] = put_output_tokens,
	[ACCESS_TRACE] = put_trace, [ACCESS_CLIENT] = put_client,
};

static void
put_name(struct report *report, unsigned field)
{
	if (report->is_json)
		line_add(&report->line, names[field].json);
	else if ((BARE_FIELDS & ACCESS_BIT(field)) != 0)
		line_add(&report->line, BYTES_LIT(" "));
	else
		line_add(&report->line, names[field].text);
}

static void
put_fields(struct report *report, uint64_t fields)
{
	for (; fields != 0; fields &= fields - 1) {
		unsigned field = (unsigned)__builtin_ctzll(fields);
		char *before = report->line.at;

		put_name(report, field);
		if (!writers[field](report))
			report->line.at = before;
	}
}

/* What it waited for, until now if it still does. */
static usec_t
waited_in(const struct report *report, enum step step)
{
	const struct timing *timing = &report->req->timing;
	bool is_there = timing->since != 0 && report->req->step == step;

	return timing->steps[step] + (is_there ? report->now - timing->since : 0);
}

static void
put_steps(struct report *report)
{
	const char *separator = "";

	line_add_str(&report->line, report->is_json ? ",\"waited_ms\":{" : " waited_ms=");
	for (enum step step = 0; step < STEP_ENDED; step++) {
		usec_t waited = waited_in(report, step);

		if (waited == 0)
			continue;
		line_add_str(&report->line, separator);
		line_add_str(&report->line, report->is_json ? "\"" : "");
		line_add_str(&report->line, request_step_name(step));
		line_add_str(&report->line, report->is_json ? "\":" : ":");
		line_add_ms(&report->line, waited);
		separator = ",";
	}
	line_add_str(&report->line, report->is_json ? "}" : "");
}

static bool
is_slow(const struct report *report)
{
	const struct request *req = report->req;
	usec_t slow = req->config->log.slow;

	return slow != 0 && req->timing.whole != 0 && report->now - req->timing.whole >= slow;
}

void
access_log(struct request *req, enum end_reason why)
{
	const struct config_log *log = &req->config->log;
	struct report report;

	/* A connection that was closed before it asked anything is no request. */
	if ((log->access == 0 && log->slow == 0) || !reader_has_begun(req->reader))
		return;
	report.req = req;
	report.why = why;
	report.now = clock_mono();
	report.is_json = log_is_json();
	if (log->access != 0 && log_enabled(LOG_LEVEL_INFO)) {
		log_begin(&report.line, LOG_LEVEL_INFO, "request");
		put_fields(&report, log->access);
		log_end(&report.line);
	}
	if (is_slow(&report) && log_enabled(LOG_LEVEL_WARN)) {
		log_begin(&report.line, LOG_LEVEL_WARN, "slow request");
		put_fields(&report, ALL_FIELDS);
		put_steps(&report);
		log_end(&report.line);
	}
}
