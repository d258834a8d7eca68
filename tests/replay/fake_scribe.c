/* SPDX-License-Identifier: MIT */
/*
 * fake_scribe.c - scribe.h without a thread: what is put is committed at once.
 */
#include "cache/scribe.h"

#include "base/mem.h"

struct scribe {
	struct store	*store;
};

int
scribe_start(struct store *store, size_t queue_max, struct scribe **ret_scribe)
{
	struct scribe *scribe = xcalloc(1, sizeof(*scribe));

	(void)queue_max;
	scribe->store = store;
	*ret_scribe = scribe;
	return 0;
}

struct scribe *
scribe_stop(struct scribe *scribe)
{
	return xfree(scribe);
}

int
scribe_put(struct scribe *scribe, const struct entry *entry)
{
	return store_put(scribe->store, entry, 1, clock_wall()) == 0 ? 0 : SCRIBE_E_FULL;
}

bool
scribe_find(struct scribe *scribe, const struct key *key, struct bytes question,
    struct entry *ret_entry, void **ret_mem)
{
	(void)scribe;
	(void)key;
	(void)question;
	(void)ret_entry;
	(void)ret_mem;
	return false;
}

void
scribe_tally(struct scribe *scribe, struct tally *tally)
{
	(void)scribe;
	(void)tally;
}

void
scribe_note(struct scribe *scribe, const char *name, struct bytes text)
{
	(void)scribe;
	(void)name;
	(void)text;
}
