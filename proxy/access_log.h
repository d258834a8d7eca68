/* SPDX-License-Identifier: MIT */
/*
 * access_log.h - a line for each request that has ended, and for each that was slow.
 */
#ifndef PROXY_ACCESS_LOG_H
#define PROXY_ACCESS_LOG_H

#include "proxy/stats.h"

struct request;

void	access_log(struct request *req, enum end_reason why);

#endif
