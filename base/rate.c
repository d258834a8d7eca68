/* SPDX-License-Identifier: MIT */
/*
 * rate.c - a meter is the time at which the next one would be due, had none come
 * early; it may run ahead of the clock by what a rested meter gives at once.
 */
#include "base/rate.h"

#include "base/mem.h"
#include "base/num.h"

#define NSEC_PER_USEC	1000
#define COST_MAX	((int64_t)366 * 86400 * 1000000 * NSEC_PER_USEC)	/* a year */

static const struct {
	const char	*name;
	usec_t		 time;
} units[] = {
	{ "s", USEC_PER_SEC },
	{ "min", 60 * USEC_PER_SEC },
	{ "m", 60 * USEC_PER_SEC },
	{ "h", 3600 * USEC_PER_SEC },
	{ "d", 86400 * USEC_PER_SEC },
	{ "day", 86400 * USEC_PER_SEC },
};

static const struct {
	const char	*name;
	uint64_t	 factor;
} counts[] = {
	{ "", 1 }, { "k", 1000 }, { "M", 1000000 }, { "G", 1000000000 },
};

/* Digits, perhaps a letter for thousands, perhaps a word for what is counted. */
static int
parse_count(struct bytes text, uint64_t *ret_n)
{
	bool has_word = bytes_find_char(text, ' ') < text.len;
	struct bytes number = bytes_cut(&text, ' ');
	size_t n_digits = 0;
	uint64_t n;
	int r;

	while (n_digits < number.len && number.ptr[n_digits] >= '0' &&
	    number.ptr[n_digits] <= '9')
		n_digits++;
	r = num_parse_u64(bytes_first(number, n_digits), &n);
	if (r != 0)
		return r;
	if (has_word && !bytes_eq_str(text, "tokens") && !bytes_eq_str(text, "requests"))
		return NUM_E_BAD;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		if (bytes_eq_str(bytes_skip(number, n_digits), counts[i].name))
			return __builtin_mul_overflow(n, counts[i].factor, ret_n) ?
			    NUM_E_RANGE : 0;
	return NUM_E_BAD;
}

int
rate_parse(struct bytes text, struct rate *ret_rate)
{
	struct rate rate = { 0 };
	struct bytes count = bytes_cut(&text, '/');
	int r = parse_count(count, &rate.n);

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (bytes_eq_str(text, units[i].name))
			rate.per = units[i].time;
	if (r == 0 && rate.per == 0)
		r = NUM_E_BAD;
	if (r == 0 && rate.n > (uint64_t)rate.per)	/* more often than once in a microsecond */
		r = NUM_E_RANGE;
	if (r == 0)
		*ret_rate = rate;
	return r;
}

/* What one of them takes to be paid off, and how far ahead of the clock that may go. */
struct pace {
	int64_t	step;		/* in nanoseconds, as the next */
	int64_t	ahead;
};

static struct pace
pace_of(const struct rate *rate)
{
	int64_t step = rate->per * NSEC_PER_USEC / (int64_t)rate->n;

	return (struct pace){ step, step * (int64_t)(rate->n - 1) };
}

/* How far DUE is ahead of NOW. */
static int64_t
ahead_of(int64_t due, int64_t now)
{
	return due > now ? due - now : 0;
}

/* Charge N, if ALWAYS or not yet overdrawn. */
static bool
charge(struct rate_meter *meter, const struct rate *rate, uint64_t n, usec_t now, bool always)
{
	int64_t now_nsec = now * NSEC_PER_USEC, due, base, cost;
	struct pace pace = pace_of(rate);

	if (__builtin_mul_overflow(pace.step, (int64_t)n, &cost) || cost > COST_MAX)
		cost = COST_MAX;
	due = atomic_load_explicit(&meter->due, memory_order_relaxed);
	do {
		base = due > now_nsec ? due : now_nsec;
		if (!always && base - now_nsec > pace.ahead)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&meter->due, &due, base + cost,
	    memory_order_relaxed, memory_order_relaxed));
	return true;
}

bool
rate_take(struct rate_meter *meter, const struct rate *rate, usec_t now)
{
	return rate->n > 0 && charge(meter, rate, 1, now, false);
}

void
rate_charge(struct rate_meter *meter, const struct rate *rate, uint64_t n, usec_t now)
{
	if (rate->n > 0)
		(void)charge(meter, rate, n, now, true);
}

uint64_t
rate_left(const struct rate_meter *meter, const struct rate *rate, usec_t now)
{
	int64_t due = atomic_load_explicit(&meter->due, memory_order_relaxed), ahead;
	struct pace pace;

	if (rate->n == 0)
		return 0;
	pace = pace_of(rate);
	ahead = ahead_of(due, now * NSEC_PER_USEC);
	/* One more than fits wholly: the last may reach over the edge, as in rate_take(). */
	return ahead > pace.ahead ? 0 :
	    (uint64_t)((pace.ahead - ahead) / pace.step) + 1;
}

usec_t
rate_wait(const struct rate_meter *meter, const struct rate *rate, uint64_t n, usec_t now)
{
	int64_t due = atomic_load_explicit(&meter->due, memory_order_relaxed), over;
	struct pace pace;

	if (rate->n == 0 || n == 0)
		return 0;
	pace = pace_of(rate);
	over = ahead_of(due, now * NSEC_PER_USEC) -
	    pace.step * (int64_t)(rate->n - (n < rate->n ? n : rate->n));
	return over > 0 ? (usec_t)((over + NSEC_PER_USEC - 1) / NSEC_PER_USEC) : 0;
}
