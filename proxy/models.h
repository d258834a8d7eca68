/* SPDX-License-Identifier: MIT */
/*
 * models.h - GET /v1/models, answered by us: what the key may use, by the names that routes
 * and teams write out and the upstreams list.  For the files of a request alone.
 */
#ifndef PROXY_MODELS_H
#define PROXY_MODELS_H

#include "proxy/request_priv.h"

#define MODELS_PATH	"/v1/models"

struct config;
struct config_upstream;

/* Is there more than the list of one upstream for all? */
bool	models_are_ours(const struct config *config);

/* May UP be asked for its list, for everybody?  Not with the client's own token. */
bool	models_are_listed_by(const struct config *config, const struct config_upstream *up);

/* Does REQ ask for the list, or for one model of it, and is it ours to give? */
bool	models_are_asked(const struct request *req);

/* Returns STEP_LIST while an upstream has not yet given its list, or at last STEP_ENDED. */
enum step	models_answer(struct request *req);

#endif
