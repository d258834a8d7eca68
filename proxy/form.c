/* SPDX-License-Identifier: MIT */
/*
 * form.c - one answer, whole or as a stream: an entry made by either answers both
 * (proxy/dialect/stream.h).
 */
#include "proxy/form.h"

#include <string.h>

#include "base/mem.h"
#include "proxy/dialect/stream.h"

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

/* The body in its new form, appended to OUT. */
static int
convert(const struct request *req, struct buf *out)
{
	const struct unfold_options options = { .include_usage = req->call.wants_usage };
	enum stream_form form = stream_form_of(&req->call);
	struct bytes whole = req->found.body;
	struct buf folded;
	int r = 0;

	if (!req->call.wants_stream)
		return stream_fold(form, whole, out);
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
	buf_done(&req->question.converted);
	req->question.converted = out;
	req->found.body = buf_bytes(&out);
	return 0;
}
