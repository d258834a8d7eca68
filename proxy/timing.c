/* SPDX-License-Identifier: MIT */
/*
 * timing.c - from when it waits until it runs again.
 */
#include "proxy/timing.h"

void
timing_run(struct request *req)
{
	struct timing *timing = &req->timing;
	usec_t waited;

	if (timing->since == 0 || req->step == STEP_ENDED)
		return;
	waited = clock_mono() - timing->since;
	timing->waited += waited;
	timing->steps[req->step] += waited;
	timing->since = 0;
}

/* For the rest of itself it does not count as waiting. */
void
timing_wait(struct request *req)
{
	if (req->timing.whole != 0)
		req->timing.since = clock_mono();
}
