/* SPDX-License-Identifier: MIT */
/*
 * team.c - whose a key is, what its team may use, and who could ask without one.
 */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/keyring.h"
#include "config/tls.h"

#define UNIX_PREFIX	"unix:"

const struct config_team *
config_team_find(const struct config *config, const char *sum)
{
	size_t i;

	return keyring_find(config->keys, sum, &i) ? &config->teams[i] : NULL;
}

static int
compare_name(const void *name, const void *member)
{
	const struct config_team *const *team = member;

	return bytes_cmp(*(const struct bytes *)name, bytes_str((*team)->name));
}

const struct config_team *
config_team_named(const struct config *config, struct bytes name)
{
	const struct config_team **found = bsearch(&name, config->teams_by_name,
	    config->n_teams, sizeof(struct config_team *), compare_name);

	return found != NULL ? *found : NULL;
}

bool
config_asks_for_certificate(const struct config *config)
{
	for (size_t i = 0; i < config->n_tls; i++)
		if (config->tls[i].client_ca != NULL)
			return true;
	return false;
}

/* What a request uses that names no model is not known, so where some are denied, it is. */
bool
config_team_may_use(const struct config_team *team, struct bytes model)
{
	if (team->deny != NULL && (model.len == 0 || config_takes_model(team->deny, model)))
		return false;
	return team->models == NULL || config_takes_model(team->models, model);
}

bool
config_is_local(const char *address)
{
	struct bytes text = bytes_str(address);

	return bytes_has_prefix(text, UNIX_PREFIX) || bytes_has_prefix(text, "localhost:") ||
	    bytes_has_prefix(text, "[::1]:") || (bytes_has_prefix(text, "127.") &&
	    address[strspn(address, "0123456789.")] == ':');
}

bool
config_is_open(const struct config *config, const char *address)
{
	return config->n_teams == 0 && !config_is_local(address) &&
	    !config_asks_for_certificate(config);
}

const struct config_price *
config_price_find(const struct config *config, struct bytes model)
{
	for (size_t i = 0; i < config->n_prices; i++)
		if (config_takes_model(config->prices[i].models, model))
			return &config->prices[i];
	return NULL;
}
