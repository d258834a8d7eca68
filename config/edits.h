/* SPDX-License-Identifier: MIT */
/*
 * edits.h - what a route changes in the bodies of its requests: "set", "strip" and
 * "default", each a list of topmost members, read into one.
 */
#ifndef CONFIG_EDITS_H
#define CONFIG_EDITS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "config/literal.h"

#define CONFIG_EDITS_MAX	32		/* of one route */
#define CONFIG_EDIT_NAME_MAX	256

enum config_edit_kind {
	CONFIG_EDIT_SET,
	CONFIG_EDIT_STRIP,
	CONFIG_EDIT_DEFAULT,
};

struct config_edit {
	enum config_edit_kind	 kind;
	char		*name;		/* of the member, UTF-8 */
	char		*member;	/* "name":value as JSON; NULL: it goes */
	char		*value;		/* within it, the value */
};

/* Owned by the route; empty when zeroed. */
struct config_edits {
	struct config_edit	*list;		/* in the order of the file, by kind */
	size_t		 n;
};

enum {
	EDITS_E_WRONG = 1,
};

/*
 * Add one about the member that NAME, a scalar, names; VALUE is NULL where it is to go.
 * 0, or EDITS_E_WRONG and why not.
 */
int	edits_add(struct config_edits *edits, enum config_edit_kind kind,
	    const struct tree_node *name, const struct tree_node *value,
	    struct literal_fault *ret_fault) MUST_USE;

/* Must a body be an object, so that none gets round what is to be done with it? */
bool	edits_are_strict(const struct config_edits *edits, bool is_empty);

void	edits_done(struct config_edits *edits);

/* "set", "strip" or "default". */
const char	*edit_word(enum config_edit_kind kind);

#endif
