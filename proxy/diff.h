/* SPDX-License-Identifier: MIT */
/*
 * diff.h - where two JSON texts differ, as JSON pointers: for people who wonder
 * why a question was not the same.  Pure.
 */
#ifndef PROXY_DIFF_H
#define PROXY_DIFF_H

#include <stdbool.h>

#include "base/bytes.h"

/* How A and B differ at PATH. */
enum diff {
	DIFF_ONLY_A,
	DIFF_ONLY_B,
	DIFF_OTHER,
};

typedef void diff_fn(void *arg, enum diff diff, const char *path);

/*
 * Call FN for each place at which A and B differ, the outermost alone, at most
 * MAX times; FN may be NULL.  Returns how many there are in all, or -1 if one of
 * them is no JSON.
 */
int	diff_json(struct bytes a, struct bytes b, int max, diff_fn *fn, void *arg);

#endif
