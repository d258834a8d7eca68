/* SPDX-License-Identifier: MIT */
/*
 * fake_fetch.c - fetch.h without an upstream: the script is the upstream.  Of the
 * timeouts it keeps the total alone.
 */
#include "proxy/net/fetch.h"

#include "base/arena.h"
#include "base/mem.h"
#include "tests/replay/world.h"

#define FAKE_MAX	((size_t)64 << 20)

struct fetch {
	struct fake_fetch	*fake;
	struct loop_task	*owner;
	struct arena		*arena;
	struct fields		 fields;
	struct buf		 body;
	struct bytes		 late;		/* came while paused: in the arena */
	enum fetch_state	 state;
	enum fetch_failure	 failure;
	enum fetch_framing	 framing;
	int			 status;
	usec_t			 started;
	usec_t			 head_time;
	bool			 is_paused;
	struct loop_timer	*timer;		/* of the total; NULL: has none */
};

struct fake_fetch world_fetches[WORLD_FETCHES];
unsigned world_n_fetches;

static void
note_request(struct fake_fetch *fake, const struct fetch_request *request)
{
	buf_init(&fake->head, FAKE_MAX);
	buf_init(&fake->body, FAKE_MAX);
	assert(buf_addf(&fake->head, "%.*s %s%.*s\n", BYTES_ARG(request->method),
	    request->base_url, BYTES_ARG(request->path)) == 0);
	for (size_t i = 0; i < request->fields->n; i++)
		assert(buf_addf(&fake->head, "%.*s: %.*s\n",
		    BYTES_ARG(request->fields->list[i].name),
		    BYTES_ARG(request->fields->list[i].value)) == 0);
	assert(buf_add(&fake->body, request->body) == 0);
}

static void
end_fetch(struct fetch *fetch, enum fetch_state state)
{
	fetch->state = state;
	fetch->timer = loop_timer_free(fetch->timer);
	loop_task_wake(fetch->owner);
}

static void
on_total(void *arg)
{
	struct fetch *fetch = arg;

	fetch->failure = FETCH_E_TIMEOUT;
	end_fetch(fetch, FETCH_FAILED);
}

struct fetch *
fetch_start(struct multi *multi, const struct fetch_request *request, struct loop_task *owner)
{
	struct fetch *fetch = xcalloc(1, sizeof(*fetch));

	(void)multi;
	assert(world_n_fetches < WORLD_FETCHES);
	fetch->fake = &world_fetches[world_n_fetches++];
	fetch->fake->fetch = fetch;
	fetch->owner = owner;
	fetch->started = clock_mono();
	fetch->arena = arena_new(FAKE_MAX);
	buf_init(&fetch->body, request->window);
	note_request(fetch->fake, request);
	if (request->timeouts.total > 0) {
		fetch->timer = loop_timer_new(owner->loop, on_total, fetch);
		loop_timer_set(fetch->timer, request->timeouts.total);
	}
	return fetch;
}

struct fetch *
fetch_free(struct fetch *fetch)
{
	if (fetch == NULL)
		return NULL;
	fetch->fake->fetch = NULL;
	fetch->fake->was_cancelled = fetch->state == FETCH_WAITING || fetch->state == FETCH_HEAD;
	loop_timer_free(fetch->timer);
	buf_done(&fetch->body);
	arena_free(fetch->arena);
	return xfree(fetch);
}

enum fetch_state
fetch_state(const struct fetch *fetch)
{
	return fetch->state;
}

enum fetch_failure
fetch_failure(const struct fetch *fetch)
{
	return fetch->failure;
}

enum fetch_framing
fetch_framing(const struct fetch *fetch)
{
	return fetch->framing;
}

int
fetch_status(const struct fetch *fetch)
{
	return fetch->status;
}

const struct fields *
fetch_fields(const struct fetch *fetch)
{
	return &fetch->fields;
}

struct bytes
fetch_body(const struct fetch *fetch)
{
	return buf_bytes(&fetch->body);
}

static void
add_body(struct fetch *fetch, struct bytes data)
{
	fetch->is_paused = buf_add(&fetch->body, data) < 0;
	if (fetch->is_paused)
		fetch->late = data;
	loop_task_wake(fetch->owner);
}

void
fetch_consume(struct fetch *fetch, size_t len)
{
	buf_consume(&fetch->body, len);
	if (fetch->is_paused && buf_len(&fetch->body) == 0)
		add_body(fetch, fetch->late);
}

bool
fetch_is_paused(const struct fetch *fetch)
{
	return fetch->is_paused;
}

usec_t
fetch_time(const struct fetch *fetch)
{
	return clock_mono() - fetch->started;
}

usec_t
fetch_head_time(const struct fetch *fetch)
{
	return fetch->head_time;
}

static struct fetch *
running(unsigned n)
{
	struct fetch *fetch = world_fetches[n].fetch;

	assert(fetch != NULL && fetch->state != FETCH_DONE && fetch->state != FETCH_FAILED);
	return fetch;
}

void
world_fetch_head(unsigned n, int status)
{
	struct fetch *fetch = running(n);

	fetch->status = status;
	fetch->head_time = clock_mono() - fetch->started;
	fetch->state = FETCH_HEAD;
	loop_task_wake(fetch->owner);
}

void
world_fetch_field(unsigned n, struct bytes name, struct bytes value)
{
	struct fetch *fetch = running(n);

	assert(arena_copy(fetch->arena, name, &name) == 0);
	assert(arena_copy(fetch->arena, value, &value) == 0);
	assert(fields_add(&fetch->fields, fetch->arena, name, value) == 0);
}

void
world_fetch_body(unsigned n, struct bytes data)
{
	struct fetch *fetch = running(n);

	assert(!fetch->is_paused);
	assert(arena_copy(fetch->arena, data, &data) == 0);
	add_body(fetch, data);
}

void
world_fetch_end(unsigned n, enum fetch_framing framing)
{
	struct fetch *fetch = running(n);

	fetch->framing = framing;
	end_fetch(fetch, FETCH_DONE);
}

void
world_fetch_fail(unsigned n, enum fetch_failure failure)
{
	struct fetch *fetch = running(n);

	fetch->failure = failure;
	end_fetch(fetch, FETCH_FAILED);
}
