/* SPDX-License-Identifier: MIT */
/*
 * route.c - which route takes a request.
 */
#include <string.h>

#include "base/glob.h"
#include "config/config.h"

bool
config_takes_model(char *const *globs, struct bytes model)
{
	for (; *globs != NULL; globs++) {
		/* A pattern that could match the empty text by accident does not mean it. */
		if (model.len == 0 ? strcmp(*globs, "*") == 0 : glob_match(*globs, model))
			return true;
	}
	return false;
}

bool
config_route_takes_team(const struct config *config, const struct config_route *route,
    const struct config_team *team)
{
	for (size_t i = 0; i < route->n_teams; i++)
		if (&config->teams[route->teams[i]] == team)
			return true;
	return route->n_teams == 0;
}

const struct config_route *
config_route_find(const struct config *config, const struct config_team *team,
    struct bytes model, struct bytes path, const char *dialect)
{
	for (size_t i = 0; i < config->n_routes; i++) {
		const struct config_route *route = &config->routes[i];

		if (route->dialect != NULL && strcmp(route->dialect, dialect) != 0)
			continue;
		if (route->path != NULL && !glob_match(route->path, path))
			continue;
		if (!config_route_takes_team(config, route, team))
			continue;
		if (config_takes_model(route->models, model))
			return route;
	}
	return NULL;
}

usec_t
config_grace(const struct config *config)
{
	usec_t grace = 0;

	for (size_t i = 0; i < config->n_routes; i++) {
		const struct config_route *route = &config->routes[i];

		if (route->cache.stale_while_revalidate > grace)
			grace = route->cache.stale_while_revalidate;
		if (route->cache.stale_if_error > grace)
			grace = route->cache.stale_if_error;
	}
	return grace;
}
