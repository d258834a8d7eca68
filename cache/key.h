/* SPDX-License-Identifier: MIT */
/*
 * key.h - what identifies a question: XXH3-128 under the cache's own 192
 * secret bytes (H-22) over parts, each with its length before it so that no
 * two lists of parts run together.
 */
#ifndef CACHE_KEY_H
#define CACHE_KEY_H

#include "base/arena.h"
#include "base/bytes.h"

#define KEY_SECRET_LEN	192
#define KEY_FORMAT	1	/* changes whenever the meaning of the parts does */

struct key {
	unsigned char	bytes[16];
};

/* What the body of a question is: forms never meet. */
enum key_form {
	KEY_RAW,		/* as it came */
	KEY_JSON,		/* canon_make() */
	KEY_PARTS,		/* multipart, its boundary left out */
};

struct key_parts {
	struct bytes	scope;		/* namespace: empty is the shared one */
	struct bytes	dialect;
	struct bytes	path_class;
	struct bytes	model;		/* after alias */
	struct bytes	fields;		/* the header fields that change the answer */
	enum key_form	form;		/* of BODY */
	struct bytes	body;
};

/*
 * The question as one run of bytes: what is stored with an answer, and
 * compared on a hit so that a collision is a miss (H-20).  -E2BIG when ARENA
 * is full.
 */
int	key_question(const struct key_parts *parts, struct arena *arena,
	    struct bytes *ret_question) MUST_USE;

/* The parts of QUESTION, borrowed from it; false if it is none of this format. */
bool	key_read_question(struct bytes question, struct key_parts *ret_parts);

/* The key of a question under SECRET (KEY_SECRET_LEN bytes). */
struct key	key_make(struct bytes question, const unsigned char *secret);

/* 32 hexadecimal digits and a NUL; and back: false if TEXT is not 32 of them. */
void	key_format(const struct key *key, char ret_text[33]);
bool	key_parse(struct bytes text, struct key *ret_key);

#endif
