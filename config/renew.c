/* SPDX-License-Identifier: MIT */
/*
 * renew.c - one configuration in the place of another, in a process that goes on.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "config/option.h"

#define LINE_SIZE	256

struct telling {
	config_complain_fn	*tell;
	void			*arg;
};

static bool
take_count(unsigned *value, const unsigned *old)
{
	bool differs = *value != *old;

	*value = *old;
	return differs;
}

static bool
take_size(uint64_t *value, const uint64_t *old)
{
	bool differs = *value != *old;

	*value = *old;
	return differs;
}

static bool
take_text(char **value, char *const *old)
{
	if (strcmp(*value, *old) == 0)
		return false;
	xfree(*value);
	*value = xstrdup(*old);
	return true;
}

/* Make OPTION of BASE that of OLD; did it differ? */
static bool
take(const struct option *option, void *base, const void *old)
{
	void *value = (char *)base + option->offset;
	const void *from = (const char *)old + option->offset;

	switch (option->type) {
	case OPTION_COUNT:
		return take_count(value, from);
	case OPTION_SIZE:
		return take_size(value, from);
	case OPTION_TEXT:
	case OPTION_CHOICE:
		return take_text(value, from);
	default:
		unreachable("no option of this type takes a restart");
	}
}

static void
take_fixed(enum option_place place, const char *prefix, struct config *config,
    const struct config *old, const struct telling *telling)
{
	const struct option *o = NULL;
	char line[LINE_SIZE];

	while ((o = option_next(place, o)) != NULL) {
		if (!o->is_fixed || !take(o, config, old))
			continue;
		snprintf(line, sizeof(line), "%s%s has changed, which takes a restart", prefix,
		    o->name);
		telling->tell(telling->arg, line);
	}
}

bool
config_has_same_tokens(const struct config_upstream *a, const struct config_upstream *b)
{
	if (a->n_tokens != b->n_tokens)
		return false;
	for (size_t i = 0; i < a->n_tokens; i++)
		if (!bytes_eq(secret_reveal(a->tokens[i]), secret_reveal(b->tokens[i])))
			return false;
	return true;
}

const struct config_upstream *
config_upstream_find(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_upstreams; i++)
		if (strcmp(config->upstreams[i].name, name) == 0)
			return &config->upstreams[i];
	return NULL;
}

/* So that whoever renewed a token sees that it was taken (H-72). */
static void
tell_tokens(const struct config *config, const struct config *old, const struct telling *telling)
{
	char line[LINE_SIZE];

	for (size_t i = 0; i < config->n_upstreams; i++) {
		const struct config_upstream *up = &config->upstreams[i];
		const struct config_upstream *was = config_upstream_find(old, up->name);

		if (was == NULL || config_has_same_tokens(up, was))
			continue;
		snprintf(line, sizeof(line), "upstreams.%.64s.%s", up->name,
		    up->n_tokens > 1 ? "tokens are others" : "token is another one");
		telling->tell(telling->arg, line);
	}
}

void
config_renew(struct config *config, const struct config *old, config_complain_fn *tell, void *arg)
{
	const struct telling telling = { tell, arg };

	take_fixed(PLACE_TOP, "", config, old, &telling);
	take_fixed(PLACE_CACHE, "cache.", config, old, &telling);
	tell_tokens(config, old, &telling);
}
