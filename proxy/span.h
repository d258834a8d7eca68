/* SPDX-License-Identifier: MIT */
/*
 * span.h - requests and calls as spans (OTLP as JSON, with the names of PROTOCOLS.md 19.6):
 * one for a request, and one below it for each call to an upstream.  Only where the
 * configuration says log.otlp, and the request's trace is one that is sampled.
 */
#ifndef PROXY_SPAN_H
#define PROXY_SPAN_H

#include "proxy/stats.h"

struct request;

/* REQ ended for its client, for the reason WHY. */
void	span_request(struct request *req, enum end_reason why);

/* The call that REQ made is over; IS_CANCELLED: before its answer was. */
void	span_call(struct request *req, bool is_cancelled);

#endif
