/* SPDX-License-Identifier: MIT */
/*
 * splice.c - pieces of the old text and the new, joined.
 */
#include "proxy/splice.h"

#include <errno.h>

#include "base/err.h"

#define EDITS_MAX	40

int
splice(struct bytes whole, const struct edit *edits, size_t n, struct arena *arena,
    struct bytes *ret_text)
{
	struct bytes pieces[2 * EDITS_MAX + 1];
	const char *at = whole.ptr, *end = whole.ptr + whole.len;

	assert(n <= EDITS_MAX);
	for (size_t i = 0; i < n; i++) {
		const char *start = edits[i].range.ptr;

		assert(start >= at && start + edits[i].range.len <= end);
		pieces[2 * i] = (struct bytes){ at, (size_t)(start - at) };
		pieces[2 * i + 1] = edits[i].text;
		at = start + edits[i].range.len;
	}
	pieces[2 * n] = (struct bytes){ at, (size_t)(end - at) };
	return arena_join(arena, pieces, 2 * n + 1, ret_text);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *
skip_space_back(const char *p)
{
	while (is_space(p[-1]))
		p--;
	return p;
}

/* The name stands before the value, and its quotes are the only ones in it. */
struct bytes
splice_member(struct bytes body, struct bytes value)
{
	const char *start = skip_space_back(value.ptr) - 1, *end = value.ptr + value.len;

	assert(value.ptr > body.ptr && *start == ':');
	start = skip_space_back(start) - 1;
	do {
		start--;
	} while (*start != '"');
	while (is_space(*end))
		end++;
	if (*end == ',') {
		end++;
	} else {	/* the last of its object: the comma before it goes */
		start = skip_space_back(start);
		start -= start[-1] == ',';
	}
	return (struct bytes){ start, (size_t)(end - start) };
}
