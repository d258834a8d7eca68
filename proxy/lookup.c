/* SPDX-License-Identifier: MIT */
/*
 * lookup.c - the step from a question to an answer that is there: of which turn, in
 * which form, and whether it may be given now.
 */
#include "proxy/lookup.h"

#include "cache/variant.h"
#include "proxy/form.h"
#include "proxy/question.h"
#include "proxy/worker.h"

static enum fwd
fwd_of(enum freshness freshness)
{
	switch (freshness) {
	case FRESH:
		return FWD_NONE;
	case STALE_TOO_OLD:
		return FWD_REQUEST;
	default:
		return FWD_STALE;
	}
}

static enum fwd
find_one(struct request *req, const struct key *key)
{
	usec_t now = clock_wall();
	enum freshness freshness;

	req->question.overdue = 0;
	if (!question_find(req, key, now))
		return FWD_MISS;
	freshness = policy_freshness(&req->call.controls.directives, req->found.made,
	    req->found.ttl, now, &req->question.lifetime);
	if (freshness == STALE_EXPIRED) {
		req->question.lifetime.age = now - req->found.made;
		req->question.overdue = req->question.lifetime.age - req->found.ttl + 1;
	}
	return fwd_of(freshness);
}

/* The answer under KEY, if there is one that may be given now: FWD_NONE. */
static enum fwd
find(struct request *req, const struct key *key)
{
	enum fwd fwd = find_one(req, key);
	struct key apart;
	int r;

	req->question.is_apart = false;
	if (fwd != FWD_NONE)
		return fwd;
	r = form_give(req);
	if (r != FORM_E_CANNOT)
		return r == 0 ? FWD_NONE : FWD_MISS;
	apart = variant_apart(key);
	req->question.is_apart = true;
	fwd = find_one(req, &apart);
	return fwd == FWD_NONE && form_give(req) != 0 ? FWD_MISS : fwd;
}

/* Of several answers the one whose turn it is, once there are as many as there can be. */
static enum fwd
find_variant(struct request *req, unsigned n_max)
{
	struct question *question = &req->question;
	enum fwd fwd = FWD_NONE;
	struct key key;
	unsigned n;

	for (n = 0; n < n_max && fwd == FWD_NONE; n++) {
		key = variant_key(&question->key, n);
		fwd = find(req, &key);
	}
	if (fwd != FWD_NONE)
		n--;
	question->variant = n;
	if (n == 0 || (n < n_max &&
	    !variants_are_settled(req->worker->variants, &question->key)))
		return fwd;
	key = variant_key(&question->key,
	    variants_turn(req->worker->variants, &question->key, n));
	return find(req, &key);
}

enum fwd
lookup_answer(struct request *req)
{
	unsigned n = question_variants(req);

	return n > 1 ? find_variant(req, n) : find(req, &req->question.key);
}

enum fwd
lookup_again(struct request *req)
{
	struct key key = variant_key(&req->question.key, req->question.variant);

	return find(req, &key);
}

/* Who says how old an answer may be does not want an expired one (RFC 9111, 5.2.1.1). */
static bool
takes_stale(const struct request *req)
{
	const struct directives *directives = &req->call.controls.directives;

	return !directives->has_max_age && !directives->has_min_fresh;
}

bool
lookup_stale(struct request *req, usec_t within)
{
	struct key key = variant_key(&req->question.key, req->question.variant);

	if (req->question.overdue == 0 || req->question.overdue > within || !takes_stale(req))
		return false;
	if (req->question.is_apart)
		key = variant_apart(&key);
	return find_one(req, &key) == FWD_STALE && req->question.overdue > 0 &&
	    form_give(req) == 0;
}
