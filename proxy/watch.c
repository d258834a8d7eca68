/* SPDX-License-Identifier: MIT */
/*
 * watch.c - counters of before and now, put into words.
 */
#include "proxy/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "cache/scribe.h"
#include "cache/store.h"

#define LOG_EVERY	(60 * USEC_PER_SEC)
#define FULL_BELOW	((uint64_t)1 << 20)	/* bytes free: the disk is full */

/* LMDB says EIO for a full disk: the file system knows better (H-55). */
static const char *
why(const struct watch *watch, int error)
{
	struct statvfs fs;

	if (error == -ENOSPC)
		return "there is no room within its size";
	if (statvfs(watch->path, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < FULL_BELOW)
		return "the disk is full";
	return strerror(-error);
}

static void
watch_errors(struct watch *watch, const struct scribe_stat *stat, usec_t now)
{
	if (stat->errors != watch->errors &&
	    (watch->logged == 0 || now - watch->logged >= LOG_EVERY)) {
		log_warn("cache %s: %" PRIu64 " writes failed: %s; serving goes on, and storing "
		    "is tried again", watch->path, stat->errors - watch->errors,
		    why(watch, stat->last_error));
		watch->errors = stat->errors;
		watch->logged = now;
	}
	if (watch->was_paused && !stat->paused && stat->errors == watch->errors)
		log_info("cache %s: storing again", watch->path);
	watch->was_paused = stat->paused;
	if (stat->reopened != watch->reopened)
		log_warn("cache %s: its file had to be opened again", watch->path);
	watch->reopened = stat->reopened;
}

static void
watch_readers(struct watch *watch, const struct scribe_stat *stat, usec_t now)
{
	if (stat->slow_reader == 0 ||
	    (watch->slow_logged != 0 && now - watch->slow_logged < LOG_EVERY))
		return;
	log_warn("cache %s: process %d has been reading for long and keeps space from being used "
	    "again; storing stops before the file grows too large", watch->path,
	    stat->slow_reader);
	watch->slow_logged = now;
}

static void
watch_damage(struct watch *watch)
{
	struct store_stat stat;

	if (store_get_stat(watch->store, &stat) != 0 || stat.damaged == watch->damaged)
		return;
	log_warn("cache %s: %" PRIu64 " entries failed their check and were taken for misses",
	    watch->path, stat.damaged - watch->damaged);
	watch->damaged = stat.damaged;
}

void
watch_cache(struct watch *watch, usec_t now)
{
	struct scribe_stat stat;

	if (watch->scribe == NULL)
		return;
	scribe_get_stat(watch->scribe, &stat);
	watch_errors(watch, &stat, now);
	watch_readers(watch, &stat, now);
	watch_damage(watch);
}
