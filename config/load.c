/* SPDX-License-Identifier: MIT */
/*
 * load.c - the tree of a YAML text, walked beside the table of options.  It
 * goes on after a mistake, so that all are heard of at once.
 */
#include "config/load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "config/keyring.h"
#include "config/option.h"
#include "config/tree.h"

#define LINE_MAX_LEN	1024
#define WORDS_MAX	256
#define NAME_SHOWN_MAX	40

/* Where we are: "routes[2].cache.ttl", from the end. */
struct trail {
	const struct trail	*up;
	const char		*name;		/* NULL: a member of a list */
	size_t			 index;
};

/* What a name may be. */
struct vocabulary {
	const char	*what;			/* "option", "upstream" */
	const char	*words[WORDS_MAX];
	size_t		 n;
};

struct loader {
	const char		*file;
	config_complain_fn	*complain;
	void			*arg;
	struct config		*config;
	unsigned		 n_wrong;
};

/*
 * How much of NAME may be shown: where the space behind "token:" was forgotten,
 * the token is part of the name (H-70).
 */
static int
shown_len(const char *name)
{
	size_t len = strcspn(name, ":");

	return (int)(len < NAME_SHOWN_MAX ? len : NAME_SHOWN_MAX);
}

static int
add_trail(struct buf *out, const struct trail *trail)
{
	int r;

	if (trail == NULL)
		return 0;
	r = add_trail(out, trail->up);
	if (r < 0)
		return r;
	if (trail->name == NULL)
		return buf_addf(out, "[%zu]", trail->index);
	return buf_addf(out, "%s%.*s", buf_len(out) > 0 ? "." : "", shown_len(trail->name),
	    trail->name);
}

/* Texts of the file may hold escapes for a terminal. */
static void
blank_controls(char *line)
{
	for (; *line != '\0'; line++)
		if ((unsigned char)*line < 0x20 || *line == 0x7f)
			*line = '?';
}

/* What does not fit into the line is cut off it. */
static void
say(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct bytes what)
{
	char line[LINE_MAX_LEN];
	struct buf path;

	loader->n_wrong++;
	buf_init(&path, LINE_MAX_LEN);
	if (add_trail(&path, trail) < 0 || buf_add_str(&path, ": ") < 0)
		buf_done(&path);
	snprintf(line, sizeof(line), "%s:%u:%u: %.*s%.*s", loader->file, node->line, node->column,
	    trail != NULL ? (int)buf_len(&path) : 0, buf_bytes(&path).ptr, BYTES_ARG(what));
	blank_controls(line);
	loader->complain(loader->arg, line);
	buf_done(&path);
}

static void __attribute__((format(printf, 4, 5)))
sayf(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    const char *fmt, ...)
{
	char what[LINE_MAX_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	say(loader, node, trail, bytes_str(what));
}

static void
add_word(struct vocabulary *known, const char *word)
{
	if (known->n < WORDS_MAX)
		known->words[known->n++] = word;
}

static void
say_unknown(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    const struct vocabulary *known)
{
	const char *meant = option_suggest(node->text, known->words, known->n);

	if (meant != NULL)
		sayf(loader, node, trail, "unknown %s, did you mean \"%s\"?", known->what, meant);
	else
		sayf(loader, node, trail, "unknown %s", known->what);
}

static bool
check_kind(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    enum tree_kind kind)
{
	static const char *const words[] = {
		[TREE_SCALAR] = "a single value", [TREE_LIST] = "a list",
		[TREE_MAP] = "a map of names to values",
	};

	if (node->kind == kind)
		return true;
	sayf(loader, node, trail, "must be %s", words[kind]);
	return false;
}

/* A value, or one more of a list. */
static void
read_scalar(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	struct buf why;
	int r;

	if (!check_kind(loader, node, trail, TREE_SCALAR))
		return;
	if (node->is_null) {
		sayf(loader, node, trail, "has no value");
		return;
	}
	buf_init(&why, LINE_MAX_LEN);
	r = option_is_list(option) ? option_add(option, node->text, base, &why) :
	    option_set(option, node->text, base, &why);
	if (r != 0)
		say(loader, node, trail, buf_bytes(&why));
	buf_done(&why);
}

/* One value or a list of them; the default goes when something is said. */
static void
read_list(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	char ***list = (char ***)(void *)((char *)base + option->offset);

	for (size_t i = 0; *list != NULL && (*list)[i] != NULL; i++)
		xfree((*list)[i]);
	*list = xfree(*list);
	if (node->kind != TREE_LIST) {
		read_scalar(loader, option, node, trail, base);
		return;
	}
	if (node->n == 0)
		sayf(loader, node, trail, "must not be empty");
	if (option->type == OPTION_POINTERS && node->n > CONFIG_IGNORE_MAX)
		sayf(loader, node, trail, "must be at most %d", CONFIG_IGNORE_MAX);
	for (size_t i = 0; i < node->n; i++) {
		struct trail here = { .up = trail, .index = i };

		read_scalar(loader, option, node->pairs[i].value, &here, base);
	}
}

static const struct {
	const char	*name;
	const char	*what;
	int		(*read)(const char *arg, struct secret **ret_secret);
} token_forms[] = {
	{ "env", "this variable", secret_from_env },
	{ "file", "this file", secret_from_file },
	{ "credential", "this credential", secret_from_credential },
	{ "value", "the token", secret_from_value },
	{ "client", NULL, NULL },	/* last */
};

static const char *
why_no_secret(int r)
{
	switch (r) {
	case SECRET_E_UNSET:
		return "is not set";
	case SECRET_E_EMPTY:
		return "is empty";
	case SECRET_E_BAD:
		return "holds bytes that no header field may";
	default:
		return strerror(-r);
	}
}

static bool
looks_like_variable(const char *text)
{
	return text[0] != '\0' && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
	    strlen(text);
}

void
load_token(struct config_upstream *up, struct secret *token)
{
	up->tokens = xreallocarray(up->tokens, up->n_tokens + 1, sizeof(struct secret *));
	up->tokens[up->n_tokens++] = token;
}

/*
 * No message repeats a value, since the token itself is easily put where its
 * name belongs (H-70); but variables by their usual spelling.
 */
static void
read_token_form(struct loader *loader, size_t form, const struct tree_node *node,
    const struct trail *trail, struct config_upstream *up)
{
	const char *what = token_forms[form].what;
	struct secret *token;
	int r;

	if (token_forms[form].read == NULL) {
		if (strcmp(node->text, "true") != 0)
			sayf(loader, node, trail, "must be true");
		up->token_client = true;
		return;
	}
	r = token_forms[form].read(node->text, &token);
	if (r == 0) {
		load_token(up, token);
		return;
	}
	if (token_forms[form].read == secret_from_env && looks_like_variable(node->text))
		what = node->text;
	sayf(loader, node, trail, r < 0 ? "%s: %s" : "%s %s", what, why_no_secret(r));
}

#define SECRET_FORMS	"must be one of {env: NAME}, {file: PATH}, {credential: NAME}, " \
			"{value: TEXT}"

/* Of those that may stand there: the first of the table, or all. */
static void
say_token_forms(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    size_t n_forms)
{
	say(loader, node, trail, n_forms < ARRAY_LEN(token_forms) ? BYTES_LIT(SECRET_FORMS) :
	    BYTES_LIT(SECRET_FORMS ", {client: true}"));
}

static void
read_token(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_upstream *up, size_t n_forms)
{
	struct vocabulary known = { .what = "option" };
	const struct tree_pair *pair = node->pairs;
	struct trail here = { .up = trail };

	if (node->kind != TREE_MAP || node->n != 1) {
		say_token_forms(loader, node, trail, n_forms);
		return;
	}
	here.name = pair->key->text;
	for (size_t i = 0; i < n_forms; i++) {
		add_word(&known, token_forms[i].name);
		if (strcmp(here.name, token_forms[i].name) != 0)
			continue;
		if (check_kind(loader, pair->value, &here, TREE_SCALAR))
			read_token_form(loader, i, pair->value, &here, up);
		return;
	}
	/* A name that resembles none may be the token, in braces. */
	if (option_suggest(here.name, known.words, known.n) != NULL)
		say_unknown(loader, pair->key, &here, &known);
	else
		say_token_forms(loader, node, trail, n_forms);
}

static void
read_tokens(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_upstream *up)
{
	if (!check_kind(loader, node, trail, TREE_LIST))
		return;
	if (node->n == 0)
		sayf(loader, node, trail, "must not be empty");
	for (size_t i = 0; i < node->n; i++) {
		struct trail here = { .up = trail, .index = i };

		read_token(loader, node->pairs[i].value, &here, up, ARRAY_LEN(token_forms) - 1);
	}
}

/* No message repeats what may be the key itself (H-70). */
static void
add_key(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_team *team)
{
	const struct config *config = loader->config;
	char sum[KEYRING_SUM_LEN];
	size_t other;

	if (!check_kind(loader, node, trail, TREE_SCALAR))
		return;
	if (!keyring_parse(bytes_str(node->text), sum)) {
		sayf(loader, node, trail, "must be sha256: and 64 hexadecimal digits, as "
		    "reprise key new prints it");
		return;
	}
	team->n_keys++;
	if (keyring_add(config->keys, sum, (size_t)(team - config->teams), &other) != 0)
		sayf(loader, node, trail, "is a key of team \"%s\" already",
		    config->teams[other].name);
}

static void
read_keys(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_team *team)
{
	if (node->kind != TREE_LIST) {
		add_key(loader, node, trail, team);
		return;
	}
	if (node->n == 0)
		sayf(loader, node, trail, "must not be empty");
	for (size_t i = 0; i < node->n; i++) {
		struct trail here = { .up = trail, .index = i };

		add_key(loader, node->pairs[i].value, &here, team);
	}
}

static void
add_target(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_route *route)
{
	const struct config *config = loader->config;
	struct vocabulary known = { .what = "upstream" };

	if (!check_kind(loader, node, trail, TREE_SCALAR))
		return;
	for (size_t i = 0; i < config->n_upstreams; i++) {
		add_word(&known, config->upstreams[i].name);
		if (strcmp(node->text, config->upstreams[i].name) != 0)
			continue;
		route->to = xreallocarray(route->to, route->n_to + 1, sizeof(*route->to));
		route->to[route->n_to++] = i;
		return;
	}
	say_unknown(loader, node, trail, &known);
}

/* Upstreams, and how often each is the first. */
static void
read_weights(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_route *route)
{
	if (node->n == 0)
		sayf(loader, node, trail, "must not be empty");
	route->weights = xcalloc(node->n + 1, sizeof(*route->weights));
	for (size_t i = 0; i < node->n; i++) {
		const struct tree_pair *pair = &node->pairs[i];
		struct trail here = { .up = trail, .name = pair->key->text };
		uint64_t weight;

		add_target(loader, pair->key, &here, route);
		if (!check_kind(loader, pair->value, &here, TREE_SCALAR))
			continue;
		if (num_parse_u64(bytes_str(pair->value->text), &weight) != 0 ||
		    weight < 1 || weight > CONFIG_WEIGHT_MAX)
			sayf(loader, pair->value, &here, "must be a weight from 1 to %d",
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

	if (!check_kind(loader, node, trail, TREE_SCALAR))
		return;
	for (size_t i = 0; i < config->n_teams; i++) {
		add_word(&known, config->teams[i].name);
		if (strcmp(node->text, config->teams[i].name) != 0)
			continue;
		route->teams = xreallocarray(route->teams, route->n_teams + 1,
		    sizeof(*route->teams));
		route->teams[route->n_teams++] = i;
		return;
	}
	say_unknown(loader, node, trail, &known);
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
		sayf(loader, node, trail, "must not be empty");
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
		sayf(loader, fault.node, trail, "%s", fault.why);
}

/* "set" and "default". */
static void
read_members(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, struct config_route *route)
{
	if (!check_kind(loader, node, trail, TREE_MAP))
		return;
	if (node->n == 0)
		sayf(loader, node, trail, "must not be empty");
	for (size_t i = 0; i < node->n; i++) {
		struct trail here = { .up = trail, .name = node->pairs[i].key->text };

		add_edit(loader, strcmp(option->name, "set") == 0 ? CONFIG_EDIT_SET :
		    CONFIG_EDIT_DEFAULT, &node->pairs[i], &here, route);
	}
}

static void
add_stripped(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_route *route)
{
	const struct tree_pair gone = { .key = node };

	if (!check_kind(loader, node, trail, TREE_SCALAR))
		return;
	if (node->is_null)
		sayf(loader, node, trail, "has no value");
	else
		add_edit(loader, CONFIG_EDIT_STRIP, &gone, trail, route);
}

static const struct tree_pair *
find_pair(const struct tree_node *map, const char *name)
{
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->pairs[i].key->text, name) == 0)
			return &map->pairs[i];
	return NULL;
}

static void read_map(struct loader *loader, enum option_place place, const struct tree_node *node,
    const struct trail *trail, void *base);

static void
read_upstream(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_upstream *up)
{
	struct trail here = { .up = trail, .name = "tokens" };

	option_set_defaults(PLACE_UPSTREAM, up);
	read_map(loader, PLACE_UPSTREAM, node, trail, up);
	if (node->kind == TREE_MAP && find_pair(node, "token") != NULL &&
	    find_pair(node, here.name) != NULL)
		sayf(loader, find_pair(node, here.name)->value, &here, "does not go with "
		    "\"token\"; move that into the list, or leave one of them out");
}

static void
read_upstreams(struct loader *loader, const struct tree_node *node, const struct trail *trail)
{
	struct config *config = loader->config;

	if (!check_kind(loader, node, trail, TREE_MAP))
		return;
	config->upstreams = xcalloc(node->n + 1, sizeof(*config->upstreams));
	for (size_t i = 0; i < node->n; i++) {
		const struct tree_pair *pair = &node->pairs[i];
		struct config_upstream *up = &config->upstreams[config->n_upstreams++];
		struct trail here = { .up = trail, .name = pair->key->text };

		up->name = xstrdup(here.name);
		if (!config_is_name(up->name))
			sayf(loader, pair->key, &here,
			    "a name has letters, digits, '_' and '-'");
		read_upstream(loader, pair->value, &here, up);
	}
}

static void
read_team(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_team *team)
{
	option_set_defaults(PLACE_TEAM, team);
	read_map(loader, PLACE_TEAM, node, trail, team);
	if (node->kind == TREE_MAP && find_pair(node, "key") == NULL &&
	    find_pair(node, "keys") == NULL)
		sayf(loader, node, trail, "\"key\" is missing; reprise key new makes one");
}

/* That there are none must not be taken for that nobody may ask. */
static void
read_teams(struct loader *loader, const struct tree_node *node, const struct trail *trail)
{
	struct config *config = loader->config;

	if (!check_kind(loader, node, trail, TREE_MAP))
		return;
	if (node->n == 0)
		sayf(loader, node, trail, "must not be empty");
	config->teams = xcalloc(node->n + 1, sizeof(*config->teams));
	config->keys = keyring_new();
	for (size_t i = 0; i < node->n; i++) {
		const struct tree_pair *pair = &node->pairs[i];
		struct config_team *team = &config->teams[config->n_teams++];
		struct trail here = { .up = trail, .name = pair->key->text };

		team->name = xstrdup(here.name);
		if (!config_is_name(team->name))
			sayf(loader, pair->key, &here,
			    "a name has letters, digits, '_' and '-'");
		read_team(loader, pair->value, &here, team);
	}
}

static void
read_route(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_route *route)
{
	struct trail here = { .up = trail, .name = "balance" };

	option_set_defaults(PLACE_ROUTE, route);
	route->retries = CONFIG_UNSET;
	read_map(loader, PLACE_ROUTE, node, trail, route);
	if (route->weights != NULL && strcmp(route->balance, "least_busy") == 0)
		sayf(loader, find_pair(node, here.name)->value, &here, "least_busy does not go "
		    "with weights; list the upstreams in \"to\", or leave it out");
}

static void
read_routes(struct loader *loader, const struct tree_node *node, const struct trail *trail)
{
	struct config *config = loader->config;

	if (!check_kind(loader, node, trail, TREE_LIST))
		return;
	if (node->n == 0)
		sayf(loader, node, trail, "must not be empty");
	config->routes = xcalloc(node->n + 1, sizeof(*config->routes));
	for (size_t i = 0; i < node->n; i++) {
		struct config_route *route = &config->routes[config->n_routes++];
		struct trail here = { .up = trail, .index = i };

		read_route(loader, node->pairs[i].value, &here, route);
	}
}

static void
read_prices(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail)
{
	struct config *config = loader->config;

	if (!check_kind(loader, node, trail, TREE_LIST))
		return;
	config->prices = xcalloc(node->n + 1, sizeof(*config->prices));
	for (size_t i = 0; i < node->n; i++) {
		struct config_price *price = &config->prices[config->n_prices++];
		struct trail here = { .up = trail, .index = i };

		option_set_defaults(option->inside, price);
		read_map(loader, option->inside, node->pairs[i].value, &here, price);
	}
}

static void
read_option(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	switch (option->type) {
	case OPTION_UPSTREAMS:
		read_upstreams(loader, node, trail);
		break;
	case OPTION_ROUTES:
		read_routes(loader, node, trail);
		break;
	case OPTION_PRICES:
		read_prices(loader, option, node, trail);
		break;
	case OPTION_TOKEN:
		read_token(loader, node, trail, base, ARRAY_LEN(token_forms));
		break;
	case OPTION_TOKENS:
		read_tokens(loader, node, trail, base);
		break;
	case OPTION_TO:
		if (node->kind == TREE_MAP)
			read_weights(loader, node, trail, base);
		else
			read_names(loader, node, trail, base, add_target);
		break;
	case OPTION_OF_TEAM:
		read_names(loader, node, trail, base, add_team);
		break;
	case OPTION_MEMBERS:
		read_members(loader, option, node, trail, base);
		break;
	case OPTION_MEMBER_NAMES:
		read_names(loader, node, trail, base, add_stripped);
		break;
	case OPTION_KEY:
		add_key(loader, node, trail, base);
		break;
	case OPTION_KEYS:
		read_keys(loader, node, trail, base);
		break;
	case OPTION_TEAMS:
		read_teams(loader, node, trail);
		break;
	case OPTION_GROUP:
		if (node->is_null)	/* all its lines are comments */
			break;
		read_map(loader, option->inside, node, trail, base);
		break;
	case OPTION_SWITCH:
		if (node->kind == TREE_MAP)
			read_map(loader, option->inside, node, trail, base);
		else
			read_scalar(loader, option, node, trail, base);
		break;
	default:
		if (option_is_list(option))
			read_list(loader, option, node, trail, base);
		else
			read_scalar(loader, option, node, trail, base);
	}
}

static void
say_unknown_option(struct loader *loader, enum option_place place, const struct tree_node *key,
    const struct trail *trail)
{
	struct vocabulary known = { .what = "option" };
	const struct option *o = NULL;

	if (strchr(key->text, ':') != NULL) {
		sayf(loader, key, trail, "a space must follow the \":\"");
		return;
	}
	while ((o = option_next(place, o)) != NULL)
		add_word(&known, o->name);
	say_unknown(loader, key, trail, &known);
}

/* In the order of the table, so that routes come after the upstreams and teams they name. */
static void
read_map(struct loader *loader, enum option_place place, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	const struct option *o = NULL;

	if (!check_kind(loader, node, trail, TREE_MAP))
		return;
	for (size_t i = 0; i < node->n; i++) {
		struct trail here = { .up = trail, .name = node->pairs[i].key->text };

		if (option_find(place, here.name) == NULL)
			say_unknown_option(loader, place, node->pairs[i].key, &here);
	}
	while ((o = option_next(place, o)) != NULL) {
		const struct tree_pair *pair = find_pair(node, o->name);
		struct trail here = { .up = trail, .name = o->name };

		if (pair != NULL)
			read_option(loader, o, pair->value, &here, base);
		else if (o->is_needed)
			sayf(loader, node, trail, "\"%s\" is missing", o->name);
	}
}

/* A key of a team is for us, and would go upstream as the client's own (H-74). */
static void
check_tokens(struct loader *loader, const struct tree_node *root)
{
	const struct config *config = loader->config;
	const struct tree_node *ups = find_pair(root, "upstreams")->value;
	struct trail top = { .name = "upstreams" };

	for (size_t i = 0; i < config->n_upstreams; i++) {
		struct trail up = { .up = &top, .name = config->upstreams[i].name };
		struct trail token = { .up = &up, .name = "token" };

		if (config->upstreams[i].token_client)
			sayf(loader, find_pair(ups->pairs[i].value, "token")->value, &token,
			    "{client: true} does not go with teams: their keys would go upstream");
	}
}

/* What no single option can say. */
static void
check_whole(struct loader *loader, const struct tree_node *root)
{
	const struct config *config = loader->config;

	if (config->n_upstreams == 0)
		sayf(loader, root, NULL, "upstreams: there must be one");
	if (config->n_upstreams > 1 && config->n_routes == 0)
		sayf(loader, root, NULL,
		    "routes: with several upstreams, say which request goes where");
	if (config->n_teams > 0 && config->n_upstreams > 0)
		check_tokens(loader, root);
}

static void
read_root(struct loader *loader, const struct tree_node *root)
{
	read_map(loader, PLACE_TOP, root, NULL, loader->config);
	if (loader->n_wrong == 0)
		check_whole(loader, root);
}

int
load_text(struct bytes text, const char *file, config_complain_fn *complain, void *arg,
    struct config *config)
{
	static const struct tree_node nothing = { .kind = TREE_MAP, .line = 1, .column = 1 };
	struct loader loader = {
		.file = file, .complain = complain, .arg = arg, .config = config,
	};
	struct tree_error error;
	struct tree_node at;
	struct tree *tree;

	if (tree_read(text, &tree, &error) != 0) {
		at = (struct tree_node){ .line = error.line, .column = error.column };
		sayf(&loader, &at, NULL, "%s", error.what);
		return CONFIG_E_WRONG;
	}
	read_root(&loader, tree_root(tree) != NULL ? tree_root(tree) : &nothing);
	tree_free(tree);
	return loader.n_wrong == 0 ? 0 : CONFIG_E_WRONG;
}
