/* SPDX-License-Identifier: MIT */
/*
 * tracing.c - a client's traceparent goes on with a span of ours in place of its own; its
 * tracestate goes on as it came, but not without a traceparent that is one.
 */
#include "proxy/tracing.h"

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

const struct traceparent *
tracing_of(struct request *req)
{
	struct tracing *tracing = &req->tracing;

	if (!tracing->is_known)
		tracing->is_there = find(req);
	tracing->is_known = true;
	return tracing->is_there ? &tracing->of : NULL;
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
	traceparent_put_id(draw(req->worker), ours.span);
	traceparent_format(&ours, text);
	r = arena_copy(req->arena, (struct bytes){ text, sizeof(text) }, &value);
	if (r == 0)
		r = fields_add(fields, req->arena, BYTES_LIT(TRACEPARENT), value);
	return r == 0 ? add_state(req, fields) : r;
}
