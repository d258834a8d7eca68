/* SPDX-License-Identifier: MIT */
/*
 * form.c - one answer, whole or as a stream: an entry made by either answers both
 * (proxy/dialect/stream.h).
 */
#include "proxy/form.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "proxy/dialect/retouch.h"
#include "proxy/dialect/stream.h"
#include "proxy/worker.h"

#define FORM_FLAGS	(ENTRY_STREAM | ENTRY_USAGE)
#define CONVERTED_MAX	((size_t)64 << 20)
#define FIELDS_LEN_MAX	((size_t)64 << 10)

unsigned
form_wanted(const struct call *call)
{
	if (!call->wants_stream)
		return 0;
	return call->wants_usage ? FORM_FLAGS : ENTRY_STREAM;
}

bool
form_is_known(const struct call *call)
{
	return !call->wants_stream || stream_form_of(call) != STREAM_NONE;
}

bool
form_is_stream(const struct call *call, struct bytes content_type)
{
	enum stream_form form = stream_form_of(call);

	return call->wants_stream && form != STREAM_NONE &&
	    bytes_has_prefix_nocase(content_type, stream_content_type(form));
}

int
form_drop_usage(struct bytes in, bool is_end, struct buf *out, size_t *ret_used)
{
	static const struct retouch how = { .frame = RETOUCH_EVENTS, .drops_usage = true };

	return retouch(&how, in, is_end, out, ret_used);
}

struct bytes
form_whole(struct request *req)
{
	struct bytes *whole = &req->reply.whole, body = fetch_body(req->fetch);
	struct buf folded;

	if (!req->call.wants_stream || !form_is_known(&req->call))
		return body;
	if (whole->ptr != NULL)
		return *whole;
	buf_init(&folded, CONVERTED_MAX);
	if (stream_fold(stream_form_of(&req->call), body, &folded) != 0 ||
	    arena_copy(req->arena, buf_bytes(&folded), whole) < 0)
		*whole = body;
	buf_done(&folded);
	return *whole;
}

bool
form_usage(struct request *req, struct token_usage *ret_usage)
{
	enum stream_form form = stream_form_of(&req->call);
	struct reply *reply = &req->reply;

	if (reply->told == TOLD_UNREAD)
		reply->told = answer_may_tell(form, fetch_body(req->fetch)) &&
		    answer_usage(form, form_whole(req), &reply->usage) ?
		    TOLD_USAGE : TOLD_NOTHING;
	if (reply->told == TOLD_USAGE)
		*ret_usage = reply->usage;
	return reply->told == TOLD_USAGE;
}

/* The body in its new form, appended to OUT. */
static int
convert(const struct request *req, struct buf *out)
{
	const struct unfold_options options = { .include_usage = req->call.wants_usage };
	enum stream_form form = stream_form_of(&req->call);
	struct bytes whole = req->found.body;
	struct buf folded;
	size_t used;
	int r = 0;

	if (!req->call.wants_stream)
		return stream_fold(form, whole, out);
	if ((req->found.flags & FORM_FLAGS) == FORM_FLAGS)
		return form_drop_usage(whole, true, out, &used);
	buf_init(&folded, CONVERTED_MAX);
	if ((req->found.flags & ENTRY_STREAM) != 0) {
		r = stream_fold(form, whole, &folded);
		whole = buf_bytes(&folded);
	}
	if (r == 0)
		r = stream_unfold(form, whole, &options, out);
	buf_done(&folded);
	return r;
}

/* The fields that were kept, but for the content type, which is that of the new form. */
static int
convert_fields(struct request *req)
{
	const char *type = req->call.wants_stream ?
	    stream_content_type(stream_form_of(&req->call)) : "application/json";
	struct bytes rest = req->found.fields, line;
	struct buf out;
	int r;

	buf_init(&out, FIELDS_LEN_MAX);
	r = buf_addf(&out, "Content-Type: %s\r\n", type);
	while (r == 0 && rest.len > 0) {
		line = bytes_cut(&rest, '\n');
		if (!bytes_has_prefix_nocase(line, "content-type:"))
			r = buf_addf(&out, "%.*s\n", BYTES_ARG(line));
	}
	if (r == 0)
		r = arena_copy(req->arena, buf_bytes(&out), &req->found.fields);
	buf_done(&out);
	return r;
}

/* What was found is from now on what OUT holds. */
static void
take_body(struct request *req, struct buf *out)
{
	buf_done(&req->question.converted);
	req->question.converted = *out;
	req->found.body = buf_bytes(out);
}

int
form_give(struct request *req)
{
	struct buf out;
	int r;

	if ((req->found.flags & FORM_FLAGS) == form_wanted(&req->call))
		return 0;
	buf_init(&out, CONVERTED_MAX);
	r = convert(req, &out);
	if (r == 0)
		r = convert_fields(req);
	if (r != 0) {
		buf_done(&out);
		return r == STREAM_E_CANNOT && !req->call.wants_usage ? FORM_E_CANNOT :
		    FORM_E_NOT_NOW;
	}
	take_body(req, &out);
	return 0;
}

static enum retouch_frame
frame_of(const struct call *call)
{
	const char *type;

	if (!call->wants_stream)
		return RETOUCH_WHOLE;
	type = stream_content_type(stream_form_of(call));
	return strcmp(type, "text/event-stream") == 0 ? RETOUCH_EVENTS : RETOUCH_LINES;
}

int
form_retouch(struct request *req)
{
	const struct config_route_cache *cache = &req->route->cache;
	struct retouch how = { .zeroes_usage = strcmp(cache->usage_on_hit, "zero") == 0 };
	struct buf out;
	size_t used;
	int r = 0;

	if (!cache->fresh_ids && !how.zeroes_usage)
		return 0;
	how.frame = frame_of(&req->call);
	how.now = clock_wall();
	if (cache->fresh_ids)
		r = arena_printf(req->arena, &how.id, "%016" PRIx64,
		    worker_draw_id(req->worker));
	buf_init(&out, CONVERTED_MAX);
	if (r == 0)
		r = retouch(&how, req->found.body, true, &out, &used);
	if (r == 0)
		take_body(req, &out);
	else
		buf_done(&out);
	return r;
}

int
form_hold(struct request *req)
{
	struct buf out;
	int r;

	if (req->found.body.ptr == buf_bytes(&req->question.converted).ptr)
		return 0;
	buf_init(&out, CONVERTED_MAX);
	r = buf_add(&out, req->found.body);
	if (r == 0)
		take_body(req, &out);
	else
		buf_done(&out);
	return r;
}

bool
form_given_usage(struct request *req, enum end_reason why, struct token_usage *ret_usage)
{
	const struct flight_usage *shared;

	switch (why) {
	case END_HIT:
	case END_STALE:
		*ret_usage = (struct token_usage){ req->found.input, req->found.output };
		return (req->found.flags & ENTRY_COUNTED) != 0;
	case END_COLLAPSED:
		shared = flight_usage(&req->sharing.seat);
		*ret_usage = (struct token_usage){ shared->input, shared->output };
		return (shared->input | shared->output) != 0;
	case END_MISS:
	case END_BYPASS:
		return req->fetch != NULL && fetch_state(req->fetch) == FETCH_DONE &&
		    fetch_status(req->fetch) == 200 && form_usage(req, ret_usage);
	default:
		return false;
	}
}
