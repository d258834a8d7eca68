/* SPDX-License-Identifier: MIT */
/*
 * admit.c - keys to teams.  A key is compared by its SHA-256 alone (H-73), and that there
 * is none and that it is nobody's are not told apart (H-70).
 */
#include "proxy/admit.h"

#include <string.h>

#include "base/clock.h"
#include "cache/digest.h"
#include "config/config.h"

#define BEARER	"Bearer "

/* Where the clients of the APIs put their keys (PROTOCOLS.md 2). */
static const char *const key_fields[] = { "authorization", "x-api-key", "api-key" };

static struct bytes
key_in(const struct fields *fields, const char *name)
{
	struct bytes value = fields_get(fields, name);

	if (name != key_fields[0])
		return value;
	return bytes_has_prefix_nocase(value, BEARER) ?
	    bytes_trim(bytes_skip(value, strlen(BEARER))) : BYTES_NONE;
}

/* Some clients send a key of their own making beside the one they were given. */
static const struct config_team *
find_team(const struct request *req)
{
	const struct config_team *team = NULL;
	char sum[DIGEST_LEN];

	for (size_t i = 0; team == NULL && i < ARRAY_LEN(key_fields); i++) {
		struct bytes key = key_in(&req->head->fields, key_fields[i]);

		if (key.len == 0)
			continue;
		digest_bytes(key, sum);
		team = config_team_find(req->config, sum);
	}
	return team;
}

const char *
admit_key(struct request *req)
{
	const struct config_team *team;

	if (req->config->n_teams == 0)
		return NULL;
	team = find_team(req);
	if (team == NULL)
		return "a key of a team is needed: as Authorization: Bearer, x-api-key or api-key";
	req->admission.team = team;
	if (team->expires != 0 && clock_wall() >= team->expires)
		return "this key has expired";
	return NULL;
}

const char *
admit_model(const struct request *req)
{
	const struct config_team *team = req->admission.team;
	struct bytes model = req->call.model;

	/* To look at what there is uses no model. */
	if (team == NULL || (model.len == 0 && request_is_get(req)) ||
	    config_team_may_use(team, model))
		return NULL;
	return model.len > 0 ? "this key is not for this model" :
	    "this key is for some models only, and the request names none";
}

bool
admit_controls(struct request *req)
{
	const struct config_team *team = req->admission.team;
	struct controls *controls = &req->call.controls;

	if (team == NULL || team->controls)
		return true;
	*controls = (struct controls){ .wait = controls->wait, .explains = controls->explains };
	return false;
}
