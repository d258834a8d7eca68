/* SPDX-License-Identifier: MIT */
/*
 * flight.c - a table of those under way, and a list of chunks in each.
 *
 * Chunks are filled by the leader alone.  It writes bytes, then the length that
 * covers them: who reads the length may read the bytes.  All of them are freed
 * with the flight, by whoever leaves it last.
 */
#include "cache/flight.h"

#include <pthread.h>
#include <string.h>

#include "base/err.h"
#include "base/counter.h"
#include "base/mem.h"
#include "base/quota.h"

#define SHARDS		64
#define BUCKETS		64
#define CHUNK_MIN	((size_t)4 << 10)
#define CHUNK_MAX	((size_t)256 << 10)

struct flight_chunk {
	_Atomic(struct flight_chunk *) next;
	size_t			size;
	_Atomic size_t		len;
	char			mem[];
};

struct shard {
	pthread_mutex_t		 lock;		/* of the table and of all in its flights */
	struct flight		*buckets[BUCKETS];
	_Atomic uint64_t	 n_flights;	/* changed with the lock */
	_Atomic uint64_t	 n_seats;
};

struct flights {
	struct shard		 shards[SHARDS];
	struct quota		*quota;		/* NULL: nobody counts */
};

struct flight {
	struct shard		*shard;
	struct flight		*bucket_next;
	bool			 is_listed;
	unsigned		 refs;		/* the leader's and one a seat */
	struct key		 key;
	char			*question;
	size_t			 question_len;
	struct flight_seat	*leader;	/* not seated; NULL: it has ended */
	struct flight_seat	*seats;
	_Atomic int		 state;
	struct flight_head	 head;
	char			*head_mem;
	struct flight_chunk	*first;		/* NULL: nothing has come */
	struct flight_chunk	*last;
	_Atomic size_t		 len;
	struct flight_usage	 usage;
	struct quota		*quota;
	int			 failure;
};

struct flights *
flights_new(void)
{
	struct flights *flights = xcalloc(1, sizeof(*flights));

	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&flights->shards[i].lock, NULL);
	return flights;
}

struct flights *
flights_free(struct flights *flights)
{
	if (flights == NULL)
		return NULL;
	for (size_t i = 0; i < SHARDS; i++) {
		for (size_t k = 0; k < BUCKETS; k++)
			assert(flights->shards[i].buckets[k] == NULL);
		pthread_mutex_destroy(&flights->shards[i].lock);
	}
	return xfree(flights);
}

static struct flight **
bucket_of(struct shard *shard, const struct key *key)
{
	return &shard->buckets[key->bytes[1] % BUCKETS];
}

void
flights_charge(struct flights *flights, struct quota *quota)
{
	flights->quota = quota;
}

static size_t
charge_of(size_t size)
{
	return size > QUOTA_FREE ? size : 0;
}

static void
free_flight(struct flight *flight)
{
	struct flight_chunk *next;

	for (struct flight_chunk *chunk = flight->first; chunk != NULL; chunk = next) {
		next = atomic_load_explicit(&chunk->next, memory_order_relaxed);
		quota_give_back(flight->quota, charge_of(chunk->size));
		xfree(chunk);
	}
	xfree(flight->head_mem);
	xfree(flight->question);
	xfree(flight);
}

/* With the lock; it is given back.  The last one frees. */
static void
unref_and_unlock(struct flight *flight)
{
	struct shard *shard = flight->shard;
	bool is_last = --flight->refs == 0;

	if (is_last)
		counter_add(&shard->n_flights, -1);
	pthread_mutex_unlock(&shard->lock);
	if (is_last)
		free_flight(flight);
}

static void
unlist(struct flight *flight)
{
	struct flight **at = bucket_of(flight->shard, &flight->key);

	if (!flight->is_listed)
		return;
	while (*at != flight)
		at = &(*at)->bucket_next;
	*at = flight->bucket_next;
	flight->is_listed = false;
}

static void
seat_in(struct flight *flight, struct flight_seat *seat)
{
	assert(seat->flight == NULL);
	seat->flight = flight;
	seat->chunk = NULL;
	seat->chunk_at = 0;
	seat->at = 0;
	seat->next = flight->seats;
	seat->link = &flight->seats;
	if (seat->next != NULL)
		seat->next->link = &seat->next;
	flight->seats = seat;
	flight->refs++;
	counter_add(&flight->shard->n_seats, 1);
}

static struct flight *
find(struct shard *shard, const struct key *key)
{
	struct flight *flight = *bucket_of(shard, key);

	while (flight != NULL && memcmp(&flight->key, key, sizeof(*key)) != 0)
		flight = flight->bucket_next;
	return flight;
}

static struct flight *
make(struct shard *shard, const struct key *key, struct bytes question,
    struct flight_seat *leader, bool is_listed)
{
	struct flight *flight = xcalloc(1, sizeof(*flight));

	flight->shard = shard;
	flight->key = *key;
	flight->question = xstrndup(question.len > 0 ? question.ptr : "", question.len);
	flight->question_len = question.len;
	flight->leader = leader;
	flight->refs = 1;
	counter_add(&shard->n_flights, 1);
	flight->is_listed = is_listed;
	if (is_listed) {
		flight->bucket_next = *bucket_of(shard, key);
		*bucket_of(shard, key) = flight;
	}
	return flight;
}

static void
join(struct flight *flight, struct flight_seat *seat)
{
	seat_in(flight, seat);
	flight->leader->wake(flight->leader->arg);
}

void
flight_join(struct flights *flights, const struct key *key, struct bytes question,
    struct flight_seat *seat, struct flight **ret_flight)
{
	struct shard *shard = &flights->shards[key->bytes[0] % SHARDS];
	struct flight *flight;

	*ret_flight = NULL;
	pthread_mutex_lock(&shard->lock);
	flight = find(shard, key);
	if (flight == NULL)
		*ret_flight = make(shard, key, question, seat, true);
	else if (bytes_eq((struct bytes){ flight->question, flight->question_len }, question))
		join(flight, seat);
	else	/* a collision */
		*ret_flight = make(shard, key, question, seat, false);
	pthread_mutex_unlock(&shard->lock);
}

struct flight_count
flight_count(const struct flights *flights)
{
	struct flight_count all = { 0 };

	for (size_t i = 0; i < SHARDS; i++) {
		const struct shard *shard = &flights->shards[i];

		all.flights += counter_get(&shard->n_flights);
		all.seats += counter_get(&shard->n_seats);
	}
	return all;
}

void
flight_leave(struct flight_seat *seat)
{
	struct flight *flight = seat->flight;

	if (flight == NULL)
		return;
	pthread_mutex_lock(&flight->shard->lock);
	*seat->link = seat->next;
	if (seat->next != NULL)
		seat->next->link = seat->link;
	seat->flight = NULL;
	counter_add(&flight->shard->n_seats, -1);
	if (flight->seats == NULL && flight->leader != NULL)
		flight->leader->wake(flight->leader->arg);
	unref_and_unlock(flight);
}

bool
flight_is_awaited(struct flight *flight)
{
	bool is_awaited;

	pthread_mutex_lock(&flight->shard->lock);
	is_awaited = flight->seats != NULL;
	pthread_mutex_unlock(&flight->shard->lock);
	return is_awaited;
}

/* With the lock. */
static void
wake_all(struct flight *flight)
{
	for (struct flight_seat *seat = flight->seats; seat != NULL; seat = seat->next)
		seat->wake(seat->arg);
}

static struct bytes
keep(char **to, struct bytes b)
{
	struct bytes kept = { *to, b.len };

	if (b.len > 0)
		*to = mempcpy(*to, b.ptr, b.len);
	return kept;
}

void
flight_set_head(struct flight *flight, const struct flight_head *head)
{
	char *to = xcalloc(1, head->fields.len + head->compute.len + head->compute_time.len + 1);

	flight->head_mem = to;
	flight->head = *head;
	flight->head.fields = keep(&to, head->fields);
	flight->head.compute = keep(&to, head->compute);
	flight->head.compute_time = keep(&to, head->compute_time);
	pthread_mutex_lock(&flight->shard->lock);
	atomic_store_explicit(&flight->state, FLIGHT_HEAD, memory_order_release);
	wake_all(flight);
	pthread_mutex_unlock(&flight->shard->lock);
}

/* Room for more at the end: what is left of the last chunk, or a new one. */
static struct flight_chunk *
chunk_with_room(struct flight *flight, size_t need)
{
	struct flight_chunk *last = flight->last, *chunk;
	size_t size = need > CHUNK_MIN ? need : CHUNK_MIN;

	if (last != NULL && atomic_load_explicit(&last->len, memory_order_relaxed) < last->size)
		return last;
	if (last != NULL && size < 2 * last->size)
		size = 2 * last->size;
	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	quota_add(flight->quota, charge_of(size));
	chunk = xcalloc(1, sizeof(*chunk) + size);
	chunk->size = size;
	flight->last = chunk;
	if (last == NULL)
		flight->first = chunk;
	else
		atomic_store_explicit(&last->next, chunk, memory_order_release);
	return chunk;
}

void
flight_add(struct flight *flight, struct bytes body)
{
	size_t all = atomic_load_explicit(&flight->len, memory_order_relaxed) + body.len;

	while (body.len > 0) {
		struct flight_chunk *chunk = chunk_with_room(flight, body.len);
		size_t len = atomic_load_explicit(&chunk->len, memory_order_relaxed);
		struct bytes part = bytes_first(body, chunk->size - len);

		memcpy(chunk->mem + len, part.ptr, part.len);
		atomic_store_explicit(&chunk->len, len + part.len, memory_order_release);
		body = bytes_skip(body, part.len);
	}
	pthread_mutex_lock(&flight->shard->lock);
	atomic_store_explicit(&flight->len, all, memory_order_release);
	wake_all(flight);
	pthread_mutex_unlock(&flight->shard->lock);
}

void
flight_close(struct flight *flight)
{
	pthread_mutex_lock(&flight->shard->lock);
	unlist(flight);
	pthread_mutex_unlock(&flight->shard->lock);
}

static void
end(struct flight *flight, enum flight_state state)
{
	pthread_mutex_lock(&flight->shard->lock);
	unlist(flight);
	flight->leader = NULL;
	atomic_store_explicit(&flight->state, state, memory_order_release);
	wake_all(flight);
	unref_and_unlock(flight);
}

void
flight_set_usage(struct flight *flight, const struct flight_usage *usage)
{
	flight->usage = *usage;
}

void
flight_land(struct flight *flight)
{
	end(flight, FLIGHT_LANDED);
}

void
flight_fail(struct flight *flight, int failure)
{
	flight->failure = failure;
	end(flight, FLIGHT_FAILED);
}

enum flight_state
flight_state(const struct flight_seat *seat)
{
	return (enum flight_state)atomic_load_explicit(&seat->flight->state, memory_order_acquire);
}

const struct flight_head *
flight_head(const struct flight_seat *seat)
{
	return &seat->flight->head;
}

int
flight_failure(const struct flight_seat *seat)
{
	return seat->flight->failure;
}

const struct flight_usage *
flight_usage(const struct flight_seat *seat)
{
	return &seat->flight->usage;
}

size_t
flight_len(const struct flight_seat *seat)
{
	return atomic_load_explicit(&seat->flight->len, memory_order_acquire);
}

struct bytes
flight_read(struct flight_seat *seat)
{
	size_t all = flight_len(seat), len;

	if (seat->at == all)
		return BYTES_NONE;
	if (seat->chunk == NULL)
		seat->chunk = seat->flight->first;
	len = atomic_load_explicit(&seat->chunk->len, memory_order_acquire);
	if (seat->chunk_at == len) {
		seat->chunk = atomic_load_explicit(&seat->chunk->next, memory_order_acquire);
		seat->chunk_at = 0;
		len = atomic_load_explicit(&seat->chunk->len, memory_order_acquire);
	}
	/* Bytes past what was announced are not read yet: they come with the next news. */
	if (len - seat->chunk_at > all - seat->at)
		len = seat->chunk_at + (all - seat->at);
	return (struct bytes){ seat->chunk->mem + seat->chunk_at, len - seat->chunk_at };
}

void
flight_advance(struct flight_seat *seat, size_t len)
{
	seat->chunk_at += len;
	seat->at += len;
}
