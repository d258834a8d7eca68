/* SPDX-License-Identifier: MIT */
/*
 * choice.c - by weight: all weights in a row are a line of slots, and each turn takes
 * a step on it that is about the golden part of its length and has no divisor in common
 * with it.  So each slot comes once in a round, and neighbours come far apart.
 */
#include "base/choice.h"

#include <stdbool.h>

static uint64_t
greatest_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static uint64_t
step_for(uint64_t length)
{
	uint64_t step = length * 618 / 1000;

	step += step == 0;
	while (greatest_divisor(step, length) != 1)
		step++;
	return step;
}

static void
list_in_order(size_t n, size_t *order)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
}

/* What stands at FROM goes to the front, and the others keep their order. */
static void
move_to_front(size_t *order, size_t from)
{
	size_t moved = order[from];

	for (size_t i = from; i > 0; i--)
		order[i] = order[i - 1];
	order[0] = moved;
}

static uint64_t
length_of(const unsigned *weights, const size_t *order, size_t n)
{
	uint64_t length = 0;

	for (size_t i = 0; i < n; i++)
		length += weights[order[i]];
	return length;
}

static size_t
owner_of(uint64_t slot, const unsigned *weights, const size_t *order)
{
	size_t at = 0;

	while (slot >= weights[order[at]])
		slot -= weights[order[at++]];
	return at;
}

/* Who comes next is chosen the same way, a slot further in each round than in the last. */
void
choice_by_weight(const unsigned *weights, size_t n, uint64_t turn, size_t *ret_order)
{
	size_t *order = ret_order;

	list_in_order(n, order);
	for (; n > 1; n--, order++) {
		uint64_t length = length_of(weights, order, n), at = turn % length;

		move_to_front(order, owner_of(at * step_for(length) % length, weights, order));
		turn = turn / length + at;
	}
}

static bool
is_better(const struct choice_load *a, const struct choice_load *b)
{
	return a->n_calls != b->n_calls ? a->n_calls < b->n_calls : a->time < b->time;
}

void
choice_by_load(const struct choice_load *loads, size_t n, size_t *ret_order)
{
	list_in_order(n, ret_order);
	for (size_t i = 1; i < n; i++) {
		size_t at = i;

		while (at > 0 && is_better(&loads[i], &loads[ret_order[at - 1]])) {
			ret_order[at] = ret_order[at - 1];
			at--;
		}
		ret_order[at] = i;
	}
}
