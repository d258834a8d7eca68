/* SPDX-License-Identifier: MIT */
/*
 * retry_after.h - when an upstream wants to be asked again (RFC 9110, 10.2.3).
 */
#ifndef PROXY_HTTP_RETRY_AFTER_H
#define PROXY_HTTP_RETRY_AFTER_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/clock.h"

/*
 * How long from WALL, a time since 1970, until what VALUE says: seconds, or an HTTP
 * date (none before WALL: 0).  False if it says neither.
 */
bool	retry_after_read(struct bytes value, usec_t wall, usec_t *ret_delay);

#endif
