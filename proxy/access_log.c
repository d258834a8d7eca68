/* SPDX-License-Identifier: MIT */
/*
 * access_log.c - a line per request, if the configuration asks for it: what,
 * how it ended, how long it took.  Never a query, a body, or a credential (H-70).
 */
#include "proxy/access_log.h"

#include <inttypes.h>

#include "base/log.h"
#include "config/config.h"
#include "proxy/request_priv.h"
#include "proxy/worker.h"

void
access_log(const struct request *req, enum end_reason why)
{
	struct bytes none = BYTES_LIT("-"), method = none, path = none;
	const struct config_team *team = req->admission.team;

	/* A connection that was closed before it asked anything is no request. */
	if (!req->config->log.access || !reader_has_begun(req->reader))
		return;
	if (req->head != NULL) {
		method = req->head->method;
		path = req->head->path;
	}
	log_info("request %.*s: %.*s %.*s model=%.*s%s%s %s status=%d bytes=%" PRIu64
	    " ms=%.3f",
	    BYTES_ARG(req->id), BYTES_ARG(method), BYTES_ARG(path),
	    BYTES_ARG(req->call.model.len > 0 ? req->call.model : none),
	    team != NULL ? " team=" : "", team != NULL ? team->name : "", stats_end_word(why),
	    req->reply.status, req->reply.body_len,
	    (double)(clock_mono() - req->timing.started) / USEC_PER_MSEC);
}
