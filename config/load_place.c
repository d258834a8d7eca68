/* SPDX-License-Identifier: MIT */
/*
 * load_place.c - addresses, certificates, upstreams, teams, routes and prices, and what of a route
 * names others.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "config/edits.h"
#include "config/keyring.h"
#include "config/literal.h"
#include "config/load_priv.h"
#include "config/tls.h"

static void
check_listen(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    const struct config_listen *listen)
{
	if (listen->address == NULL || (listen->mode == 0 && listen->group == NULL))
		return;
	if (!bytes_has_prefix(bytes_str(listen->address), "unix:"))
		load_sayf(loader, node, trail, "mode and group are for unix sockets");
}

/* An address, or a map with one. */
static void
add_listen(struct loader *loader, const struct tree_node *node, const struct trail *trail)
{
	struct config_listen *listen = config_add_listen(loader->config, NULL);

	if (node->kind != TREE_MAP) {
		load_scalar(loader, option_find(PLACE_LISTEN, "address"), node, trail, listen);
		return;
	}
	option_set_defaults(PLACE_LISTEN, listen);
	load_map(loader, PLACE_LISTEN, node, trail, listen);
	check_listen(loader, node, trail, listen);
}

void
load_listen(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	(void)option;
	(void)base;
	if (node->kind != TREE_LIST) {
		add_listen(loader, node, trail);
		return;
	}
	if (node->n == 0)
		load_sayf(loader, node, trail, "must not be empty");
	for (size_t i = 0; i < node->n; i++) {
		struct trail here = { .up = trail, .index = i };

		add_listen(loader, node->pairs[i].value, &here);
	}
}

static void
add_target(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_route *route)
{
	const struct config *config = loader->config;
	struct vocabulary known = { .what = "upstream" };

	if (!load_check_kind(loader, node, trail, TREE_SCALAR))
		return;
	for (size_t i = 0; i < config->n_upstreams; i++) {
		load_add_word(&known, config->upstreams[i].name);
		if (strcmp(node->text, config->upstreams[i].name) != 0)
			continue;
		route->to = xreallocarray(route->to, route->n_to + 1, sizeof(*route->to));
		route->to[route->n_to++] = i;
		return;
	}
	load_say_unknown(loader, node, trail, &known);
}

/* Upstreams, and how often each is the first. */
static void
read_weights(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_route *route)
{
	if (node->n == 0)
		load_sayf(loader, node, trail, "must not be empty");
	route->weights = xcalloc(node->n + 1, sizeof(*route->weights));
	for (size_t i = 0; i < node->n; i++) {
		const struct tree_pair *pair = &node->pairs[i];
		struct trail here = { .up = trail, .name = pair->key->text };
		uint64_t weight;

		add_target(loader, pair->key, &here, route);
		if (!load_check_kind(loader, pair->value, &here, TREE_SCALAR))
			continue;
		if (num_parse_u64(bytes_str(pair->value->text), &weight) != 0 ||
		    weight < 1 || weight > CONFIG_WEIGHT_MAX)
			load_sayf(loader, pair->value, &here, "must be a weight from 1 to %d",
			    CONFIG_WEIGHT_MAX);
		else
			route->weights[i] = (unsigned)weight;
	}
}

static void
add_team(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_route *route)
{
	const struct config *config = loader->config;
	struct vocabulary known = { .what = "team" };

	if (!load_check_kind(loader, node, trail, TREE_SCALAR))
		return;
	for (size_t i = 0; i < config->n_teams; i++) {
		load_add_word(&known, config->teams[i].name);
		if (strcmp(node->text, config->teams[i].name) != 0)
			continue;
		route->teams = xreallocarray(route->teams, route->n_teams + 1,
		    sizeof(*route->teams));
		route->teams[route->n_teams++] = i;
		return;
	}
	load_say_unknown(loader, node, trail, &known);
}

typedef void add_name_fn(struct loader *loader, const struct tree_node *node,
    const struct trail *trail, struct config_route *route);

/* One name or a list of them. */
static void
read_names(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_route *route, add_name_fn *add)
{
	if (node->kind != TREE_LIST) {
		add(loader, node, trail, route);
		return;
	}
	if (node->n == 0)
		load_sayf(loader, node, trail, "must not be empty");
	for (size_t i = 0; i < node->n; i++) {
		struct trail here = { .up = trail, .index = i };

		add(loader, node->pairs[i].value, &here, route);
	}
}

static void
add_edit(struct loader *loader, enum config_edit_kind kind, const struct tree_pair *pair,
    const struct trail *trail, struct config_route *route)
{
	struct literal_fault fault;

	if (edits_add(&route->edits, kind, pair->key, pair->value, &fault) != 0)
		load_sayf(loader, fault.node, trail, "%s", fault.why);
}

/* "set" and "default". */
void
load_members(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	if (!load_check_kind(loader, node, trail, TREE_MAP))
		return;
	if (node->n == 0)
		load_sayf(loader, node, trail, "must not be empty");
	for (size_t i = 0; i < node->n; i++) {
		struct trail here = { .up = trail, .name = node->pairs[i].key->text };

		add_edit(loader, strcmp(option->name, "set") == 0 ? CONFIG_EDIT_SET :
		    CONFIG_EDIT_DEFAULT, &node->pairs[i], &here, base);
	}
}

static void
add_stripped(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_route *route)
{
	const struct tree_pair gone = { .key = node };

	if (!load_check_kind(loader, node, trail, TREE_SCALAR))
		return;
	if (node->is_null)
		load_sayf(loader, node, trail, "has no value");
	else
		add_edit(loader, CONFIG_EDIT_STRIP, &gone, trail, route);
}

/* What is wrong with a file is found by who reads it. */
static char *
place_of(struct loader *loader, const struct tree_node *map, const struct trail *trail,
    const char *name)
{
	const struct tree_pair *pair = load_find_pair(map, name);
	const struct trail here = { .up = trail, .name = name };

	return pair != NULL ? load_spell(loader, pair->value, &here) : NULL;
}

static void
read_certificate(struct loader *loader, const struct tree_node *node, const struct trail *trail)
{
	struct config *config = loader->config;
	struct config_tls *tls;

	config->tls = xreallocarray(config->tls, config->n_tls + 1, sizeof(*tls));
	tls = &config->tls[config->n_tls++];
	*tls = (struct config_tls){ 0 };
	load_map(loader, PLACE_TLS, node, trail, tls);
	if (node->kind != TREE_MAP)
		return;
	tls->certificate_at = place_of(loader, node, trail, "certificate");
	tls->key_at = place_of(loader, node, trail, "key");
	tls->client_ca_at = place_of(loader, node, trail, "client_ca");
}

/* One or a list of them. */
void
load_tls(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	(void)option;
	(void)base;
	if (node->kind != TREE_LIST) {
		read_certificate(loader, node, trail);
		return;
	}
	if (node->n == 0)
		load_sayf(loader, node, trail, "must not be empty");
	for (size_t i = 0; i < node->n; i++) {
		const struct trail here = { .up = trail, .index = i };

		read_certificate(loader, node->pairs[i].value, &here);
	}
}

/* What an upstream or a team is called: KEY, where TRAIL leads. */
static char *
read_name(struct loader *loader, const struct tree_node *key, const struct trail *trail)
{
	if (!config_is_name(trail->name))
		load_sayf(loader, key, trail, "a name has letters, digits, '_' and '-'");
	return xstrdup(trail->name);
}

static void
read_upstream(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_upstream *up)
{
	struct trail here = { .up = trail, .name = "tokens" };

	option_set_defaults(PLACE_UPSTREAM, up);
	load_map(loader, PLACE_UPSTREAM, node, trail, up);
	if (node->kind == TREE_MAP && load_find_pair(node, "token") != NULL &&
	    load_find_pair(node, here.name) != NULL)
		load_sayf(loader, load_find_pair(node, here.name)->value, &here, "does not go with "
		    "\"token\"; move that into the list, or leave one of them out");
}

void
load_upstreams(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	struct config *config = loader->config;

	(void)option;
	(void)base;
	if (!load_check_kind(loader, node, trail, TREE_MAP))
		return;
	config->upstreams = xcalloc(node->n + 1, sizeof(*config->upstreams));
	for (size_t i = 0; i < node->n; i++) {
		const struct tree_pair *pair = &node->pairs[i];
		struct config_upstream *up = &config->upstreams[config->n_upstreams++];
		struct trail here = { .up = trail, .name = pair->key->text };

		up->name = read_name(loader, pair->key, &here);
		read_upstream(loader, pair->value, &here, up);
	}
}

static void
read_team(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_team *team)
{
	option_set_defaults(PLACE_TEAM, team);
	load_map(loader, PLACE_TEAM, node, trail, team);
	/* It may be known by a certificate. */
	if (node->kind == TREE_MAP && load_find_pair(node, "key") == NULL &&
	    load_find_pair(node, "keys") == NULL && !config_asks_for_certificate(loader->config))
		load_sayf(loader, node, trail, "\"key\" is missing; reprise key new makes one");
}

static int
compare_names(const void *a, const void *b)
{
	const struct config_team *const *one = a, *const *other = b;

	return strcmp((*one)->name, (*other)->name);
}

static void
sort_teams(struct config *config)
{
	config->teams_by_name = xcalloc(config->n_teams, sizeof(struct config_team *));
	for (size_t i = 0; i < config->n_teams; i++)
		config->teams_by_name[i] = &config->teams[i];
	qsort(config->teams_by_name, config->n_teams, sizeof(struct config_team *),
	    compare_names);
}

/* That there are none must not be taken for that nobody may ask. */
void
load_teams(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	struct config *config = loader->config;

	(void)option;
	(void)base;
	if (!load_check_kind(loader, node, trail, TREE_MAP))
		return;
	if (node->n == 0)
		load_sayf(loader, node, trail, "must not be empty");
	config->teams = xcalloc(node->n + 1, sizeof(*config->teams));
	config->keys = keyring_new();
	for (size_t i = 0; i < node->n; i++) {
		const struct tree_pair *pair = &node->pairs[i];
		struct config_team *team = &config->teams[config->n_teams++];
		struct trail here = { .up = trail, .name = pair->key->text };

		team->name = read_name(loader, pair->key, &here);
		read_team(loader, pair->value, &here, team);
	}
	sort_teams(config);
}

static void
read_route(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_route *route)
{
	struct trail here = { .up = trail, .name = "balance" };

	option_set_defaults(PLACE_ROUTE, route);
	route->retries = CONFIG_UNSET;
	load_map(loader, PLACE_ROUTE, node, trail, route);
	if (route->weights != NULL && strcmp(route->balance, "least_busy") == 0)
		load_sayf(loader, load_find_pair(node, here.name)->value, &here, "least_busy "
		    "does not go with weights; list the upstreams in \"to\", or leave it out");
}

void
load_routes(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	struct config *config = loader->config;

	(void)option;
	(void)base;
	if (!load_check_kind(loader, node, trail, TREE_LIST))
		return;
	if (node->n == 0)
		load_sayf(loader, node, trail, "must not be empty");
	config->routes = xcalloc(node->n + 1, sizeof(*config->routes));
	for (size_t i = 0; i < node->n; i++) {
		struct config_route *route = &config->routes[config->n_routes++];
		struct trail here = { .up = trail, .index = i };

		read_route(loader, node->pairs[i].value, &here, route);
	}
}

void
load_prices(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	struct config *config = loader->config;

	(void)base;
	if (!load_check_kind(loader, node, trail, TREE_LIST))
		return;
	config->prices = xcalloc(node->n + 1, sizeof(*config->prices));
	for (size_t i = 0; i < node->n; i++) {
		struct config_price *price = &config->prices[config->n_prices++];
		struct trail here = { .up = trail, .index = i };

		option_set_defaults(option->inside, price);
		load_map(loader, option->inside, node->pairs[i].value, &here, price);
	}
}

void
load_targets(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	(void)option;
	if (node->kind == TREE_MAP)
		read_weights(loader, node, trail, base);
	else
		read_names(loader, node, trail, base, add_target);
}

void
load_of_team(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	(void)option;
	read_names(loader, node, trail, base, add_team);
}

void
load_stripped(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	(void)option;
	read_names(loader, node, trail, base, add_stripped);
}
