/* SPDX-License-Identifier: MIT */
/*
 * diff.c - two trees walked side by side.
 */
#include "proxy/diff.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#define PATH_SIZE	512
#define DEPTH_MAX	128

struct walk {
	char	 path[PATH_SIZE];
	int	 max;
	int	 n;
	diff_fn	*fn;
	void	*arg;
};

static void
say(struct walk *walk, enum diff diff)
{
	if (walk->n++ < walk->max && walk->fn != NULL)
		walk->fn(walk->arg, diff, walk->path);
}

static void walk_values(struct walk *walk, const json_t *a, const json_t *b, unsigned depth);

/* Go one step on, and back. */
static void
walk_step(struct walk *walk, const char *step, const json_t *a, const json_t *b, unsigned depth)
{
	size_t len = strlen(walk->path);

	snprintf(walk->path + len, PATH_SIZE - len, "/%s", step);
	if (a == NULL)
		say(walk, DIFF_ONLY_B);
	else if (b == NULL)
		say(walk, DIFF_ONLY_A);
	else
		walk_values(walk, a, b, depth);
	walk->path[len] = '\0';
}

static void
walk_objects(struct walk *walk, const json_t *a, const json_t *b, unsigned depth)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)a, name, value)
		walk_step(walk, name, value, json_object_get(b, name), depth);
	json_object_foreach((json_t *)(uintptr_t)b, name, value)
		if (json_object_get(a, name) == NULL)
			walk_step(walk, name, NULL, value, depth);
}

static void
walk_arrays(struct walk *walk, const json_t *a, const json_t *b, unsigned depth)
{
	size_t n_a = json_array_size(a), n_b = json_array_size(b);
	char step[24];

	for (size_t i = 0; i < n_a || i < n_b; i++) {
		snprintf(step, sizeof(step), "%zu", i);
		walk_step(walk, step, json_array_get(a, i), json_array_get(b, i), depth);
	}
}

static void
walk_values(struct walk *walk, const json_t *a, const json_t *b, unsigned depth)
{
	if (depth < DEPTH_MAX && json_is_object(a) && json_is_object(b))
		walk_objects(walk, a, b, depth + 1);
	else if (depth < DEPTH_MAX && json_is_array(a) && json_is_array(b))
		walk_arrays(walk, a, b, depth + 1);
	else if (!json_equal(a, b))
		say(walk, DIFF_OTHER);
}

static json_t *
load(struct bytes text)
{
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	json_t *root = json_loadb(text.ptr, text.len, flags, NULL);

	/* Integers past its own: then none are told from reals. */
	if (root == NULL)
		root = json_loadb(text.ptr, text.len, flags | JSON_DECODE_INT_AS_REAL, NULL);
	return root;
}

int
diff_json(struct bytes a, struct bytes b, int max, diff_fn *fn, void *arg)
{
	struct walk walk = { .max = max, .fn = fn, .arg = arg };
	json_t *x = load(a), *y = load(b);

	if (x != NULL && y != NULL)
		walk_values(&walk, x, y, 0);
	else
		walk.n = -1;
	json_decref(x);
	json_decref(y);
	return walk.n;
}
