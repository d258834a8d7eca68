/* SPDX-License-Identifier: MIT */
/*
 * admit.c - keys to teams.  A key is compared by its SHA-256 alone (H-73), and that there
 * is none, that it is nobody's and that it has expired are not told apart (H-70): the
 * last is for the log, now and then.
 *
 * A certificate stands for a key: it was verified before the first byte of a request.  A key
 * of a team goes before it; one of nobody's, which some clients cannot leave out, does not
 * take away what the certificate gives.
 */
#include "proxy/admit.h"

#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cache/digest.h"
#include "cache/ledger.h"
#include "config/config.h"
#include "proxy/client.h"
#include "proxy/net/conn.h"
#include "proxy/worker.h"

#define BEARER		"Bearer "
#define EXPIRY_TIME	(3600 * USEC_PER_SEC)	/* between two lines on one team */

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

/* Once in a while, whoever's thread it is that sees it. */
static void
log_expired(struct request *req, const struct config_team *team, usec_t now)
{
	struct account *account = ledger_account(req->worker->ledger, bytes_str(team->name));
	usec_t told = atomic_load(&account->expiry_told);

	if ((told == 0 || now - told >= EXPIRY_TIME) &&
	    atomic_compare_exchange_strong(&account->expiry_told, &told, now))
		log_info("the keys of team %s have expired, refusing its requests; see its "
		    "\"expires\"", team->name);
}

static bool
has_expired(struct request *req, const struct config_team *team)
{
	usec_t now = clock_wall();

	if (team->expires == 0 || now < team->expires)
		return false;
	log_expired(req, team, now);
	return true;
}

static const struct config_team *
find_certified_team(const struct request *req)
{
	const struct conn *conn = client_conn(req->client);
	const struct config_team *team = NULL;
	struct bytes name = conn_peer_name(conn, 0);

	for (unsigned i = 1; team == NULL && name.len > 0; i++) {
		team = config_team_named(req->config, name);
		name = conn_peer_name(conn, i);
	}
	return team;
}

const char *
admit_key(struct request *req)
{
	if (req->config->n_teams == 0)
		return NULL;
	req->admission.team = find_team(req);
	if (req->admission.team == NULL)
		req->admission.team = find_certified_team(req);
	if (req->admission.team == NULL || has_expired(req, req->admission.team))
		return "a key of a team is needed: as Authorization: Bearer, x-api-key or api-key";
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
