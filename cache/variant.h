/* SPDX-License-Identifier: MIT */
/*
 * variant.h - several answers to one question, in turn.  The answers lie in the
 * store under keys made from the question's; here is whose turn it is, and
 * whether asking again brings anything new.  Shared by all workers, without a
 * lock; bounded: questions that meet in a slot take it from one another, which
 * costs them their turn and one more asking.
 */
#ifndef CACHE_VARIANT_H
#define CACHE_VARIANT_H

#include "cache/key.h"

#define VARIANTS_MAX	16

struct variants;

struct variants	*variants_new(void);
struct variants	*variants_free(struct variants *variants);

/* The key of answer N to the question of KEY; that of answer 0 is KEY. */
struct key	variant_key(const struct key *key, unsigned n);

/* The key beside KEY, for an answer in a form that cannot be made of the one under KEY. */
struct key	variant_apart(const struct key *key);

/* Whose turn is it among N answers (at least one)?  Each call is a turn. */
unsigned	variants_turn(struct variants *variants, const struct key *key, unsigned n);

/* Asking again brought what was there already: there are no more. */
void	variants_settle(struct variants *variants, const struct key *key);
bool	variants_are_settled(const struct variants *variants, const struct key *key);

#endif
