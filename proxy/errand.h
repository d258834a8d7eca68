/* SPDX-License-Identifier: MIT */
/*
 * errand.h - a GET of ours to an upstream, that no client asked for.  Owned by whoever
 * sends it, whose task is woken when it is over, and who may free it at any time.
 */
#ifndef PROXY_ERRAND_H
#define PROXY_ERRAND_H

#include <stdbool.h>

#include "base/bytes.h"
#include "proxy/net/loop.h"

#define ERRAND_BODY_MAX	((size_t)4 << 20)

struct config;
struct config_upstream;
struct errand;
struct multi;

struct errand_options {
	const struct config		*config;	/* borrowed until it has started */
	const struct config_upstream	*upstream;
	size_t				 token;		/* which of its, if it has any */
	const char			*path;
	usec_t				 time;		/* for all of it; the upstream's if less */
};

/* MULTI and OWNER are borrowed and outlive it. */
struct errand	*errand_start(struct multi *multi, const struct errand_options *options,
		    struct loop_task *owner);
struct errand	*errand_free(struct errand *errand);	/* cancels */

bool	errand_is_over(const struct errand *errand);

/* Once it is over: the status, or 0 where there is no whole answer; and its body. */
int		errand_status(const struct errand *errand);
struct bytes	errand_body(const struct errand *errand);

/* Was there nobody, not so much as a connection? */
bool	errand_met_nobody(const struct errand *errand);

#endif
