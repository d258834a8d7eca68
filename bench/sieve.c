/* SPDX-License-Identifier: MIT */
/*
 * sieve.c - SIEVE against LRU and FIFO: how many of many requests miss, in
 * caches of 1% and 10% of the keys.
 *
 * SIEVE as in Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024: new keys
 * go to the new end of a queue and never move; a hit sets a bit; the hand goes
 * from the old end towards the new one, clears the bits it meets, takes out
 * the first key without one, stays there for the next time, and begins again
 * at the old end once it is past the new one.
 *
 * Requests are drawn by Zipf's law from a table of cumulated weights (exact,
 * no approximation), ranks mapped to keys by a random permutation.  In the mix
 * with scans, one request in five belongs to a scan: a run of keys, each asked
 * once and never again.  The seed is fixed; every policy sees the same
 * requests.  The first third warms the caches and is not counted.
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define N_KEYS		100000u
#define N_REQUESTS	6000000u
#define N_WARM		(N_REQUESTS / 3)
#define SCAN_EVERY	10000u		/* a scan begins every so many requests ... */
#define SCAN_LENGTH	2000u		/* ... and is so long */
#define NONE		UINT32_MAX
#define SEED		UINT64_C(20240416)

enum policy { FIFO, LRU, SIEVE, N_POLICIES };

/* A cache: one queue, linked both ways, over every key there is. */
struct cache {
	enum policy	 policy;
	uint32_t	*newer;
	uint32_t	*older;
	bool		*is_in;
	bool		*is_visited;
	uint32_t	 newest;
	uint32_t	 oldest;
	uint32_t	 hand;
	uint32_t	 n;
	uint32_t	 size;
};

static uint64_t
draw(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);	/* splitmix64 */

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void
cache_init(struct cache *cache, enum policy policy, uint32_t size, uint32_t n_keys)
{
	*cache = (struct cache){
		.policy = policy,
		.newer = xcalloc(n_keys, sizeof(uint32_t)),
		.older = xcalloc(n_keys, sizeof(uint32_t)),
		.is_in = xcalloc(n_keys, sizeof(bool)),
		.is_visited = xcalloc(n_keys, sizeof(bool)),
		.newest = NONE,
		.oldest = NONE,
		.hand = NONE,
		.size = size,
	};
}

static void
cache_done(struct cache *cache)
{
	xfree(cache->newer);
	xfree(cache->older);
	xfree(cache->is_in);
	xfree(cache->is_visited);
}

static void
take_out(struct cache *cache, uint32_t key)
{
	uint32_t newer = cache->newer[key], older = cache->older[key];

	*(older == NONE ? &cache->oldest : &cache->newer[older]) = newer;
	*(newer == NONE ? &cache->newest : &cache->older[newer]) = older;
	cache->is_in[key] = false;
	cache->n--;
}

static void
add_newest(struct cache *cache, uint32_t key)
{
	cache->older[key] = cache->newest;
	cache->newer[key] = NONE;
	*(cache->newest == NONE ? &cache->oldest : &cache->newer[cache->newest]) = key;
	cache->newest = key;
	cache->is_in[key] = true;
	cache->is_visited[key] = false;
	cache->n++;
}

static uint32_t
choose_victim(struct cache *cache)
{
	uint32_t key = cache->hand;

	if (cache->policy != SIEVE)
		return cache->oldest;
	if (key == NONE)
		key = cache->oldest;
	while (cache->is_visited[key]) {
		cache->is_visited[key] = false;
		key = cache->newer[key] != NONE ? cache->newer[key] : cache->oldest;
	}
	cache->hand = cache->newer[key];
	return key;
}

/* Ask for KEY; was it there? */
static bool
request(struct cache *cache, uint32_t key)
{
	bool is_hit = cache->is_in[key];

	if (is_hit) {
		cache->is_visited[key] = true;
		if (cache->policy != LRU)
			return true;
		take_out(cache, key);
	} else if (cache->n == cache->size) {
		take_out(cache, choose_victim(cache));
	}
	add_newest(cache, key);
	return is_hit;
}

/* Cumulated weights of the ranks 1 to N. */
static double *
zipf_table(double exponent, uint32_t n)
{
	double *table = xcalloc(n, sizeof(*table)), sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		sum += pow(i + 1.0, -exponent);
		table[i] = sum;
	}
	return table;
}

/* The first rank whose cumulated weight is above a number drawn evenly. */
static uint32_t
zipf_draw(const double *table, uint32_t n, uint64_t *state)
{
	double u = (double)(draw(state) >> 11) * 0x1p-53 * table[n - 1];
	uint32_t low = 0, high = n - 1;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (table[middle] > u)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static uint32_t *
permutation(uint32_t n, uint64_t *state)
{
	uint32_t *keys = xcalloc(n, sizeof(*keys));

	for (uint32_t i = 0; i < n; i++) {
		uint32_t j = (uint32_t)(draw(state) % (i + 1));

		keys[i] = keys[j];
		keys[j] = i;
	}
	return keys;
}

/* The keys asked for, in their order; those of scans lie beyond N_KEYS. */
static uint32_t *
make_trace(double exponent, bool has_scans, uint32_t *ret_n_keys)
{
	uint32_t *trace = xcalloc(N_REQUESTS, sizeof(*trace)), n_keys = N_KEYS;
	double *table = zipf_table(exponent, N_KEYS);
	uint64_t state = SEED;
	uint32_t *keys = permutation(N_KEYS, &state);

	for (uint32_t i = 0; i < N_REQUESTS; i++) {
		if (has_scans && i % SCAN_EVERY < SCAN_LENGTH)
			trace[i] = n_keys++;
		else
			trace[i] = keys[zipf_draw(table, N_KEYS, &state)];
	}
	xfree(keys);
	xfree(table);
	*ret_n_keys = n_keys;
	return trace;
}

static double
miss_ratio(const uint32_t *trace, enum policy policy, uint32_t size, uint32_t n_keys)
{
	struct cache cache;
	uint64_t misses = 0;

	cache_init(&cache, policy, size, n_keys);
	for (uint32_t i = 0; i < N_REQUESTS; i++)
		misses += !request(&cache, trace[i]) && i >= N_WARM;
	cache_done(&cache);
	return (double)misses / (N_REQUESTS - N_WARM);
}

/* One row; was SIEVE no worse than LRU? */
static bool
measure(double exponent, bool has_scans, unsigned percent)
{
	uint32_t n_keys, *trace = make_trace(exponent, has_scans, &n_keys);
	double miss[N_POLICIES];

	for (enum policy policy = FIFO; policy < N_POLICIES; policy++)
		miss[policy] = miss_ratio(trace, policy, N_KEYS / 100 * percent, n_keys);
	xfree(trace);
	printf("| Zipf %.1f%s, cache of %u%% | %.4f | %.4f | %.4f | %.3f | <= 1 | %s |\n",
	    exponent, has_scans ? " and scans" : "", percent, miss[SIEVE], miss[LRU], miss[FIFO],
	    miss[SIEVE] / miss[LRU], miss[SIEVE] <= miss[LRU] ? "yes" : "**no**");
	fflush(stdout);
	return miss[SIEVE] <= miss[LRU];
}

int
main(void)
{
	static const double exponents[] = { 0.7, 0.9, 1.1 };
	static const unsigned percents[] = { 1, 10 };
	unsigned missed = 0;

	printf("\n### Miss ratio of SIEVE, %u keys, %u requests\n\n"
	    "| what | SIEVE | LRU | FIFO | SIEVE / LRU | must reach | |\n"
	    "|---|---|---|---|---|---|---|\n", N_KEYS, N_REQUESTS - N_WARM);
	for (int has_scans = 0; has_scans < 2; has_scans++)
		for (size_t i = 0; i < ARRAY_LEN(exponents); i++)
			for (size_t j = 0; j < ARRAY_LEN(percents); j++)
				missed += !measure(exponents[i], has_scans != 0, percents[j]);
	return missed > 0;
}
