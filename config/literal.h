/* SPDX-License-Identifier: MIT */
/*
 * literal.h - a value of the configuration as a JSON text, where it is for an API and not
 * for us: maps, lists, and scalars as YAML 1.2's core schema reads them.  What stands in
 * quotes is a text; a number keeps its spelling where JSON has it too.  Pure.
 */
#ifndef CONFIG_LITERAL_H
#define CONFIG_LITERAL_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

struct tree_node;

#define LITERAL_MAX		((size_t)64 << 10)	/* bytes of JSON */
#define LITERAL_DEPTH_MAX	32			/* maps and lists in one another */

enum {
	LITERAL_E_WRONG = 1,
};

/* What is wrong, and where. */
struct literal_fault {
	const struct tree_node	*node;
	const char		*why;
};

/* Append NODE to OUT as JSON.  0, or LITERAL_E_WRONG with *RET_FAULT. */
int	literal_add(const struct tree_node *node, struct buf *out,
	    struct literal_fault *ret_fault) MUST_USE;

/* Append TEXT, which is UTF-8, as a JSON string; errors as those of buf_add(). */
int	literal_add_string(struct buf *out, struct bytes text) MUST_USE;

#endif
