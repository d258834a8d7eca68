/* SPDX-License-Identifier: MIT */
/*
 * answer_cache.c - what goes back where an answer was there, fresh or not.
 */
#include "proxy/answer_priv.h"

#include <inttypes.h>
#include <string.h>

#include "base/num.h"
#include "cache/tally.h"
#include "proxy/form.h"
#include "proxy/http/respond.h"

/* What was found, with STATUS as its Cache-Status. */
static int
send_entry(struct request *req, struct buf *out, struct bytes status)
{
	struct answer_tags tags = {
		.compute = BYTES_LIT("cache"),
		.origin = req->found.compute,
		.status = status,
		.has_age = true,
		.age = (uint64_t)(req->lifetime.age / USEC_PER_SEC),
	};
	int r = form_retouch(req);

	if (r == 0)
		r = answer_begin_head(req, out, req->found.status, &tags);
	tally_add(req->worker->tally, req->found.model, 1);
	if (r == 0)
		r = buf_add(out, req->found.fields);
	return r < 0 ? r : answer_send_whole(req, out, req->found.body);
}

enum step
answer_from_cache(struct request *req)
{
	char status[] = "reprise; hit; ttl=01234567890123456789";
	char *digits = status + strlen("reprise; hit; ttl="), *start;
	struct buf *out = &req->worker->head;
	size_t len;
	int r;

	/* Rounded up, as Age is rounded down: together they are the time to live. */
	start = num_format_u64((uint64_t)(req->lifetime.left + USEC_PER_SEC - 1) / USEC_PER_SEC,
	    status + sizeof(status) - 1);
	len = (size_t)(status + sizeof(status) - 1 - start);
	memmove(digits, start, len);
	r = send_entry(req, out, (struct bytes){ status, (size_t)(digits - status) + len });
	buf_consume(out, buf_len(out));
	return answer_end(req, r, END_HIT);
}

/* RFC 9211, 2.2 and 2.3: gone past its time, as a hit or instead of what came. */
static int
stale_status(struct request *req, int status, struct bytes *ret_text)
{
	if (status == STALE_UNASKED)
		return arena_printf(req->arena, ret_text, "reprise; hit; ttl=-%" PRIu64,
		    (uint64_t)(req->question.overdue / USEC_PER_SEC));
	if (status == 0)
		return arena_printf(req->arena, ret_text, "reprise; fwd=stale");
	return arena_printf(req->arena, ret_text, "reprise; fwd=stale; fwd-status=%d", status);
}

enum step
answer_stale(struct request *req, int status)
{
	struct buf *out = &req->worker->head;
	struct bytes text;
	int r = stale_status(req, status, &text);

	if (r == 0)
		r = send_entry(req, out, text);
	buf_consume(out, buf_len(out));
	return answer_end(req, r, END_STALE);
}
