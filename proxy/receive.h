/* SPDX-License-Identifier: MIT */
/*
 * receive.h - the first step of a request: all of it comes from its client.
 */
#ifndef PROXY_RECEIVE_H
#define PROXY_RECEIVE_H

#include "proxy/request_priv.h"

/* What has come; STEP_IDENTIFY when it is whole, STEP_RECEIVE as long as it is not. */
enum step	receive_step(struct request *req);

#endif
