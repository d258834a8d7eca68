/* SPDX-License-Identifier: MIT */
/*
 * config.h - the configuration, whole and immutable once loaded.  Every option
 * is a row of option_tbl.h.  Counted, so that requests under way keep the one
 * they started with.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/money.h"
#include "base/rate.h"
#include "config/edits.h"
#include "config/log.h"
#include "config/peers.h"
#include "config/secret.h"

#define CONFIG_UNSET		UINT_MAX
#define CONFIG_IGNORE_MAX	32	/* JSON pointers in one list */
#define CONFIG_WEIGHT_MAX	1000	/* of an upstream on a route */

struct config_tls;
struct keyring;

struct config_cache {
	char		*path;
	uint64_t	 size;
	usec_t		 ttl;
	uint64_t	 max_entry;	/* bytes of an answer that is still stored */
	char		*durability;	/* relaxed, strict */
	char		*mode;		/* normal, replay, record */
	bool		 store_requests;
	struct rate	 refresh_rate;	/* of all that is refreshed ahead */
};

struct config_timeouts {
	usec_t	connect;
	usec_t	first_byte;		/* until the answer's head */
	usec_t	idle;			/* between two reads of the answer */
	usec_t	total;			/* 0: none */
};

/* A GET of ours, again and again. */
struct config_probe {
	char	*path;			/* NULL: none */
	usec_t	 every;
};

/* Which models there are: told by the configuration, or by the upstream. */
struct config_revision {
	char			*text;	/* NULL: not told */
	struct config_probe	 probe;
};

struct config_upstream {
	char			*name;
	char			*url;		/* http://, https:// or unix:/path */
	struct secret		**tokens;	/* each as good as the others */
	size_t			 n_tokens;
	bool			 token_client;	/* token: {client: true} */
	char			*token_header;	/* NULL: the API's own */
	char			*compute;	/* x-compute-type of answers that name none */
	char			*ca_file;	/* or NULL */
	bool			 include_usage;
	struct config_revision	 revision;	/* of its models */
	struct config_probe	 health;
	struct config_timeouts	 timeouts;
};

struct config_route_cache {
	bool		 is_used;	/* false: never look, never store */
	usec_t		 ttl;
	bool		 has_ttl;	/* of its own, not the cache's */
	char		*store;		/* always, deterministic, never; NULL: always */
	char		**ignore;	/* JSON pointers, NULL-terminated; or NULL */
	unsigned	 variants;	/* answers kept to one question */
	uint64_t	 max_entry;
	char		*finish_abandoned; /* whole, all, none */
	usec_t		 stale_while_revalidate;
	usec_t		 stale_if_error;
	bool		 refresh_ahead;
	bool		 fresh_ids;
	struct rate	 replay_pace;	/* events of a stream; n is 0: all at once */
	char		*usage_on_hit;	/* stored, zero */
};

struct config_route {
	char		**models;	/* globs, NULL-terminated */
	char		*path;		/* glob, or NULL */
	char		*dialect;	/* name, or NULL */
	size_t		*teams;		/* indices into teams: only their requests; or NULL */
	size_t		 n_teams;
	size_t		*to;		/* indices into upstreams, in order */
	size_t		 n_to;
	unsigned	*weights;	/* of each, over 0; NULL: none */
	char		*balance;	/* order, least_busy */
	char		*rewrite_model;	/* or NULL */
	struct config_edits edits;	/* of bodies */
	struct config_revision revision; /* of the model; else as its upstream says */
	usec_t		 wait_for_model; /* 0: only for who asks to */
	unsigned	 retries;	/* unless set, one at each of its other upstreams */
	usec_t		 deadline;	/* 0: none */
	unsigned	 concurrency;	/* calls at once; 0: no bound */
	unsigned	 queue;		/* how many wait for one of them */
	usec_t		 queue_timeout;
	char		*log_bodies;	/* directory for questions and answers, or NULL */
	struct config_route_cache cache;
};

/* Who may ask, and of what. */
struct config_team {
	char		*name;
	size_t		 n_keys;	/* in the keyring */
	usec_t		 expires;	/* of the wall clock; 0: never */
	char		**models;	/* globs, NULL-terminated; NULL: all */
	char		**deny;		/* likewise; NULL: none */
	char		*namespace;	/* shared, team: whose part of the cache */
	bool		 controls;	/* may requests steer the cache? */
	struct rate	 rate;		/* of requests that go upstream; n is 0: no bound */
	bool		 count_hits;	/* of all requests */
	struct rate	 tokens;
	unsigned	 concurrency;	/* calls at once; 0: no bound */
	struct budget	 budget;
};

/* What a token costs, in picodollars. */
struct config_price {
	char		**models;	/* globs, NULL-terminated */
	uint64_t	 input;
	uint64_t	 output;
};

struct config {
	struct config_peers peers;
	char		*admin;		/* an address; NULL: none */
	unsigned	 workers;
	uint64_t	 max_body;
	uint64_t	 memory_limit;	/* 0: none */
	usec_t		 drain_timeout;
	char		*ca_file;	/* or NULL: the system's */
	struct config_tls	*tls;	/* the first is for who asks for no name */
	size_t		 n_tls;
	struct config_log	 log;
	struct config_cache	 cache;
	struct config_upstream	*upstreams;
	size_t		 n_upstreams;
	struct config_route	*routes;
	size_t		 n_routes;
	struct config_team	*teams;	/* NULL: whoever reaches us may ask */
	size_t		 n_teams;
	const struct config_team **teams_by_name;
	struct config_price *prices;	/* the first that fits counts */
	size_t		 n_prices;
	struct keyring	*keys;		/* of all teams, by index; NULL with them */
	bool		 is_aside;	/* not to serve with: some credentials may be missing */
	unsigned	 n_unread;	/* so many are */
	_Atomic unsigned refs;
};

/* One thing wrong: "FILE:LINE:COL: path: what, did you mean ...". */
typedef void config_complain_fn(void *arg, const char *line);

/*
 * Load FILE, or the built-in defaults when it is NULL (listen on
 * 127.0.0.1:8080, cache in $XDG_CACHE_HOME/reprise or ~/.cache/reprise, upstream
 * the Hugging Face router with HF_TOKEN if set).  COMPLAIN hears of everything
 * wrong, not only the first.  Returns 0, CONFIG_E_WRONG, or a negative error
 * when FILE cannot be read (COMPLAIN has heard of that too).
 */
enum {
	CONFIG_E_WRONG = 1,
};
int	config_load(const char *file, config_complain_fn *complain, void *arg,
	    struct config **ret_config) MUST_USE;

/*
 * The same for who only looks, beside the service: credentials are given to the
 * service alone, and are passed over where there are none to see.
 */
int	config_load_aside(const char *file, config_complain_fn *complain, void *arg,
	    struct config **ret_config) MUST_USE;

/*
 * CONFIG is to take the place of OLD: give it of OLD what cannot change without a
 * restart, and TELL of each such option that differs, and of each token that
 * has changed, in words for the log.  To be called while CONFIG is the caller's alone.
 */
void	config_renew(struct config *config, const struct config *old,
	    config_complain_fn *tell, void *arg);

/* The one of that name, or NULL. */
const struct config_upstream	*config_upstream_find(const struct config *config,
				    const char *name);

/* Have both the same tokens, in the same places? */
bool	config_has_same_tokens(const struct config_upstream *a, const struct config_upstream *b);

struct config	*config_ref(struct config *config);
struct config	*config_unref(struct config *config);	/* returns NULL */

/* $REPRISE_CONFIG, else /etc/reprise/reprise.yaml if it exists, else NULL. */
const char	*config_default_file(void);

/* May an upstream or a team be called TEXT? */
bool	config_is_name(const char *text);

/* The first route that takes such a request of TEAM, which may be NULL; or NULL. */
const struct config_route	*config_route_find(const struct config *config,
				    const struct config_team *team, struct bytes model,
				    struct bytes path, const char *dialect);

/* Does ROUTE take requests of TEAM? */
bool	config_route_takes_team(const struct config *config, const struct config_route *route,
	    const struct config_team *team);

/* Do the GLOBS, NULL-terminated, take MODEL?  That a request names none only "*" does. */
bool	config_takes_model(char *const *globs, struct bytes model);

/* Whose key has this SHA-256?  Its team, expired or not; NULL if it is nobody's. */
const struct config_team	*config_team_find(const struct config *config, const char *sum);

/* The team that is called NAME, or NULL. */
const struct config_team	*config_team_named(const struct config *config, struct bytes name);

/* May TEAM ask of MODEL, which may be empty: none was named? */
bool	config_team_may_use(const struct config_team *team, struct bytes model);

/* Is ADDRESS, as in "listen", one that this machine alone can reach? */
bool	config_is_local(const char *address);

/* May whoever reaches us at ADDRESS, from elsewhere, ask? */
bool	config_is_open(const struct config *config, const char *address);

/* What MODEL costs; NULL: nobody knows. */
const struct config_price	*config_price_find(const struct config *config,
				    struct bytes model);

/* How long after its time to live an answer may still be given, on any route. */
usec_t	config_grace(const struct config *config);

#endif
