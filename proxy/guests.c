/* SPDX-License-Identifier: MIT */
/*
 * guests.c - a counter, and a hash table of addresses under secrets of our own, so that
 * nobody can choose addresses that meet in one slot.
 */
#include "proxy/guests.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/quota.h"

#define SLOTS		4096
#define WARN_EVERY	(60 * USEC_PER_SEC)
#define PER_WORKER	8		/* descriptors that each has for itself, */
#define UPSTREAMS	1024		/* and may want for its calls, */
#define UPSTREAMS_PART	4		/* but all together no more than this part of all */
#define ROOM_PERCENT	90		/* the rest is for files and what comes and goes */
#define ROOM_MIN	8

struct household {
	struct household	*next;
	struct ip		 ip;
	uint64_t		 n;
};

struct guests {
	struct quota		 memory;
	_Atomic uint64_t	 n;
	uint64_t		 max;
	_Atomic usec_t		 warned;
	uint64_t		 secrets[2];
	pthread_mutex_t		 lock;		/* of all below */
	struct household	*slots[SLOTS];
};

struct guests *
guests_new(void)
{
	struct guests *guests = xcalloc(1, sizeof(*guests));

	guests->max = UINT64_MAX;
	pthread_mutex_init(&guests->lock, NULL);
	if (getrandom(guests->secrets, sizeof(guests->secrets), 0) < 0)
		guests->secrets[0] = guests->secrets[1] = (uint64_t)clock_wall();
	return guests;
}

struct guests *
guests_free(struct guests *guests)
{
	if (guests == NULL)
		return NULL;
	assert(guests_count(guests) == 0 && quota_used(&guests->memory) == 0);
	for (size_t i = 0; i < SLOTS; i++)
		assert(guests->slots[i] == NULL);
	pthread_mutex_destroy(&guests->lock);
	return xfree(guests);
}

/* Descriptors are given out from below: the next one tells how many there are. */
static uint64_t
count_open(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	close(fd);
	return (uint64_t)fd;
}

static uint64_t
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 0 : limit.rlim_cur;
}

void
guests_make_room(struct guests *guests, unsigned n_workers)
{
	uint64_t all = raise_limit(), upstreams = n_workers * UPSTREAMS;
	uint64_t ours = count_open() + n_workers * PER_WORKER;

	if (upstreams > all / UPSTREAMS_PART)
		upstreams = all / UPSTREAMS_PART;
	all = all / 100 * ROOM_PERCENT + all % 100 * ROOM_PERCENT / 100;
	guests->max = all > ours + upstreams + ROOM_MIN ? all - ours - upstreams : ROOM_MIN;
}

uint64_t
guests_count(const struct guests *guests)
{
	return atomic_load_explicit(&guests->n, memory_order_relaxed);
}

uint64_t
guests_max(const struct guests *guests)
{
	return guests->max;
}

bool
guests_have_room(const struct guests *guests)
{
	return guests_count(guests) < guests->max;
}

struct quota *
guests_memory(struct guests *guests)
{
	return guests != NULL ? &guests->memory : NULL;
}

bool
guests_may_warn(struct guests *guests, usec_t now)
{
	usec_t warned = atomic_load_explicit(&guests->warned, memory_order_relaxed);

	if (warned != 0 && now - warned < WARN_EVERY)
		return false;
	return atomic_compare_exchange_strong(&guests->warned, &warned, now);
}

struct guest
guest_enter(struct guests *guests)
{
	if (guests != NULL)
		atomic_fetch_add_explicit(&guests->n, 1, memory_order_relaxed);
	return (struct guest){ .guests = guests };
}

/* Both halves of the address under a secret each, and all bits of the product matter. */
static struct household **
slot_of(struct guests *guests, struct ip ip)
{
	uint64_t half[2];
	unsigned __int128 product;

	memcpy(half, ip.bytes, sizeof(half));
	half[0] ^= guests->secrets[0];
	half[1] ^= guests->secrets[1];
	product = (unsigned __int128)half[0] * half[1];
	return &guests->slots[((uint64_t)(product >> 64) ^ (uint64_t)product) % SLOTS];
}

static struct household **
find(struct guests *guests, struct ip ip)
{
	struct household **at = slot_of(guests, ip);

	while (*at != NULL && !ip_eq((*at)->ip, ip))
		at = &(*at)->next;
	return at;
}

int
guest_count(struct guest *guest, struct ip ip, unsigned max)
{
	struct guests *guests = guest->guests;
	struct household **at;
	int r = 0;

	if (guests == NULL)
		return 0;
	ip = ip_household(ip);
	pthread_mutex_lock(&guests->lock);
	at = find(guests, ip);
	if (*at == NULL) {
		*at = xcalloc(1, sizeof(**at));
		(*at)->ip = ip;
	}
	if (max == 0 || (*at)->n < max) {
		(*at)->n++;
		guest->household = ip;
		guest->is_counted = true;
	} else {
		r = GUEST_E_MANY;
	}
	pthread_mutex_unlock(&guests->lock);
	return r;
}

static void
uncount(struct guests *guests, struct ip ip)
{
	struct household **at, *gone = NULL;

	pthread_mutex_lock(&guests->lock);
	at = find(guests, ip);
	assert(*at != NULL);
	if (--(*at)->n == 0) {
		gone = *at;
		*at = gone->next;
	}
	pthread_mutex_unlock(&guests->lock);
	xfree(gone);
}

void
guest_leave(struct guest *guest)
{
	if (guest->guests == NULL)
		return;
	if (guest->is_counted)
		uncount(guest->guests, guest->household);
	atomic_fetch_sub_explicit(&guest->guests->n, 1, memory_order_relaxed);
	guest->guests = NULL;
}
