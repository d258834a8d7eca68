/* SPDX-License-Identifier: MIT */
/*
 * stats.c - the tables of counters and of ends, made into code.
 */
#include "proxy/stats.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/counter.h"
#include "base/err.h"
#include "base/log.h"

static const struct {
	const char	*name;
	const char	*help;
	size_t		 offset;
} counters[] = {
#define STAT(name, help) { #name, help, offsetof(struct stats, name) },
#include "proxy/stat_tbl.h"
#undef STAT
};

static const struct {
	size_t		 offset;
	const char	*word;
} ends[] = {
#define END(name, counter, word) [name] = { offsetof(struct stats, counter), word },
#include "proxy/end_tbl.h"
#undef END
};

static _Atomic uint64_t *
counter_at(struct stats *stats, size_t offset)
{
	return (_Atomic uint64_t *)(void *)((char *)stats + offset);
}

static uint64_t
value_at(const struct stats *stats, size_t offset)
{
	const char *at = (const char *)stats + offset;

	return counter_get((const _Atomic uint64_t *)(const void *)at);
}

void
stats_count(_Atomic uint64_t *counter)
{
	counter_add(counter, 1);
}

void
stats_end(struct stats *stats, enum end_reason reason)
{
	counter_add(counter_at(stats, ends[reason].offset), 1);
}

bool
stats_is_end(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
		if (strcmp(counters[i].name, name) != 0)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(ends); k++)
			if (ends[k].offset == counters[i].offset)
				return true;
	}
	return false;
}

const char *
stats_end_word(enum end_reason reason)
{
	return ends[reason].word;
}

void
stats_add(struct stats *to, const struct stats *from)
{
	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		counter_add(counter_at(to, counters[i].offset),
		    (int64_t)value_at(from, counters[i].offset));
}

void
stats_walk(const struct stats *stats, stats_fn *fn, void *arg)
{
	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		fn(arg, counters[i].name, counters[i].help, value_at(stats, counters[i].offset));
}

void
stats_log(const struct stats *stats)
{
	char line[1024] = "";
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
		uint64_t value = value_at(stats, counters[i].offset);

		if (value > 0 && len < sizeof(line))
			len += (size_t)snprintf(line + len, sizeof(line) - len, " %s=%" PRIu64,
			    counters[i].name, value);
	}
	log_info("counted:%s", line[0] != '\0' ? line : " nothing");
}
