/* SPDX-License-Identifier: MIT */
/*
 * sampling.c - is an answer drawn by chance?  As PROTOCOLS.md 14 and 5.2 tell:
 * what is in doubt is.
 */
#include <string.h>

#include "proxy/dialect/dialect_priv.h"

bool
is_warm(struct bytes number)
{
	for (size_t i = 0; i < number.len; i++) {
		char c = number.ptr[i];

		if (c == 'e' || c == 'E')
			return false;
		if (c >= '1' && c <= '9')
			return true;
	}
	return false;
}

static bool
is_given(const struct canon_value *value)
{
	return value->type != CANON_ABSENT && value->type != CANON_NULL;
}

static bool
is_cold(const struct canon_value *temperature)
{
	return temperature->type == CANON_NUMBER && !is_warm(temperature->raw);
}

/* A seed below zero asks for one drawn by chance (PROTOCOLS.md 9, 10). */
static bool
is_seeded(const struct canon_value *seed)
{
	return seed->type == CANON_NUMBER && seed->raw.ptr[0] != '-';
}

static bool
wants_several(const struct canon_value *n)
{
	return n->type == CANON_NUMBER && !bytes_eq_str(n->raw, "1");
}

/* TGI samples without parameters at all, and with any that only sampling has. */
static bool
is_greedy_tgi(const struct canon_value *watched)
{
	static const enum watched samplers[] = {
		WATCHED_TEMPERATURE, WATCHED_TOP_K, WATCHED_TOP_P, WATCHED_TYPICAL_P,
	};

	if (watched[WATCHED_PARAMETERS].type != CANON_OBJECT ||
	    watched[WATCHED_SAMPLES].type == CANON_TRUE)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(samplers); i++)
		if (is_given(&watched[samplers[i]]))
			return false;
	return true;
}

bool
is_sampled(const struct call *call, const struct canon *canon)
{
	const struct canon_value *watched = canon->watched;

	if ((call->row_flags & ROW_WARM) != 0)
		return is_given(&watched[WATCHED_TEMPERATURE]) &&
		    !is_cold(&watched[WATCHED_TEMPERATURE]);
	if ((call->row_flags & ROW_SAMPLED) == 0)
		return false;
	if (wants_several(&watched[WATCHED_N]))
		return true;
	if (call->dialect == &dialect_tgi)
		return !is_seeded(&watched[WATCHED_SEED]) && !is_greedy_tgi(watched);
	return !is_cold(&watched[WATCHED_TEMPERATURE]) && !is_seeded(&watched[WATCHED_SEED]) &&
	    watched[WATCHED_BEAMS].type != CANON_TRUE &&
	    watched[WATCHED_SAMPLES].type != CANON_FALSE;
}
