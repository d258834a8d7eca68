/* SPDX-License-Identifier: MIT */
/*
 * models.h - GET /v1/models, answered by us: what the key may use, by the names that routes
 * and teams write out.  For the files of a request alone.
 */
#ifndef PROXY_MODELS_H
#define PROXY_MODELS_H

#include "proxy/request_priv.h"

/*
 * Does REQ ask for the list, and is it ours to give?  It is where there are teams or several
 * upstreams; but not where all may be used and none is written out: an upstream knows more.
 */
bool	models_are_asked(const struct request *req);

/* Always returns STEP_ENDED. */
enum step	models_answer(struct request *req);

#endif
