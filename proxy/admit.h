/* SPDX-License-Identifier: MIT */
/*
 * admit.h - who asks, what it may use, and whether it may steer the cache: the rules of
 * its team.  For the files of a request alone.
 */
#ifndef PROXY_ADMIT_H
#define PROXY_ADMIT_H

#include "proxy/request_priv.h"

/*
 * Find the team by the client's key, else by its certificate.  Returns NULL, or for the
 * client why it is not let in.  Where there are no teams everybody is.
 */
const char	*admit_key(struct request *req);

/* With the model known, if it names one: NULL, or why its team may not use it. */
const char	*admit_model(const struct request *req);

/* What it asks of the cache, as read so far: true if that counts, else it is passed over. */
bool	admit_controls(struct request *req);

#endif
