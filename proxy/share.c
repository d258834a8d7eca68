/* SPDX-License-Identifier: MIT */
/*
 * share.c - what came of a call, for those on other connections who wait for the
 * same (cache/flight.h).  Nothing is copied while nobody does.
 */
#include "proxy/share.h"

#include "base/mem.h"
#include "base/num.h"
#include "proxy/answer.h"
#include "proxy/attempt.h"
#include "proxy/form.h"
#include "proxy/relay.h"
#include "proxy/worker.h"

#define FLIGHT_MAX	((uint64_t)64 << 20)	/* a flight keeps all of it, for the slowest */

bool
share_fits(const struct request *req)
{
	uint64_t len = 0;

	(void)!num_parse_u64(fields_get(fetch_fields(req->fetch), "content-length"), &len);
	return len <= FLIGHT_MAX;
}

static int
publish_head(struct request *req, bool is_live)
{
	struct flight_head head = {
		.status = fetch_status(req->fetch),
		.form = form_wanted(&req->call),
		.is_live = is_live,
		.is_stream = req->reply.is_stream,
		.compute = answer_compute_type(req),
	};
	struct buf fields;
	int r;

	if (req->sharing.has_head)
		return 0;
	buf_init(&fields, WORKER_HEAD_MAX);
	r = answer_compute_time(req, &head.compute_time);
	if (r == 0)
		r = attempt_add_fields(req, &fields);
	if (r == 0)
		r = answer_passed_fields(fetch_fields(req->fetch), &fields);
	if (r == 0) {
		head.fields = buf_bytes(&fields);
		flight_set_head(req->sharing.led, &head);
		req->sharing.has_head = true;
	}
	buf_done(&fields);
	return r;
}

/* What has come, whether or not someone waits. */
static void
publish_all(struct request *req, bool is_live)
{
	struct sharing *sharing = &req->sharing;
	struct bytes fresh = bytes_skip(relay_body(req), sharing->published);

	if (publish_head(req, is_live) < 0) {
		flight_fail(take_ptr(&sharing->led), FLIGHT_NOT_SHARED);
		return;
	}
	if (fresh.len > 0)
		flight_add(sharing->led, fresh);
	sharing->published += fresh.len;
	sharing->total += fresh.len;
	if (sharing->total > FLIGHT_MAX)
		flight_fail(take_ptr(&sharing->led), FLIGHT_NOT_SHARED);
}

/* As nearly always nobody waits, and nothing is copied. */
static void
publish_last(struct request *req, bool is_live)
{
	flight_close(req->sharing.led);
	if (flight_is_awaited(req->sharing.led))
		publish_all(req, is_live);
	else
		flight_fail(take_ptr(&req->sharing.led), FLIGHT_LOOK_AGAIN);
}

/* All of it has come, and those who followed hear what it would have cost them. */
static void
land(struct request *req, bool is_all_here)
{
	struct token_usage usage;

	if (is_all_here && fetch_status(req->fetch) == 200 && form_usage(req, &usage))
		flight_set_usage(req->sharing.led,
		    &(struct flight_usage){ usage.input, usage.output });
	flight_land(take_ptr(&req->sharing.led));
}

void
share_whole(struct request *req)
{
	publish_last(req, false);
	if (req->sharing.led != NULL)
		land(req, true);
}

void
share_more(struct request *req)
{
	if (!req->reply.is_kept)	/* what was sent is gone: too late to join */
		publish_last(req, true);
	else if (flight_is_awaited(req->sharing.led))
		publish_all(req, true);
}

void
share_end(struct request *req, bool is_whole)
{
	publish_last(req, true);
	if (req->sharing.led == NULL)
		return;
	if (is_whole)
		land(req, req->reply.is_kept);
	else
		flight_fail(take_ptr(&req->sharing.led),
		    FLIGHT_BROKEN + (int)fetch_failure(req->fetch));
}
