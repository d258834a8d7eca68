/* SPDX-License-Identifier: MIT */
/*
 * log.c - one write(2) a line, so that threads never mix theirs.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_LEN	2048

static _Atomic enum log_level max_level = LOG_LEVEL_INFO;

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

static void
write_line(const char *line, size_t len)
{
	/* A log that cannot be written is no reason to stop serving. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_LEN];
	va_list ap;
	int start, len;

	if (!log_enabled(level))
		return;
	start = snprintf(line, sizeof(line), "<%d>", (int)level);
	va_start(ap, fmt);
	len = vsnprintf(line + start, sizeof(line) - (size_t)start - 1, fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	len += start;
	if ((size_t)len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	for (int i = start; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';
	write_line(line, (size_t)len);
}
