/* SPDX-License-Identifier: MIT */
/*
 * place.h - what the rules of a canonical form (canon.h) say of the value that
 * is read.  Rules under way are a stack: when a place is found, those that name
 * something inside it come on top, as what is left of their steps, and stay
 * until place_leave().  So a value that no rule speaks of costs nothing.
 */
#ifndef CACHE_PLACE_H
#define CACHE_PLACE_H

#include "base/list.h"
#include "cache/canon.h"

struct place {
	uint32_t	first, past;	/* of the stack: they name something inside it */
	uint32_t	watched;	/* who wants it reported, one bit a rule */
	bool		is_neutral;
	bool		is_real;
};

/* Embedded by value; zeroed but for ARENA it is empty. */
struct place_stack {
	struct arena	*arena;		/* borrowed: outlives us */
	struct list	 rules;		/* of those under way */
};

/* The place of a whole text under RULES, which may be NULL; STACK is empty.  0, or -E2BIG. */
int	place_root(struct place_stack *stack, const struct canon_rules *rules,
	    struct place *ret_place) MUST_USE;

/* The place of member NAME, or of element INDEX, of what is at PARENT; as above. */
int	place_member(struct place_stack *stack, const struct place *parent, struct bytes name,
	    struct place *ret_place) MUST_USE;
int	place_element(struct place_stack *stack, const struct place *parent, size_t index,
	    struct place *ret_place) MUST_USE;

/* Take back the rules inside PLACE, the place found last of those not yet left. */
void	place_leave(struct place_stack *stack, const struct place *place);

#endif
