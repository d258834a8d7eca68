/* SPDX-License-Identifier: MIT */
/*
 * cli_text.c - how commands say times, sizes, questions and progress.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/err.h"
#include "base/mem.h"
#include "proxy/cli_priv.h"

#define PROGRESS_EVERY	(100 * USEC_PER_MSEC)
#define BAR_WIDTH	30

const char *
cli_format_time(usec_t wall, char text[CLI_TEXT_SIZE])
{
	time_t t = (time_t)(wall / USEC_PER_SEC);
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(text, CLI_TEXT_SIZE, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		snprintf(text, CLI_TEXT_SIZE, "?");
	return text;
}

const char *
cli_format_duration(usec_t duration, char text[CLI_TEXT_SIZE])
{
	static const struct {
		usec_t		 unit;
		const char	*name;
	} rows[] = {
		{ 86400 * USEC_PER_SEC, "d" }, { 3600 * USEC_PER_SEC, "h" },
		{ 60 * USEC_PER_SEC, "m" }, { USEC_PER_SEC, "s" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (duration >= rows[i].unit) {
			snprintf(text, CLI_TEXT_SIZE, "%" PRId64 "%s", duration / rows[i].unit,
			    rows[i].name);
			return text;
		}
	snprintf(text, CLI_TEXT_SIZE, "%" PRId64 "ms", duration / USEC_PER_MSEC);
	return text;
}

const char *
cli_format_size(uint64_t bytes, char text[CLI_TEXT_SIZE])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double value = (double)bytes;
	size_t i = 0;

	while (value >= 1024 && i + 1 < ARRAY_LEN(units)) {
		value /= 1024;
		i++;
	}
	snprintf(text, CLI_TEXT_SIZE, i == 0 ? "%.0f %s" : "%.1f %s", value, units[i]);
	return text;
}

/* A character ends where the next byte is no continuation of UTF-8. */
static bool
is_inside(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

void
cli_print_line(struct bytes text, size_t width)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (!is_inside(text.ptr[i]) && n++ == width) {
			fputs("...", stdout);
			break;
		}
		putchar(c < 0x20 || c == 0x7f ? ' ' : c);
	}
	putchar('\n');
}

void
cli_print_body(struct bytes text)
{
	json_t *root = NULL;
	char *pretty = NULL;

	if (isatty(STDOUT_FILENO))
		root = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (root != NULL)
		pretty = json_dumps(root, JSON_INDENT(2) | JSON_ENCODE_ANY);
	if (pretty != NULL)
		fputs(pretty, stdout);
	else
		fwrite(text.ptr, 1, text.len, stdout);
	putchar('\n');
	xfree(pretty);
	json_decref(root);
}

void
cli_progress(const char *what, uint64_t n, uint64_t total)
{
	static usec_t last;
	usec_t now = clock_mono();
	int done;

	if (!isatty(STDERR_FILENO) || (now - last < PROGRESS_EVERY && n < total))
		return;
	last = now;
	done = total > 0 ? (int)((n < total ? n : total) * BAR_WIDTH / total) : 0;
	fprintf(stderr, "\r%s [%.*s%*s] %" PRIu64, what, done,
	    "##############################", BAR_WIDTH - done, "", n);
	fflush(stderr);
}

void
cli_progress_end(void)
{
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
}
