/* SPDX-License-Identifier: MIT */
/*
 * timing.h - what the time of a request goes to: to us, or to waiting, step by step.  The
 * clock is read where it waits alone, so a hit does without.
 */
#ifndef PROXY_TIMING_H
#define PROXY_TIMING_H

#include "proxy/request_priv.h"

/* REQ runs again in the step it waited in, or for the first time; or it waits there. */
void	timing_run(struct request *req);
void	timing_wait(struct request *req);

#endif
