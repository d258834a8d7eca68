/* SPDX-License-Identifier: MIT */
/*
 * span.c - put together on the stack, like a line of the log, and handed on.
 */
#include "proxy/span.h"

#include <stdio.h>
#include <string.h>

#include "base/line.h"
#include "base/num.h"
#include "config/config.h"
#include "proxy/answer.h"
#include "proxy/exporter.h"
#include "proxy/form.h"
#include "proxy/forward.h"
#include "proxy/metrics.h"
#include "proxy/request_priv.h"
#include "proxy/tracing.h"
#include "proxy/worker.h"

#define NSEC_PER_USEC	"000"
#define KIND_SERVER	2
#define KIND_CLIENT	3
#define STATUS_ERROR	",\"status\":{\"code\":2}"
#define ADDRESS_SIZE	256

/* What a span has of its own. */
struct span {
	const char	*id;
	const char	*parent;	/* NULL: it is the first of its trace */
	unsigned	 kind;
	usec_t		 took;		/* until now */
	bool		 has_failed;
};

/* As OpenTelemetry calls what the paths of one class do. */
static const struct {
	const char	*path_class;
	const char	*operation;
} operations[] = {
	{ "chat", "chat" }, { "messages", "chat" }, { "responses", "chat" },
	{ "completions", "text_completion" }, { "completion", "text_completion" },
	{ "generate", "text_completion" }, { "infill", "text_completion" },
	{ "embeddings", "embeddings" }, { "embedding", "embeddings" }, { "embed", "embeddings" },
	{ "embed_all", "embeddings" }, { "embed_sparse", "embeddings" },
};

static const char *
operation_of(const struct request *req)
{
	const char *path_class = req->call.path_class;

	for (size_t i = 0; path_class != NULL && i < ARRAY_LEN(operations); i++)
		if (strcmp(operations[i].path_class, path_class) == 0)
			return operations[i].operation;
	return NULL;
}

static void
put_string(struct line *line, const char *name, struct bytes value)
{
	line_add_str(line, name);
	line_add_json(line, value, LINE_VALUE_MAX);
}

/* The wall clock's, in nanoseconds, of what was AGO. */
static void
put_time(struct line *line, const char *name, usec_t ago)
{
	line_add_str(line, name);
	line_add_u64(line, (uint64_t)(clock_wall() - ago));
	line_add_str(line, NSEC_PER_USEC "\"");
}

static void
add_text(struct line *line, const char *key, struct bytes value)
{
	if (value.len == 0)
		return;
	if (line->at[-1] != '[')
		line_add_str(line, ",");
	put_string(line, "{\"key\":", bytes_str(key));
	put_string(line, ",\"value\":{\"stringValue\":", value);
	line_add_str(line, "}}");
}

static void
add_number(struct line *line, const char *key, uint64_t value)
{
	if (line->at[-1] != '[')
		line_add_str(line, ",");
	put_string(line, "{\"key\":", bytes_str(key));
	line_add_str(line, ",\"value\":{\"intValue\":\"");
	line_add_u64(line, value);
	line_add_str(line, "\"}}");
}

/* "chat gpt-4o"; what is no such operation is called by its method. */
static void
put_name(struct line *line, const struct request *req)
{
	const char *operation = operation_of(req);
	struct line name;

	line_init(&name);
	if (operation != NULL)
		line_add_str(&name, operation);
	else
		line_add(&name, req->head->method);
	if (req->call.model.len > 0) {
		line_add_str(&name, " ");
		line_add(&name, bytes_first(req->call.model, LINE_VALUE_MAX));
	}
	put_string(line, ",\"name\":", line_bytes(&name));
}

static void
begin(struct line *line, const struct request *req, const struct span *span)
{
	line_init(line);
	put_string(line, "{\"traceId\":", (struct bytes){ req->tracing.of.trace, TRACE_ID_LEN });
	put_string(line, ",\"spanId\":", (struct bytes){ span->id, SPAN_ID_LEN });
	if (span->parent != NULL)
		put_string(line, ",\"parentSpanId\":",
		    (struct bytes){ span->parent, SPAN_ID_LEN });
	put_name(line, req);
	line_add_str(line, ",\"kind\":");
	line_add_u64(line, span->kind);
	put_time(line, ",\"startTimeUnixNano\":\"", span->took);
	put_time(line, ",\"endTimeUnixNano\":\"", 0);
	line_add_str(line, ",\"attributes\":[");
	add_text(line, "gen_ai.operation.name", bytes_str(operation_of(req)));
	if (req->call.dialect != NULL && req->call.is_inference)
		add_text(line, "gen_ai.provider.name", bytes_str(req->call.dialect->name));
	add_text(line, "http.request.method", req->head->method);
}

static void
end(struct line *line, const struct request *req, const struct span *span)
{
	line_add_str(line, "]");
	line_add_str(line, span->has_failed ? STATUS_ERROR "}" : "}");
	exporter_put(req->worker->outlets.exporter, line_bytes(line));
}

static void
add_usage(struct line *line, struct request *req, enum end_reason why)
{
	struct token_usage usage;

	if (!form_given_usage(req, why, &usage))
		return;
	add_number(line, "gen_ai.usage.input_tokens", usage.input);
	add_number(line, "gen_ai.usage.output_tokens", usage.output);
}

static void
add_whose(struct line *line, struct request *req)
{
	const struct config_team *team = req->admission.team;
	char route[METRICS_LABEL_SIZE] = "";

	if (req->route != NULL)
		metrics_name_route(req->route, route);
	add_text(line, "reprise.route", bytes_str(route));
	if (team != NULL)
		add_text(line, "reprise.team", bytes_str(team->name));
	if (answer_give_id(req) == 0)
		add_text(line, "reprise.request_id", req->id);
}

static bool
is_failure(enum end_reason why, int status)
{
	return status >= 500 || why == END_STREAM_BROKEN || why == END_SHUTDOWN;
}

void
span_request(struct request *req, enum end_reason why)
{
	const struct tracing *tracing = &req->tracing;
	int status = req->reply.status;
	struct span span;
	struct line line;

	if (!tracing_is_recorded(req))
		return;
	span = (struct span){
		.id = tracing->span, .parent = tracing->is_ours ? NULL : tracing->of.span,
		.kind = KIND_SERVER, .took = clock_mono() - req->timing.started,
		.has_failed = is_failure(why, status),
	};
	begin(&line, req, &span);
	add_text(&line, "url.path", req->head->path);
	add_text(&line, "gen_ai.request.model", req->call.model);
	add_usage(&line, req, why);
	add_text(&line, "reprise.result", bytes_str(stats_end_word(why)));
	add_whose(&line, req);
	if (status != 0)
		add_number(&line, "http.response.status_code", (uint64_t)status);
	if (span.has_failed)
		add_text(&line, "error.type", bytes_str(stats_end_word(why)));
	end(&line, req, &span);
}

/* Host and port of URL, which was checked when it was read; a socket is its path alone. */
static void
add_address(struct line *line, const char *url)
{
	struct bytes host = bytes_str(url), port = BYTES_NONE;
	uint64_t number;

	if (bytes_has_prefix(host, "unix:")) {
		add_text(line, "server.address", bytes_skip(host, strlen("unix:")));
		return;
	}
	host = bytes_skip(host, bytes_find_str(host, "://") + 3);
	host = bytes_first(host, bytes_find_char(host, '/'));
	for (size_t i = host.len; i > 0 && host.ptr[i - 1] != ']' && port.ptr == NULL; i--)
		if (host.ptr[i - 1] == ':')
			port = bytes_skip(host, i);
	if (port.ptr != NULL)
		host.len -= port.len + 1;
	add_text(line, "server.address", host);
	if (num_parse_u64(port, &number) == 0)
		add_number(line, "server.port", number);
}

static const char *
failure_word(const struct request *req, bool is_cancelled)
{
	static const char *const words[] = {
		[FETCH_OK] = "closed", [FETCH_E_CONNECT] = "connect", [FETCH_E_TLS] = "tls",
		[FETCH_E_TIMEOUT] = "timeout", [FETCH_E_CLOSED] = "closed",
		[FETCH_E_BAD_ANSWER] = "bad-answer",
	};

	if (is_cancelled)
		return "cancelled";
	return fetch_state(req->fetch) == FETCH_FAILED ? words[fetch_failure(req->fetch)] : NULL;
}

void
span_call(struct request *req, bool is_cancelled)
{
	const struct config_upstream *up = forward_upstream(req);
	const char *failure = failure_word(req, is_cancelled);
	int status = failure == NULL ? fetch_status(req->fetch) : 0;
	struct span span;
	struct line line;

	if (!tracing_is_recorded(req))
		return;
	span = (struct span){
		.id = req->tracing.call, .parent = req->tracing.span, .kind = KIND_CLIENT,
		.took = fetch_time(req->fetch), .has_failed = failure != NULL || status >= 400,
	};
	begin(&line, req, &span);
	add_text(&line, "gen_ai.request.model", req->model);
	add_text(&line, "reprise.upstream", bytes_str(up->name));
	add_address(&line, up->url);
	if (status != 0)
		add_number(&line, "http.response.status_code", (uint64_t)status);
	if (failure != NULL)
		add_text(&line, "error.type", bytes_str(failure));
	end(&line, req, &span);
}
