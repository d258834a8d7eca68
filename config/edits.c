/* SPDX-License-Identifier: MIT */
/*
 * edits.c - which members a route may edit, and what it puts in.
 */
#include "config/edits.h"

#include <string.h>

#include "base/mem.h"
#include "config/tree.h"

static const char *const words[] = {
	[CONFIG_EDIT_SET] = "set", [CONFIG_EDIT_STRIP] = "strip", [CONFIG_EDIT_DEFAULT] = "default",
};

const char *
edit_word(enum config_edit_kind kind)
{
	return words[kind];
}

/* What has an option of its own, or would give clients another form than they asked for. */
static const char *
why_not_name(enum config_edit_kind kind, const char *name)
{
	if (name[0] == '\0')
		return "names no member";
	if (strlen(name) > CONFIG_EDIT_NAME_MAX)
		return "is longer than any name of a member";
	if (strcmp(name, "model") == 0)
		return "is not for editing; rewrite_model says what the model is called upstream";
	if (strcmp(name, "stream") == 0)
		return "is not for editing: clients must get the form that they ask for";
	if (strcmp(name, "stream_options") == 0 && kind != CONFIG_EDIT_STRIP)
		return "is not for editing; see include_usage of the upstream";
	return NULL;
}

/* Once is enough, and twice would ask for an order. */
static const char *
why_not_twice(const struct config_edits *edits, const char *name)
{
	static const char *const whys[] = {
		[CONFIG_EDIT_SET] = "stands in \"set\" already",
		[CONFIG_EDIT_STRIP] = "stands in \"strip\" already",
		[CONFIG_EDIT_DEFAULT] = "stands in \"default\" already",
	};

	for (size_t i = 0; i < edits->n; i++)
		if (strcmp(edits->list[i].name, name) == 0)
			return whys[edits->list[i].kind];
	return edits->n < CONFIG_EDITS_MAX ? NULL :
	    "is one too many: a route edits at most 32 members";
}

/* The member as it is put in. */
static int
write_member(struct config_edit *edit, const struct tree_node *name, const struct tree_node *value,
    struct literal_fault *ret_fault)
{
	struct buf member;
	size_t at = 0;
	int r;

	buf_init(&member, LITERAL_MAX);
	r = literal_add_string(&member, bytes_str(name->text));
	if (r == 0)
		r = buf_add_str(&member, ":");
	assert(r == 0);		/* the name has its own bound */
	at = buf_len(&member);
	r = literal_add(value, &member, ret_fault);
	if (r == 0) {
		edit->member = xstrndup(buf_bytes(&member).ptr, buf_len(&member));
		edit->value = edit->member + at;
	}
	buf_done(&member);
	return r == 0 ? 0 : EDITS_E_WRONG;
}

int
edits_add(struct config_edits *edits, enum config_edit_kind kind, const struct tree_node *name,
    const struct tree_node *value, struct literal_fault *ret_fault)
{
	const char *why = why_not_name(kind, name->text);
	struct config_edit edit = { .kind = kind };

	if (why == NULL)
		why = why_not_twice(edits, name->text);
	if (why != NULL) {
		*ret_fault = (struct literal_fault){ name, why };
		return EDITS_E_WRONG;
	}
	if (value != NULL && write_member(&edit, name, value, ret_fault) != 0)
		return EDITS_E_WRONG;
	edit.name = xstrdup(name->text);
	edits->list = xreallocarray(edits->list, edits->n + 1, sizeof(*edits->list));
	edits->list[edits->n++] = edit;
	return 0;
}

bool
edits_are_strict(const struct config_edits *edits, bool is_empty)
{
	for (size_t i = 0; i < edits->n; i++)
		if (edits->list[i].kind == CONFIG_EDIT_SET ||
		    (edits->list[i].kind == CONFIG_EDIT_STRIP && !is_empty))
			return true;
	return false;
}

void
edits_done(struct config_edits *edits)
{
	for (size_t i = 0; i < edits->n; i++) {
		xfree(edits->list[i].name);
		xfree(edits->list[i].member);
	}
	edits->list = xfree(edits->list);
	edits->n = 0;
}
