/* SPDX-License-Identifier: MIT */
/*
 * option.h - the table of options, and how each type is read from text.
 */
#ifndef CONFIG_OPTION_H
#define CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum option_place {
	PLACE_TOP,
	PLACE_LISTEN,
	PLACE_TLS,
	PLACE_LOG,
	PLACE_CACHE,
	PLACE_UPSTREAM,
	PLACE_TIMEOUTS,
	PLACE_TEAM,
	PLACE_ROUTE,
	PLACE_ROUTE_CACHE,
	PLACE_PRICE,
	PLACE_REVISION,
};

enum option_type {
	OPTION_BOOL,
	OPTION_COUNT,		/* unsigned */
	OPTION_SIZE,		/* uint64_t, bytes */
	OPTION_DURATION,	/* usec_t */
	OPTION_RATE,		/* struct rate */
	OPTION_BUDGET,		/* struct budget */
	OPTION_PRICE,		/* uint64_t, picodollars a token */
	OPTION_DATE,		/* usec_t: when it is over */
	OPTION_ACCESS,		/* uint64_t: a bool, or a set of its choices */
	OPTION_FILE_MODE,	/* unsigned, written in octal */
	OPTION_TEXT,		/* char *, as all that follow */
	OPTION_CHOICE,
	OPTION_URL,
	OPTION_FIELD_NAME,
	OPTION_FIELD_VALUE,
	OPTION_MODEL,
	OPTION_PATH,
	OPTION_REVISION,	/* struct config_revision, which begins with one; or a map */
	OPTION_HEALTH,		/* struct config_probe, which begins with one */
	OPTION_ADDRESS,
	OPTION_FILE_GROUP,
	OPTION_NETS,		/* char **, NULL-terminated: one or a list */
	OPTION_GLOBS,
	OPTION_POINTERS,
	OPTION_LISTEN,		/* the rest is read by load_place.c and load_value.c */
	OPTION_TOKEN,
	OPTION_TOKENS,
	OPTION_KEY,
	OPTION_KEYS,
	OPTION_TO,
	OPTION_OF_TEAM,
	OPTION_MEMBERS,		/* names of a body's members, and what they are to be */
	OPTION_MEMBER_NAMES,
	OPTION_GROUP,
	OPTION_SWITCH,		/* a bool, or true and a group */
	OPTION_TLS,		/* a group, or a list of such */
	OPTION_UPSTREAMS,
	OPTION_TEAMS,
	OPTION_ROUTES,
	OPTION_PRICES,
};

struct option {
	enum option_place	 place;
	const char		*name;
	enum option_type	 type;
	size_t			 offset;	/* in the struct of its place */
	enum option_place	 inside;	/* of a group: the place of its members */
	const char		*def;		/* NULL: none, or made by defaults.c */
	const char		*min, *max;
	const char		*choices;	/* words with a space between */
	bool			 is_needed;
	bool			 is_fixed;	/* takes a restart */
	const char		*text;
};

#define OPTION_FIELD(type, member)	.offset = offsetof(type, member)

enum {
	OPTION_E_WRONG = 1,
};

/* The options of PLACE, one after another: the first for NULL; NULL after the last. */
const struct option	*option_next(enum option_place place, const struct option *previous);

/* The option NAME of PLACE, or NULL. */
const struct option	*option_find(enum option_place place, const char *name);

/* Is its value a single text? */
bool	option_is_scalar(const struct option *option);
bool	option_is_list(const struct option *option);

/*
 * Read TEXT into OPTION's field in BASE.  0, or OPTION_E_WRONG with what is
 * wrong in WHY.
 */
int	option_set(const struct option *option, const char *text, void *base, struct buf *why)
	    MUST_USE;

/* The same, adding one more to a list or a set. */
int	option_add(const struct option *option, const char *text, void *base, struct buf *why)
	    MUST_USE;

/* Set what has a default and is a scalar or a list, groups included; free what was allocated. */
void	option_set_defaults(enum option_place place, void *base);
void	option_free_all(enum option_place place, void *base);

/* Of N words the one nearest to WORD, if one is near enough to be meant; else NULL. */
const char	*option_suggest(const char *word, const char *const *words, size_t n);

/* The words of CHOICES one by one: *REST moves on; false after the last. */
bool	option_next_choice(const char **rest, char *ret_word, size_t size);

#endif
