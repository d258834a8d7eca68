/* SPDX-License-Identifier: MIT */
/*
 * brief.c - from quote to quote.  Only plain bytes are left out, and only behind
 * many of their kind: an escape, a letter of several bytes, and what stands
 * right behind them stay, and with them whatever may be wrong there.
 */
#include "proxy/dialect/brief.h"

#include <string.h>

#include "cache/run.h"

/* Of a run the first may be the digits of an escape. */
#define RUN_LEN_MAX	(BRIEF_LEN_MIN + 4)

struct copy {
	run_copy_fn	*run;
	const char	*from;
	const char	*end;
	char		*to;
};

/* All of it up to and with the quote that begins a string. */
static void
copy_to_string(struct copy *copy)
{
	const char *quote = memchr(copy->from, '"', (size_t)(copy->end - copy->from));
	const char *next = quote != NULL ? quote + 1 : copy->end;

	copy->to = mempcpy(copy->to, copy->from, (size_t)(next - copy->from));
	copy->from = next;
}

static void
copy_run(struct copy *copy)
{
	const char *next = copy->run(copy->to, copy->from, copy->end);
	size_t len = (size_t)(next - copy->from);

	copy->to += len < RUN_LEN_MAX ? len : RUN_LEN_MAX;
	copy->from = next;
}

/* What stands behind a quote, up to and with that which ends the string. */
static void
copy_string(struct copy *copy)
{
	while (copy->from < copy->end) {
		char c;

		copy_run(copy);
		if (copy->from == copy->end)
			return;
		c = *copy->to++ = *copy->from++;
		if (c == '"')
			return;
		if (c == '\\' && copy->from < copy->end)
			*copy->to++ = *copy->from++;
	}
}

int
brief_make(struct bytes text, struct buf *out)
{
	struct copy copy = { .run = run_way(0) };
	char *start;
	int r = buf_space(out, text.len, &start);

	if (r < 0)
		return r;
	copy.from = text.ptr;
	copy.end = text.ptr + text.len;
	copy.to = start;
	while (copy.from < copy.end) {
		copy_to_string(&copy);
		copy_string(&copy);
	}
	buf_fill(out, (size_t)(copy.to - start));
	return 0;
}
