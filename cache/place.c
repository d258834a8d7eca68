/* SPDX-License-Identifier: MIT */
/*
 * place.c - rules matched a step at a time, as the scan goes down.
 */
#include "cache/place.h"

#include <errno.h>

enum kind { NEUTRAL, REAL, WATCHED };

struct rule {
	const char	*steps;		/* those left, without the '/' before them */
	uint8_t		 kind;
	uint8_t		 n;		/* in the list it came from */
	char		 first;		/* byte of STEPS; '\0': it may be any */
};

/* STEPS, what is left of the Nth rule of KIND, name PLACE or something inside it. */
static int
take_rule(struct place_stack *stack, enum kind kind, uint8_t n, const char *steps,
    struct place *place)
{
	struct rule *rule;
	char first;

	if (*steps == '\0') {
		place->is_neutral |= kind == NEUTRAL;
		place->is_real |= kind == REAL;
		place->watched |= kind == WATCHED ? UINT32_C(1) << n : 0;
		return 0;
	}
	rule = list_add(&stack->rules, sizeof(*rule), stack->arena);
	if (rule == NULL)
		return -E2BIG;
	first = *++steps;
	if (first == '*' || first == '~' || first == '/')
		first = '\0';
	*rule = (struct rule){ steps, (uint8_t)kind, n, first };
	place->past++;
	return 0;
}

static int
take_rules(struct place_stack *stack, enum kind kind, const char *const *rules,
    struct place *place)
{
	for (uint8_t n = 0; rules != NULL && rules[n] != NULL; n++) {
		int r = 0;

		assert(n < (kind == WATCHED ? CANON_WATCHED_MAX : UINT8_MAX));
		if (rules[n][0] == '/' || rules[n][0] == '\0')
			r = take_rule(stack, kind, n, rules[n], place);
		if (r != 0)
			return r;
	}
	return 0;
}

int
place_root(struct place_stack *stack, const struct canon_rules *rules,
    struct place *ret_place)
{
	struct place place = { 0 };
	int r = 0;

	if (rules != NULL)
		r = take_rules(stack, NEUTRAL, rules->neutral, &place);
	if (rules != NULL && r == 0)
		r = take_rules(stack, REAL, rules->real, &place);
	if (rules != NULL && r == 0)
		r = take_rules(stack, WATCHED, rules->watched, &place);
	if (r == 0)
		*ret_place = place;
	return r;
}

/* What follows the first step of STEPS when that is NAME, else NULL. */
static const char *
match_step(const char *steps, struct bytes name)
{
	size_t at = 0;

	if (steps[0] == '*' && (steps[1] == '/' || steps[1] == '\0'))
		return steps + 1;
	for (; *steps != '/' && *steps != '\0'; steps++) {
		char c = *steps;

		if (c == '~' && (steps[1] == '0' || steps[1] == '1'))
			c = *++steps == '0' ? '~' : '/';
		if (at == name.len || name.ptr[at] != c)
			return NULL;
		at++;
	}
	return at == name.len ? steps : NULL;
}

int
place_member(struct place_stack *stack, const struct place *parent, struct bytes name,
    struct place *ret_place)
{
	struct place place = { .first = (uint32_t)stack->rules.n };
	char first = name.len > 0 ? name.ptr[0] : '\0';

	place.past = place.first;
	for (uint32_t i = parent->first; i < parent->past; i++) {
		const struct rule *rule = (const struct rule *)stack->rules.mem + i;
		const char *rest;
		int r = 0;

		if (rule->first != first && rule->first != '\0')
			continue;
		rest = match_step(rule->steps, name);
		if (rest != NULL)
			r = take_rule(stack, rule->kind, rule->n, rest, &place);
		if (r != 0)
			return r;
	}
	*ret_place = place;
	return 0;
}

int
place_element(struct place_stack *stack, const struct place *parent, size_t index,
    struct place *ret_place)
{
	char digits[24], *p = digits + sizeof(digits);

	do
		*--p = (char)('0' + index % 10);
	while ((index /= 10) > 0);
	return place_member(stack, parent,
	    (struct bytes){ p, (size_t)(digits + sizeof(digits) - p) }, ret_place);
}

void
place_leave(struct place_stack *stack, const struct place *place)
{
	if (place->first < place->past)
		stack->rules.n = place->first;
}
