/* SPDX-License-Identifier: MIT */
/*
 * route.c - which route takes a request.
 */
#include <string.h>

#include "base/glob.h"
#include "config/config.h"

static bool
takes_model(const struct config_route *route, struct bytes model)
{
	for (char **glob = route->models; *glob != NULL; glob++) {
		/* A pattern that could match the empty text by accident does not mean it. */
		if (model.len == 0 ? strcmp(*glob, "*") == 0 : glob_match(*glob, model))
			return true;
	}
	return false;
}

const struct config_route *
config_route_find(const struct config *config, struct bytes model, struct bytes path,
    const char *dialect)
{
	for (size_t i = 0; i < config->n_routes; i++) {
		const struct config_route *route = &config->routes[i];

		if (route->dialect != NULL && strcmp(route->dialect, dialect) != 0)
			continue;
		if (route->path != NULL && !glob_match(route->path, path))
			continue;
		if (takes_model(route, model))
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
