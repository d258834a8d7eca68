/* SPDX-License-Identifier: MIT */
/*
 * tracing.c - a client's traceparent goes on with a span of ours in place of its own; its
 * tracestate goes on as it came, but not without a traceparent that is one.
 */
#include "proxy/tracing.h"

#include <string.h>

#include "config/config.h"
#include "proxy/worker.h"

#define TRACEPARENT	"traceparent"
#define TRACESTATE	"tracestate"

static bool
find(struct request *req)
{
	const struct fields *fields;

	if (req->head == NULL)
		return false;
	fields = &req->head->fields;
	return fields_count(fields, TRACEPARENT) == 1 &&
	    !field_is_hop_by_hop(fields, BYTES_LIT(TRACEPARENT)) &&
	    traceparent_parse(fields_get(fields, TRACEPARENT), &req->tracing.of) == 0;
}

/* Of the sequence that all ids come from, so that one does not tell the next (splitmix64). */
static uint64_t
draw(struct worker *worker)
{
	uint64_t n = worker_draw_id(worker);

	n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
	n ^= n >> 31;
	return n != 0 ? n : 1;
}

static bool
is_recording(const struct request *req)
{
	return req->config->log.otlp != NULL && req->worker->outlets.exporter != NULL;
}

static bool
begin(struct request *req)
{
	struct traceparent *of = &req->tracing.of;

	if (!is_recording(req) || req->head == NULL)
		return false;
	traceparent_put_id(draw(req->worker), of->trace);
	traceparent_put_id(draw(req->worker), of->trace + SPAN_ID_LEN);
	of->flags = TRACE_SAMPLED;
	req->tracing.is_ours = true;
	return true;
}

const struct traceparent *
tracing_of(struct request *req)
{
	struct tracing *tracing = &req->tracing;

	if (!tracing->is_known) {
		tracing->is_there = find(req) || begin(req);
		if (tracing->is_there && is_recording(req))
			traceparent_put_id(draw(req->worker), tracing->span);
	}
	tracing->is_known = true;
	return tracing->is_there ? &tracing->of : NULL;
}

bool
tracing_is_recorded(struct request *req)
{
	const struct traceparent *of = is_recording(req) ? tracing_of(req) : NULL;

	return of != NULL && (of->flags & TRACE_SAMPLED) != 0;
}

static int
add_state(struct request *req, struct fields *fields)
{
	const struct fields *from = &req->head->fields;
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->n; i++)
		if (bytes_eq_str_nocase(from->list[i].name, TRACESTATE) &&
		    !field_is_hop_by_hop(from, from->list[i].name))
			r = fields_add(fields, req->arena, from->list[i].name,
			    from->list[i].value);
	return r;
}

int
tracing_add_fields(struct request *req, struct fields *fields)
{
	const struct traceparent *of = tracing_of(req);
	struct traceparent ours;
	char text[TRACEPARENT_LEN];
	struct bytes value;
	int r;

	if (of == NULL)
		return 0;
	ours = *of;
	traceparent_put_id(draw(req->worker), req->tracing.call);
	memcpy(ours.span, req->tracing.call, SPAN_ID_LEN);
	traceparent_format(&ours, text);
	r = arena_copy(req->arena, (struct bytes){ text, sizeof(text) }, &value);
	if (r == 0)
		r = fields_add(fields, req->arena, BYTES_LIT(TRACEPARENT), value);
	return r == 0 && !req->tracing.is_ours ? add_state(req, fields) : r;
}
