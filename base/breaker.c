/* SPDX-License-Identifier: MIT */
/*
 * breaker.c - a row, a window of bits, and a time.
 */
#include "base/breaker.h"

#define WINDOW	((1u << BREAKER_SEEN) - 1)

bool
breaker_allows(struct breaker *breaker, usec_t now, bool *ret_is_probe)
{
	if (breaker->state == BREAKER_OPEN && now >= breaker->until)
		breaker->state = BREAKER_HALF_OPEN;
	*ret_is_probe = breaker->state == BREAKER_HALF_OPEN && !breaker->is_probed;
	if (*ret_is_probe)
		breaker->is_probed = true;
	return *ret_is_probe || breaker->state == BREAKER_CLOSED;
}

usec_t
breaker_wait(const struct breaker *breaker, usec_t now)
{
	return breaker->state == BREAKER_OPEN && now < breaker->until ? breaker->until - now : 0;
}

/* Each time for twice as long. */
static void
open_for_a_while(struct breaker *breaker, usec_t now)
{
	usec_t pause = breaker->pause == 0 ? BREAKER_MIN : breaker->pause * 2;

	breaker->pause = pause < BREAKER_MAX ? pause : BREAKER_MAX;
	breaker->until = now + breaker->pause;
	breaker->state = BREAKER_OPEN;
	breaker->is_probed = false;
}

static void
add_outcome(struct breaker *breaker, bool has_failed)
{
	breaker->n_in_row = has_failed ? breaker->n_in_row + 1 : 0;
	breaker->last = (breaker->last << 1 | has_failed) & WINDOW;
	if (breaker->n_seen < BREAKER_SEEN)
		breaker->n_seen++;
}

static bool
has_failed_too_often(const struct breaker *breaker)
{
	unsigned n_failed = (unsigned)__builtin_popcount(breaker->last);

	return breaker->n_in_row >= BREAKER_IN_ROW ||
	    (breaker->n_seen == BREAKER_SEEN && n_failed * 2 >= BREAKER_SEEN);
}

void
breaker_note(struct breaker *breaker, bool is_probe, bool has_failed, usec_t now)
{
	if (is_probe && has_failed) {
		open_for_a_while(breaker, now);
	} else if (is_probe) {
		*breaker = (struct breaker){ 0 };
	} else if (breaker->state == BREAKER_CLOSED) {
		add_outcome(breaker, has_failed);
		if (has_failed_too_often(breaker))
			open_for_a_while(breaker, now);
	}
}

void
breaker_forget(struct breaker *breaker, bool is_probe)
{
	if (is_probe)
		breaker->is_probed = false;
}
