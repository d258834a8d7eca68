/* SPDX-License-Identifier: MIT */
/*
 * load_priv.h - what the files that load a configuration share: load.c (maps, and what is
 * said of mistakes), load_value.c (values), load_place.c (addresses, upstreams and so on).
 * For them alone.
 */
#ifndef CONFIG_LOAD_PRIV_H
#define CONFIG_LOAD_PRIV_H

#include "config/config.h"
#include "config/option.h"
#include "config/tree.h"

#define LOAD_LINE_MAX	1024
#define LOAD_WORDS_MAX	256

/* Where we are: "routes[2].cache.ttl", from the end. */
struct trail {
	const struct trail	*up;
	const char		*name;		/* NULL: a member of a list */
	size_t			 index;
};

/* What a name may be. */
struct vocabulary {
	const char	*what;			/* "option", "upstream" */
	const char	*words[LOAD_WORDS_MAX];
	size_t		 n;
};

struct loader {
	const char		*file;
	config_complain_fn	*complain;
	void			*arg;
	struct config		*config;
	unsigned		 n_wrong;
};

/* Something is wrong with NODE, where TRAIL leads. */
void	load_say(struct loader *loader, const struct tree_node *node, const struct trail *trail,
	    struct bytes what);
void	load_sayf(struct loader *loader, const struct tree_node *node, const struct trail *trail,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* "FILE:LINE:COL: path", for who finds out later what is wrong there; to be freed. */
char	*load_spell(struct loader *loader, const struct tree_node *node,
	    const struct trail *trail);

/* NODE is a name that is none of those KNOWN. */
void	load_add_word(struct vocabulary *known, const char *word);
void	load_say_unknown(struct loader *loader, const struct tree_node *node,
	    const struct trail *trail, const struct vocabulary *known);

/* Is NODE of KIND?  If not, it is said. */
bool	load_check_kind(struct loader *loader, const struct tree_node *node,
	    const struct trail *trail, enum tree_kind kind);

/* What stands at NAME in MAP, or NULL. */
const struct tree_pair	*load_find_pair(const struct tree_node *map, const char *name);

/* The options of PLACE from the map NODE into BASE, the struct of the place. */
void	load_map(struct loader *loader, enum option_place place, const struct tree_node *node,
	    const struct trail *trail, void *base);

/* The value NODE of OPTION into BASE, the struct of its place; by types of options. */
typedef void load_fn(struct loader *loader, const struct option *option,
	    const struct tree_node *node, const struct trail *trail, void *base);
extern load_fn load_scalar, load_listen, load_list, load_set, load_token, load_tokens, load_key,
    load_keys, load_targets, load_of_team, load_members, load_stripped, load_tls,
    load_upstreams, load_teams, load_routes, load_prices;

#endif
