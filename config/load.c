/* SPDX-License-Identifier: MIT */
/*
 * load.c - the tree of a YAML text, walked beside the table of options.  It
 * goes on after a mistake, so that all are heard of at once.
 */
#include "config/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/load_priv.h"

#define NAME_SHOWN_MAX	40

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
void
load_say(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct bytes what)
{
	char line[LOAD_LINE_MAX];
	struct buf path;

	loader->n_wrong++;
	buf_init(&path, LOAD_LINE_MAX);
	if (add_trail(&path, trail) < 0 || buf_add_str(&path, ": ") < 0)
		buf_done(&path);
	snprintf(line, sizeof(line), "%s:%u:%u: %.*s%.*s", loader->file, node->line, node->column,
	    trail != NULL ? (int)buf_len(&path) : 0, buf_bytes(&path).ptr, BYTES_ARG(what));
	blank_controls(line);
	loader->complain(loader->arg, line);
	buf_done(&path);
}

char *
load_spell(struct loader *loader, const struct tree_node *node, const struct trail *trail)
{
	char line[LOAD_LINE_MAX];
	struct buf path;

	buf_init(&path, LOAD_LINE_MAX);
	if (add_trail(&path, trail) < 0)
		buf_done(&path);
	snprintf(line, sizeof(line), "%s:%u:%u: %.*s", loader->file, node->line, node->column,
	    (int)buf_len(&path), buf_bytes(&path).ptr);
	buf_done(&path);
	return xstrdup(line);
}

void
load_sayf(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    const char *fmt, ...)
{
	char what[LOAD_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	load_say(loader, node, trail, bytes_str(what));
}

void
load_add_word(struct vocabulary *known, const char *word)
{
	if (known->n < LOAD_WORDS_MAX)
		known->words[known->n++] = word;
}

void
load_say_unknown(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    const struct vocabulary *known)
{
	const char *meant = option_suggest(node->text, known->words, known->n);

	if (meant != NULL)
		load_sayf(loader, node, trail, "unknown %s, did you mean \"%s\"?", known->what,
		    meant);
	else
		load_sayf(loader, node, trail, "unknown %s", known->what);
}

bool
load_check_kind(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    enum tree_kind kind)
{
	static const char *const words[] = {
		[TREE_SCALAR] = "a single value", [TREE_LIST] = "a list",
		[TREE_MAP] = "a map of names to values",
	};

	if (node->kind == kind)
		return true;
	load_sayf(loader, node, trail, "must be %s", words[kind]);
	return false;
}

const struct tree_pair *
load_find_pair(const struct tree_node *map, const char *name)
{
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->pairs[i].key->text, name) == 0)
			return &map->pairs[i];
	return NULL;
}

static void
read_group(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	if (!node->is_null)	/* else all its lines are comments */
		load_map(loader, option->inside, node, trail, base);
}

static void
read_switch(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	if (node->kind == TREE_MAP)
		load_map(loader, option->inside, node, trail, base);
	else
		load_scalar(loader, option, node, trail, base);
}

/* In words, or how to ask for it; OPTION's field begins with either. */
static void
read_revision(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	if (node->kind == TREE_MAP)
		load_map(loader, option->inside, node, trail, (char *)base + option->offset);
	else
		load_scalar(loader, option, node, trail, base);
}

/* By types; NULL: a single value, or a list of them. */
static load_fn *const readers[] = {
	[OPTION_ACCESS] = load_set,
	[OPTION_LISTEN] = load_listen,
	[OPTION_TOKEN] = load_token,
	[OPTION_TOKENS] = load_tokens,
	[OPTION_KEY] = load_key,
	[OPTION_KEYS] = load_keys,
	[OPTION_TO] = load_targets,
	[OPTION_OF_TEAM] = load_of_team,
	[OPTION_MEMBERS] = load_members,
	[OPTION_MEMBER_NAMES] = load_stripped,
	[OPTION_GROUP] = read_group,
	[OPTION_SWITCH] = read_switch,
	[OPTION_REVISION] = read_revision,
	[OPTION_TLS] = load_tls,
	[OPTION_UPSTREAMS] = load_upstreams,
	[OPTION_TEAMS] = load_teams,
	[OPTION_ROUTES] = load_routes,
	[OPTION_PRICES] = load_prices,
};

static void
read_option(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	load_fn *read = option->type < ARRAY_LEN(readers) ? readers[option->type] : NULL;

	if (read == NULL)
		read = option_is_list(option) ? load_list : load_scalar;
	read(loader, option, node, trail, base);
}

static void
say_unknown_option(struct loader *loader, enum option_place place, const struct tree_node *key,
    const struct trail *trail)
{
	struct vocabulary known = { .what = "option" };
	const struct option *o = NULL;

	if (strchr(key->text, ':') != NULL) {
		load_sayf(loader, key, trail, "a space must follow the \":\"");
		return;
	}
	while ((o = option_next(place, o)) != NULL)
		load_add_word(&known, o->name);
	load_say_unknown(loader, key, trail, &known);
}

/* In the order of the table, so that routes come after the upstreams and teams they name. */
void
load_map(struct loader *loader, enum option_place place, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	const struct option *o = NULL;

	if (!load_check_kind(loader, node, trail, TREE_MAP))
		return;
	for (size_t i = 0; i < node->n; i++) {
		struct trail here = { .up = trail, .name = node->pairs[i].key->text };

		if (option_find(place, here.name) == NULL)
			say_unknown_option(loader, place, node->pairs[i].key, &here);
	}
	while ((o = option_next(place, o)) != NULL) {
		const struct tree_pair *pair = load_find_pair(node, o->name);
		struct trail here = { .up = trail, .name = o->name };

		if (pair != NULL)
			read_option(loader, o, pair->value, &here, base);
		else if (o->is_needed)
			load_sayf(loader, node, trail, "\"%s\" is missing", o->name);
	}
}

/* A key of a team is for us, and would go upstream as the client's own (H-74). */
static void
check_tokens(struct loader *loader, const struct tree_node *root)
{
	const struct config *config = loader->config;
	const struct tree_node *ups = load_find_pair(root, "upstreams")->value;
	struct trail top = { .name = "upstreams" };

	for (size_t i = 0; i < config->n_upstreams; i++) {
		struct trail up = { .up = &top, .name = config->upstreams[i].name };
		struct trail token = { .up = &up, .name = "token" };

		if (config->upstreams[i].token_client)
			load_sayf(loader, load_find_pair(ups->pairs[i].value, "token")->value,
			    &token, "{client: true} does not go with teams: their keys would go "
			    "upstream");
	}
}

/* Where nothing goes upstream, nobody can be asked what it has. */
static void
check_probes(struct loader *loader, const struct tree_node *root)
{
	const struct config *config = loader->config;
	bool has_any = false;

	for (size_t i = 0; i < config->n_upstreams; i++)
		has_any |= config->upstreams[i].revision.probe.path != NULL;
	for (size_t i = 0; i < config->n_routes; i++)
		has_any |= config->routes[i].revision.probe.path != NULL;
	if (has_any && strcmp(config->cache.mode, "replay") == 0)
		load_sayf(loader, root, NULL, "cache.mode: replay asks no upstream for its "
		    "revision; in place of {probe: ...} write the text that was logged as it");
}

/* A request that can never have what it takes would be told to come again for ever. */
static void
check_memory(struct loader *loader, const struct tree_node *root)
{
	const struct config *config = loader->config;
	struct trail here = { .name = "memory_limit" };

	if (config->memory_limit != 0 &&
	    config->memory_limit / CONFIG_MEMORY_PER_BODY < config->max_body)
		load_sayf(loader, load_find_pair(root, here.name)->value, &here,
		    "must be at least %d times max_body, which one request may take; or 0B: no "
		    "bound", CONFIG_MEMORY_PER_BODY);
}

/* What no single option can say. */
static void
check_whole(struct loader *loader, const struct tree_node *root)
{
	const struct config *config = loader->config;

	if (config->n_upstreams == 0)
		load_sayf(loader, root, NULL, "upstreams: there must be one");
	if (config->n_upstreams > 1 && config->n_routes == 0)
		load_sayf(loader, root, NULL,
		    "routes: with several upstreams, say which request goes where");
	if (config->n_teams > 0 && config->n_upstreams > 0)
		check_tokens(loader, root);
	check_probes(loader, root);
	check_memory(loader, root);
}

static void
read_root(struct loader *loader, const struct tree_node *root)
{
	load_map(loader, PLACE_TOP, root, NULL, loader->config);
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
		load_sayf(&loader, &at, NULL, "%s", error.what);
		return CONFIG_E_WRONG;
	}
	read_root(&loader, tree_root(tree) != NULL ? tree_root(tree) : &nothing);
	tree_free(tree);
	return loader.n_wrong == 0 ? 0 : CONFIG_E_WRONG;
}
