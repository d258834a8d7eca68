/* SPDX-License-Identifier: MIT */
/*
 * defaults.c - cores, cache directories, the Hugging Face router.
 */
#include "config/defaults.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/load.h"
#include "config/option.h"

#define HF_ROUTER	"https://router.huggingface.co/hf-inference"
#define PATH_SIZE	4096
#define MEMORY_SHARE	4

/* The cores this process may run on, which in a container are fewer than there are. */
static unsigned
count_cores(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

/*
 * A part of what the machine has: it has still room for the cache's pages and for others
 * when clients send all they can.  One request must find room on any.
 */
static uint64_t
memory_limit(uint64_t max_body)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t least = CONFIG_MEMORY_PER_BODY * max_body, share = 0;

	if (pages > 0 && size > 0)
		share = (uint64_t)pages * (uint64_t)size / MEMORY_SHARE;
	return share > least ? share : least;
}

void
defaults_begin(struct config *config)
{
	option_set_defaults(PLACE_TOP, config);
	config->workers = count_cores();
	config->memory_limit = UINT64_MAX;
}

static char *
cache_path(void)
{
	/* What systemd made for us, may be several; then where caches of users are. */
	const char *given = getenv("CACHE_DIRECTORY"), *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	char path[PATH_SIZE];

	if (given != NULL && given[0] == '/')
		return xstrndup(given, strcspn(given, ":"));
	if (xdg != NULL && xdg[0] == '/')
		snprintf(path, sizeof(path), "%s/reprise", xdg);
	else if (home != NULL && home[0] == '/')
		snprintf(path, sizeof(path), "%s/.cache/reprise", home);
	else
		snprintf(path, sizeof(path), "/var/cache/reprise");
	return xstrdup(path);
}

static void
route_everything(struct config *config)
{
	struct config_route *route = xcalloc(1, sizeof(*route));

	option_set_defaults(PLACE_ROUTE, route);
	route->to = xcalloc(1, sizeof(*route->to));
	route->n_to = 1;
	config->routes = route;
	config->n_routes = 1;
}

/* What the route does not say itself. */
static void
inherit(struct config_route *route, const struct config_cache *cache)
{
	route->cache.has_ttl = route->cache.ttl != 0;
	if (!route->cache.has_ttl)
		route->cache.ttl = cache->ttl;
	if (route->cache.max_entry == 0)
		route->cache.max_entry = cache->max_entry;
	if (route->retries == CONFIG_UNSET)
		route->retries = (unsigned)route->n_to - 1;
}

void
defaults_end(struct config *config)
{
	if (config->cache.path == NULL)
		config->cache.path = cache_path();
	peers_end(config);
	if (config->memory_limit == UINT64_MAX)
		config->memory_limit = memory_limit(config->max_body);
	if (config->n_routes == 0 && config->n_upstreams == 1)
		route_everything(config);
	for (size_t i = 0; i < config->n_routes; i++)
		inherit(&config->routes[i], &config->cache);
}

void
defaults_upstream(struct config *config)
{
	struct config_upstream *up = xcalloc(1, sizeof(*up));
	struct secret *token;

	option_set_defaults(PLACE_UPSTREAM, up);
	up->name = xstrdup("hf");
	up->url = xstrdup(HF_ROUTER);
	/* Without a token the router says so itself, and better than we could. */
	if (secret_from_env("HF_TOKEN", &token) == 0)
		load_add_token(up, token);
	config->upstreams = up;
	config->n_upstreams = 1;
}
