/* SPDX-License-Identifier: MIT */
/*
 * edit_body.h - a body with what its route sets, strips and puts in by default: only the
 * bytes of those members change, all else stays as the client wrote it.  Pure.
 */
#ifndef PROXY_EDIT_BODY_H
#define PROXY_EDIT_BODY_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "config/edits.h"

struct edited {
	struct bytes	text;		/* in the arena; the body itself if nothing changed */
	uint32_t	made;		/* which edits changed it, bit by bit */
};

enum {
	EDIT_BODY_E_BAD = 1,	/* not an object, or a name comes twice in it */
};

/* BODY, a strict JSON text, with EDITS made.  0, EDIT_BODY_E_BAD, or -E2BIG. */
int	edit_body(const struct config_edits *edits, struct bytes body, struct arena *arena,
	    struct edited *ret_edited) MUST_USE;

#endif
