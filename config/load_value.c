/* SPDX-License-Identifier: MIT */
/*
 * load_value.c - values: one, a list, tokens, keys.  No message repeats what may be a
 * secret (H-70).
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/keyring.h"
#include "config/load.h"
#include "config/load_priv.h"

/* A value, or one more of a list. */
void
load_scalar(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	struct buf why;
	bool is_added;
	int r;

	if (!load_check_kind(loader, node, trail, TREE_SCALAR))
		return;
	if (node->is_null) {
		load_sayf(loader, node, trail, "has no value");
		return;
	}
	buf_init(&why, LOAD_LINE_MAX);
	is_added = option_is_list(option) || (option->type == OPTION_ACCESS && trail->name == NULL);
	r = is_added ? option_add(option, node->text, base, &why) :
	    option_set(option, node->text, base, &why);
	if (r != 0)
		load_say(loader, node, trail, buf_bytes(&why));
	buf_done(&why);
}

/* One value or a list of them; the default goes when something is said. */
void
load_list(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	char ***list = (char ***)(void *)((char *)base + option->offset);

	for (size_t i = 0; *list != NULL && (*list)[i] != NULL; i++)
		xfree((*list)[i]);
	*list = xfree(*list);
	if (node->kind != TREE_LIST) {
		load_scalar(loader, option, node, trail, base);
		return;
	}
	if (node->n == 0)
		load_sayf(loader, node, trail, "must not be empty");
	if (option->type == OPTION_POINTERS && node->n > CONFIG_IGNORE_MAX)
		load_sayf(loader, node, trail, "must be at most %d", CONFIG_IGNORE_MAX);
	for (size_t i = 0; i < node->n; i++) {
		struct trail here = { .up = trail, .index = i };

		load_scalar(loader, option, node->pairs[i].value, &here, base);
	}
}

/* A value, or a list of what is in the set. */
void
load_set(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	if (node->kind != TREE_LIST) {
		load_scalar(loader, option, node, trail, base);
		return;
	}
	if (node->n == 0)
		load_sayf(loader, node, trail, "must not be empty");
	*(uint64_t *)(void *)((char *)base + option->offset) = 0;
	for (size_t i = 0; i < node->n; i++) {
		struct trail here = { .up = trail, .index = i };

		load_scalar(loader, option, node->pairs[i].value, &here, base);
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
load_add_token(struct config_upstream *up, struct secret *token)
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
			load_sayf(loader, node, trail, "must be true");
		up->token_client = true;
		return;
	}
	r = token_forms[form].read(node->text, &token);
	if (r == 0) {
		load_add_token(up, token);
		return;
	}
	/* systemd hides them from what ExecReload= starts, but still says where they were. */
	if ((r == SECRET_E_UNSET || r == -EACCES) && loader->config->is_aside &&
	    token_forms[form].read == secret_from_credential) {
		loader->config->n_unread++;
		return;
	}
	if (token_forms[form].read == secret_from_env && looks_like_variable(node->text))
		what = node->text;
	load_sayf(loader, node, trail, r < 0 ? "%s: %s" : "%s %s", what, why_no_secret(r));
}

#define SECRET_FORMS	"must be one of {env: NAME}, {file: PATH}, {credential: NAME}, " \
			"{value: TEXT}"

/* Of those that may stand there: the first of the table, or all. */
static void
say_token_forms(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    size_t n_forms)
{
	load_say(loader, node, trail, n_forms < ARRAY_LEN(token_forms) ? BYTES_LIT(SECRET_FORMS) :
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
		load_add_word(&known, token_forms[i].name);
		if (strcmp(here.name, token_forms[i].name) != 0)
			continue;
		if (load_check_kind(loader, pair->value, &here, TREE_SCALAR))
			read_token_form(loader, i, pair->value, &here, up);
		return;
	}
	/* A name that resembles none may be the token, in braces. */
	if (option_suggest(here.name, known.words, known.n) != NULL)
		load_say_unknown(loader, pair->key, &here, &known);
	else
		say_token_forms(loader, node, trail, n_forms);
}

static void
read_tokens(struct loader *loader, const struct tree_node *node, const struct trail *trail,
    struct config_upstream *up)
{
	if (!load_check_kind(loader, node, trail, TREE_LIST))
		return;
	if (node->n == 0)
		load_sayf(loader, node, trail, "must not be empty");
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

	if (!load_check_kind(loader, node, trail, TREE_SCALAR))
		return;
	if (!keyring_parse(bytes_str(node->text), sum)) {
		load_sayf(loader, node, trail, "must be sha256: and 64 hexadecimal digits, as "
		    "reprise key new prints it");
		return;
	}
	team->n_keys++;
	if (keyring_add(config->keys, sum, (size_t)(team - config->teams), &other) != 0)
		load_sayf(loader, node, trail, "is a key of team \"%s\" already",
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
		load_sayf(loader, node, trail, "must not be empty");
	for (size_t i = 0; i < node->n; i++) {
		struct trail here = { .up = trail, .index = i };

		add_key(loader, node->pairs[i].value, &here, team);
	}
}

void
load_token(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	(void)option;
	read_token(loader, node, trail, base, ARRAY_LEN(token_forms));
}

void
load_tokens(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	(void)option;
	read_tokens(loader, node, trail, base);
}

void
load_key(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	(void)option;
	add_key(loader, node, trail, base);
}

void
load_keys(struct loader *loader, const struct option *option, const struct tree_node *node,
    const struct trail *trail, void *base)
{
	(void)option;
	read_keys(loader, node, trail, base);
}
