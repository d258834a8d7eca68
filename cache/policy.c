/* SPDX-License-Identifier: MIT */
/*
 * policy.c - Cache-Control as a list of directives (RFC 9111, 5.2).  What is
 * unclear is read the way that trusts the store less.
 */
#include "cache/policy.h"

#include <math.h>

#include "base/num.h"

/* By how much another machine's clock, or ours before a step, may be ahead. */
#define FUTURE_MAX	(60 * USEC_PER_SEC)

struct directive {
	struct bytes	name;
	struct bytes	value;		/* without quotes; none when there is none */
};

/* Where the list element that REST starts with ends; a comma in quotes is no end. */
static size_t
element_len(struct bytes rest)
{
	for (size_t i = 0; i < rest.len; i++) {
		size_t close;

		if (rest.ptr[i] == ',')
			return i;
		if (rest.ptr[i] != '"')
			continue;
		for (close = i + 1; close < rest.len && rest.ptr[close] != '"'; close++)
			if (rest.ptr[close] == '\\')
				close++;
		if (close < rest.len)	/* a quote that nothing closes hides nothing */
			i = close;
	}
	return rest.len;
}

/* Take the next directive off the front of *REST; false when there is none left. */
static bool
next_directive(struct bytes *rest, struct directive *ret_directive)
{
	while (rest->len > 0) {
		size_t len = element_len(*rest);
		struct bytes value = bytes_first(*rest, len);
		struct bytes name = bytes_trim(bytes_cut(&value, '='));

		*rest = bytes_skip(*rest, len + 1);
		if (name.len == 0)
			continue;
		value = bytes_trim(value);
		if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
			value = bytes_first(bytes_skip(value, 1), value.len - 2);
		*ret_directive = (struct directive){ name, value };
		return true;
	}
	return false;
}

/* TEXT as seconds: the longest time there is when too large, BAD when no number. */
static usec_t
parse_seconds(struct bytes text, usec_t bad)
{
	uint64_t seconds;
	usec_t value;
	int r = num_parse_u64(text, &seconds);

	if (r == NUM_E_BAD)
		return bad;
	if (r == NUM_E_RANGE || __builtin_mul_overflow(seconds, USEC_PER_SEC, &value))
		return INT64_MAX;
	return value;
}

static void
read_max_age(struct directives *directives, struct bytes text)
{
	usec_t max_age = parse_seconds(text, 0);

	if (!directives->has_max_age || max_age < directives->max_age)
		directives->max_age = max_age;
	directives->has_max_age = true;
}

static void
read_min_fresh(struct directives *directives, struct bytes text)
{
	usec_t min_fresh = parse_seconds(text, INT64_MAX);

	if (!directives->has_min_fresh || min_fresh > directives->min_fresh)
		directives->min_fresh = min_fresh;
	directives->has_min_fresh = true;
}

void
policy_read_request(struct directives *directives, struct bytes cache_control)
{
	struct directive directive;

	while (next_directive(&cache_control, &directive)) {
		struct bytes name = directive.name;

		if (bytes_eq_str_nocase(name, "no-cache"))
			directives->no_cache = true;
		else if (bytes_eq_str_nocase(name, "no-store"))
			directives->no_store = true;
		else if (bytes_eq_str_nocase(name, "only-if-cached"))
			directives->only_if_cached = true;
		else if (bytes_eq_str_nocase(name, "max-age"))
			read_max_age(directives, directive.value);
		else if (bytes_eq_str_nocase(name, "min-fresh"))
			read_min_fresh(directives, directive.value);
	}
}

/* Of s-maxage and max-age the first counts; of two of a kind the shorter. */
static void
read_answer_age(struct answer_policy *policy, struct bytes text, bool is_shared)
{
	usec_t max_age = parse_seconds(text, 0);

	if (policy->is_shared && !is_shared)
		return;
	if (!policy->has_max_age || (is_shared && !policy->is_shared) ||
	    max_age < policy->max_age)
		policy->max_age = max_age;
	policy->has_max_age = true;
	policy->is_shared = is_shared;
}

void
policy_read_answer(struct answer_policy *policy, struct bytes cache_control)
{
	struct directive directive;

	while (next_directive(&cache_control, &directive)) {
		/* private="a, b" forbids only those fields; we store all or nothing. */
		if (bytes_eq_str_nocase(directive.name, "no-store") ||
		    bytes_eq_str_nocase(directive.name, "private"))
			policy->forbids = true;
		else if (bytes_eq_str_nocase(directive.name, "max-age"))
			read_answer_age(policy, directive.value, false);
		else if (bytes_eq_str_nocase(directive.name, "s-maxage"))
			read_answer_age(policy, directive.value, true);
	}
}

/* From MADE to NOW, the longest time there is when that is too long. */
static usec_t
age_at(usec_t made, usec_t now)
{
	usec_t age;

	if (__builtin_sub_overflow(now, made, &age))
		return now > made ? INT64_MAX : INT64_MIN;
	return age;
}

enum freshness
policy_freshness(const struct directives *directives, usec_t made, usec_t ttl, usec_t now,
    struct lifetime *ret_lifetime)
{
	usec_t age = age_at(made, now), left;

	if (age < -FUTURE_MAX)
		return STALE_FUTURE;
	if (age < 0)
		age = 0;
	if (age >= ttl)
		return STALE_EXPIRED;
	left = ttl - age;
	if ((directives->has_max_age && age > directives->max_age) ||
	    (directives->has_min_fresh && left < directives->min_fresh))
		return STALE_TOO_OLD;
	*ret_lifetime = (struct lifetime){ age, left };
	return FRESH;
}

bool
policy_is_due_early(usec_t took, usec_t left, uint64_t draw)
{
	double u = ((double)draw + 1.0) / 0x1p64;	/* over 0, at most 1 */

	return -(double)took * log(u) >= (double)left;
}
