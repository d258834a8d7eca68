/* SPDX-License-Identifier: MIT */
/*
 * tree.h - a YAML text as a tree that knows where everything stood.  Not
 * called yaml: libyaml has a yaml_free of its own, and would call ours.
 */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include "base/bytes.h"
#include "base/err.h"

enum tree_kind {
	TREE_SCALAR,
	TREE_LIST,
	TREE_MAP,
};

struct tree_node {
	enum tree_kind	 kind;
	const char	*text;		/* of a scalar */
	bool		 is_null;	/* a scalar that is empty, ~ or null, unquoted */
	bool		 is_plain;	/* a scalar, unquoted */
	bool		 is_bare;	/* without a tag, and what could be a number alone */
	unsigned	 line, column;	/* from 1 */
	size_t		 n;		/* of a list or map */
	struct tree_pair *pairs;
};

struct tree_pair {
	const struct tree_node	*key;	/* in a map: a scalar */
	const struct tree_node	*value;
};

struct tree;

struct tree_error {
	unsigned	line, column;
	char		what[160];
};

enum {
	TREE_E_WRONG = 1,
};

/*
 * Read TEXT.  0, or TREE_E_WRONG and what is wrong in *RET_ERROR: syntax, keys
 * that are no scalars or stand twice, more than one document.
 */
int	tree_read(struct bytes text, struct tree **ret_tree, struct tree_error *ret_error) MUST_USE;
struct tree	*tree_free(struct tree *tree);

/* The topmost node, or NULL when there is nothing in the text. */
const struct tree_node	*tree_root(const struct tree *tree);

#endif
