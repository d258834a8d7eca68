/* SPDX-License-Identifier: MIT */
/*
 * stats.c - the tables of counters and of ends, made into code.
 */
#include "proxy/stats.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"

static const struct {
	const char	*name;
	size_t		 offset;
} counters[] = {
#define STAT(name, help) { #name, offsetof(struct stats, name) },
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

static uint64_t *
counter_at(struct stats *stats, size_t offset)
{
	return (uint64_t *)(void *)((char *)stats + offset);
}

void
stats_end(struct stats *stats, enum end_reason reason)
{
	++*counter_at(stats, ends[reason].offset);
}

const char *
stats_end_word(enum end_reason reason)
{
	return ends[reason].word;
}

void
stats_add(struct stats *to, const struct stats *from)
{
	struct stats copy = *from;

	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		*counter_at(to, counters[i].offset) += *counter_at(&copy, counters[i].offset);
}

void
stats_log(const struct stats *stats)
{
	struct stats copy = *stats;
	char line[1024] = "";
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
		uint64_t value = *counter_at(&copy, counters[i].offset);

		if (value > 0 && len < sizeof(line))
			len += (size_t)snprintf(line + len, sizeof(line) - len, " %s=%" PRIu64,
			    counters[i].name, value);
	}
	log_info("counted:%s", line[0] != '\0' ? line : " nothing");
}
