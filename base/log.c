/* SPDX-License-Identifier: MIT */
/*
 * log.c - lines in one piece, so that threads never mix theirs, to stderr or to the thread
 * that writes there.
 */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "base/spool.h"

#define MESSAGE_MAX	2048
#define WAITING_MAX	((size_t)1 << 20)
#define PATIENCE	USEC_PER_SEC
#define END_MAX		8		/* of a line: what is put behind it */

static _Atomic enum log_level max_level = LOG_LEVEL_INFO;
static _Atomic bool is_json;
static _Atomic(struct spool *) spool;
static _Atomic bool is_stuck;		/* nobody reads stderr; who wrote there would wait */
static _Atomic uint64_t n_dropped;	/* by spools that are gone */

void
log_set_level(enum log_level level)
{
	atomic_store_explicit(&max_level, level, memory_order_relaxed);
}

bool
log_enabled(enum log_level level)
{
	return level <= atomic_load_explicit(&max_level, memory_order_relaxed);
}

void
log_set_json(bool json)
{
	atomic_store_explicit(&is_json, json, memory_order_relaxed);
}

bool
log_is_json(void)
{
	return atomic_load_explicit(&is_json, memory_order_relaxed);
}

/* Whoever gave us stderr may have set it not to block. */
static bool
wait_for_room(void)
{
	struct pollfd poll_fd = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&poll_fd, 1, -1) > 0 || errno == EINTR;
}

/* A log that cannot be written is no reason to stop serving. */
static size_t
write_all(void *arg, struct bytes data)
{
	size_t at = 0;

	(void)arg;
	while (at < data.len) {
		ssize_t n = write(STDERR_FILENO, data.ptr + at, data.len - at);

		if (n >= 0)
			at += (size_t)n;
		else if (errno != EINTR && (errno != EAGAIN || !wait_for_room()))
			break;
	}
	return at;
}

static void
put(struct bytes line)
{
	struct spool *there = atomic_load_explicit(&spool, memory_order_acquire);

	if (there != NULL)
		(void)spool_put(there, line);
	else if (!atomic_load_explicit(&is_stuck, memory_order_relaxed))
		(void)write_all(NULL, line);
}

static const char *
name_of(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERR:
		return "error";
	case LOG_LEVEL_WARN:
		return "warn";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	unreachable("a level");
}

static void
begin_text(struct line *line, enum log_level level)
{
	const char prefix[] = { '<', (char)('0' + (int)level), '>' };

	line_add(line, (struct bytes){ prefix, sizeof(prefix) });
}

static void
begin_json(struct line *line, enum log_level level)
{
	char time[DATE_LEN];

	date_format(clock_wall(), time);
	line_add(line, BYTES_LIT("{\"time\":\""));
	line_add(line, (struct bytes){ time, sizeof(time) });
	line_add(line, BYTES_LIT("\",\"level\":\""));
	line_add_str(line, name_of(level));
	line_add(line, BYTES_LIT("\",\"message\":"));
}

void
log_begin(struct line *line, enum log_level level, const char *message)
{
	line_init(line);
	if (log_is_json()) {
		begin_json(line, level);
		line_add_json(line, bytes_str(message), LINE_MEM_SIZE / 2);
	} else {
		begin_text(line, level);
		line_add_str(line, message);
	}
}

static struct bytes
finish(struct line *line)
{
	if (line_bytes(line).len > LINE_MEM_SIZE - END_MAX)
		line->at = line->mem + LINE_MEM_SIZE - END_MAX;
	if (line->mem[0] == '{')
		line_add(line, BYTES_LIT("}"));
	line_add(line, BYTES_LIT("\n"));
	return line_bytes(line);
}

void
log_end(struct line *line)
{
	put(finish(line));
}

static void
blank_controls(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	struct line line;
	va_list ap;
	int len;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	len = vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	blank_controls(message);
	log_begin(&line, level, message);
	log_end(&line);
}

static size_t
tell_dropped(uint64_t n, char *mem, size_t size)
{
	struct line line;
	struct bytes told;
	char message[128];

	snprintf(message, sizeof(message), "%" PRIu64 " lines of the log were dropped: "
	    "nobody read them in time", n);
	log_begin(&line, LOG_LEVEL_WARN, message);
	told = finish(&line);
	assert(told.len <= size);
	memcpy(mem, told.ptr, told.len);
	return told.len;
}

void
log_start(void)
{
	const struct spool_options options = {
		.name = "log", .size = WAITING_MAX, .write = write_all, .tell = tell_dropped,
	};
	struct spool *there;
	int r = spool_start(&options, &there);

	if (r < 0)
		log_warn("no thread for the log: %s; whoever logs waits for stderr", strerror(-r));
	else
		atomic_store_explicit(&spool, there, memory_order_release);
}

void
log_stop(void)
{
	struct spool *there = atomic_load_explicit(&spool, memory_order_acquire);

	if (there == NULL)
		return;
	atomic_store_explicit(&spool, NULL, memory_order_release);
	atomic_fetch_add_explicit(&n_dropped, spool_dropped(there), memory_order_relaxed);
	if (!spool_stop(there, PATIENCE))
		atomic_store_explicit(&is_stuck, true, memory_order_relaxed);
}

uint64_t
log_dropped(void)
{
	struct spool *there = atomic_load_explicit(&spool, memory_order_acquire);
	uint64_t before = atomic_load_explicit(&n_dropped, memory_order_relaxed);

	return before + (there != NULL ? spool_dropped(there) : 0);
}
