/* SPDX-License-Identifier: MIT */
/*
 * spell.h - JSON tokens read from a text and written in the one spelling that
 * their value has in a canonical form (canon.h).
 *
 *	strings		UTF-8; escaped are '"', '\', control bytes (\b \f \n \r \t, else
 *			\u00xx) and lone surrogates (\udxxx, lower case)
 *	integers	as they came, -0 as 0
 *	reals		digits without zeros at either end, "e", a power of ten: 15e-1
 *
 * So nothing is rounded, and an integer and a real never share a spelling.
 */
#ifndef CACHE_SPELL_H
#define CACHE_SPELL_H

#include "base/arena.h"
#include "base/bytes.h"

enum {
	SPELL_E_BAD = 1,	/* not such a token, or an exponent of over 16 digits */
};

/* Embedded by value; AT moves as tokens are read, OUT grows in the arena. */
struct spell {
	struct arena	*arena;		/* borrowed: outlives us */
	const char	*at, *end;	/* what is left of the text */
	char		*out;
	size_t		 out_len;	/* stays below 2^32 */
	size_t		 out_size;
};

/* Read TEXT, which is not empty.  -E2BIG when the arena is full or TEXT past 4 GB. */
int	spell_init(struct spell *spell, struct bytes text, struct arena *arena) MUST_USE;

void	spell_skip_space(struct spell *spell);

/* Go past C, writing nothing; false if it does not come next. */
bool	spell_take(struct spell *spell, char c);

/* Write C. */
int	spell_put(struct spell *spell, char c) MUST_USE;

/*
 * Read a token and write it: the string that starts here, in *RET_RAW without
 * its quotes as it stands in the text; the number, as a real when IS_REAL; the
 * word WORD.  Return 0, SPELL_E_BAD, or -E2BIG when the arena is full.
 */
int	spell_string(struct spell *spell, struct bytes *ret_raw) MUST_USE;
int	spell_number(struct spell *spell, bool is_real) MUST_USE;
int	spell_word(struct spell *spell, const char *word) MUST_USE;

/*
 * The text that RAW of spell_string() stands for, NUL-terminated behind its
 * end.  A lone surrogate becomes U+FFFD when MEND, else three bytes like any
 * other code.
 */
int	spell_unescape(struct bytes raw, bool mend, struct arena *arena,
	    struct bytes *ret_text) MUST_USE;

#endif
