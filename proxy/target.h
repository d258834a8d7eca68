/* SPDX-License-Identifier: MIT */
/*
 * target.h - where an upstream is reached, and what it is shown: the one place from
 * which a token goes out, and only together with its own upstream's address (H-29b).
 */
#ifndef PROXY_TARGET_H
#define PROXY_TARGET_H

#include "base/arena.h"
#include "base/err.h"
#include "proxy/dialect/dialect.h"
#include "proxy/http/field.h"

struct config;
struct config_upstream;
struct fetch_request;

/* Where UP is, whom to trust about that, and how long to wait; FR borrows it from CONFIG. */
void	target_address(const struct config *config, const struct config_upstream *up,
	    struct fetch_request *fr);

/*
 * Add UP's token AT to FIELDS in FORM, unless UP names a field of its own; nothing where
 * it has none.
 */
int	target_add_token(const struct config_upstream *up, size_t at, enum token_form form,
	    struct arena *arena, struct fields *fields) MUST_USE;

#endif
