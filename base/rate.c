/* SPDX-License-Identifier: MIT */
/*
 * rate.c - a meter is the time at which the next one would be due, had none come
 * early; it may run ahead of the clock by what a rested meter gives at once.
 */
#include "base/rate.h"

#include "base/mem.h"
#include "base/num.h"

#define NSEC_PER_USEC	1000

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

int
rate_parse(struct bytes text, struct rate *ret_rate)
{
	struct rate rate = { 0 };
	struct bytes count = bytes_cut(&text, '/');
	int r = num_parse_u64(count, &rate.n);

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (bytes_eq_str(text, units[i].name))
			rate.per = units[i].time;
	if (r == 0 && rate.per == 0)
		r = NUM_E_BAD;
	if (r == 0 && rate.n > RATE_N_MAX)
		r = NUM_E_RANGE;
	if (r == 0)
		*ret_rate = rate;
	return r;
}

bool
rate_take(struct rate_meter *meter, const struct rate *rate, usec_t now)
{
	int64_t now_nsec = now * NSEC_PER_USEC, step, ahead, due, base;

	if (rate->n == 0)
		return false;
	step = (int64_t)((uint64_t)(rate->per * NSEC_PER_USEC) / rate->n);
	ahead = (int64_t)(rate->n - 1) * step;
	due = atomic_load_explicit(&meter->due, memory_order_relaxed);
	do {
		base = due > now_nsec ? due : now_nsec;
		if (base - now_nsec > ahead)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&meter->due, &due, base + step,
	    memory_order_relaxed, memory_order_relaxed));
	return true;
}
