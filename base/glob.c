/* SPDX-License-Identifier: MIT */
/*
 * glob.c - greedy matching that comes back to the last star alone.
 */
#include "base/glob.h"

bool
glob_match(const char *pattern, struct bytes text)
{
	const char *after_star = NULL;
	size_t at = 0, star_at = 0;

	while (at < text.len) {
		if (*pattern == '*') {
			after_star = ++pattern;
			star_at = at;
		} else if (*pattern != '\0' && *pattern == text.ptr[at]) {
			pattern++;
			at++;
		} else if (after_star != NULL) {
			pattern = after_star;
			at = ++star_at;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
