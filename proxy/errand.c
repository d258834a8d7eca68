/* SPDX-License-Identifier: MIT */
/*
 * errand.c - a fetch with nothing of a client in it.
 *
 * Its window is larger than the largest body by what libcurl gives at once, so that a
 * larger one is seen as such before the transfer would pause.
 */
#include "proxy/errand.h"

#include "base/arena.h"
#include "base/mem.h"
#include "config/config.h"
#include "proxy/net/fetch.h"
#include "proxy/target.h"
#include "proxy/version.h"

#define GIVEN_AT_ONCE	((size_t)64 << 10)
#define FIELDS_MAX_LEN	((size_t)64 << 10)

struct errand {
	struct fetch	*fetch;		/* NULL: it could not be sent */
};

static usec_t
least(usec_t a, usec_t b)
{
	return a < b ? a : b;
}

static void
shorten(struct fetch_timeouts *timeouts, usec_t time)
{
	timeouts->connect = least(timeouts->connect, time);
	timeouts->first_byte = least(timeouts->first_byte, time);
	timeouts->idle = least(timeouts->idle, time);
	timeouts->total = timeouts->total > 0 ? least(timeouts->total, time) : time;
}

static int
choose_fields(const struct errand_options *options, struct arena *arena, struct fields *fields)
{
	int r;

	r = fields_add(fields, arena, BYTES_LIT("User-Agent"), BYTES_LIT(VERSION_PRODUCT));
	if (r == 0)
		r = fields_add(fields, arena, BYTES_LIT("Accept-Encoding"), BYTES_LIT("identity"));
	return r == 0 ? target_add_token(options->upstream, options->token, TOKEN_BEARER, arena,
	    fields) : r;
}

struct errand *
errand_start(struct multi *multi, const struct errand_options *options, struct loop_task *owner)
{
	struct errand *errand = xcalloc(1, sizeof(*errand));
	struct arena *arena = arena_new(FIELDS_MAX_LEN);
	struct fields fields = { 0 };
	struct fetch_request fr = {
		.method = BYTES_LIT("GET"),
		.path = bytes_str(options->path),
		.fields = &fields,
		.window = ERRAND_BODY_MAX + GIVEN_AT_ONCE,
	};

	target_address(options->config, options->upstream, &fr);
	shorten(&fr.timeouts, options->time);
	if (choose_fields(options, arena, &fields) == 0)
		errand->fetch = fetch_start(multi, &fr, owner);
	else
		loop_task_wake(owner);
	arena_free(arena);
	return errand;
}

struct errand *
errand_free(struct errand *errand)
{
	if (errand == NULL)
		return NULL;
	fetch_free(errand->fetch);
	return xfree(errand);
}

static bool
is_too_large(const struct errand *errand)
{
	return fetch_body(errand->fetch).len > ERRAND_BODY_MAX;
}

bool
errand_is_over(const struct errand *errand)
{
	enum fetch_state state;

	if (errand->fetch == NULL)
		return true;
	state = fetch_state(errand->fetch);
	return state == FETCH_DONE || state == FETCH_FAILED || is_too_large(errand);
}

int
errand_status(const struct errand *errand)
{
	if (errand->fetch == NULL || fetch_state(errand->fetch) != FETCH_DONE ||
	    is_too_large(errand))
		return 0;
	return fetch_status(errand->fetch);
}

struct bytes
errand_body(const struct errand *errand)
{
	return fetch_body(errand->fetch);
}

bool
errand_met_nobody(const struct errand *errand)
{
	return errand->fetch != NULL && fetch_state(errand->fetch) == FETCH_FAILED &&
	    fetch_failure(errand->fetch) == FETCH_E_CONNECT;
}
