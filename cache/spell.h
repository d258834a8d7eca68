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
#include "cache/run.h"

enum {
	SPELL_E_BAD = 1,	/* not such a token, or an exponent of over 16 digits */
};

/*
 * Embedded by value; AT moves as tokens are read, OUT grows in the arena.  OUT
 * always has room for what is left of the text as it stands, and more: only a
 * real can be longer than it came, so nothing else looks whether there is room.
 */
struct spell {
	struct arena	*arena;		/* borrowed: outlives us */
	run_copy_fn	*copy_plain;	/* the way of run.h that is used */
	const char	*at, *end;	/* what is left of the text */
	char		*out, *to;	/* what is written; below 4 GB */
	size_t		 out_size;
	bool		 is_plain;	/* the string read last had no escapes */
};

/* Read TEXT, which is not empty.  -E2BIG when the arena is full or TEXT near 4 GB. */
int	spell_init(struct spell *spell, struct bytes text, struct arena *arena) MUST_USE;

/* How many bytes have been written. */
static inline uint32_t
spell_written(const struct spell *spell)
{
	return (uint32_t)(spell->to - spell->out);
}

/* Go past white space; returns the byte there, NUL at the end. */
char	spell_skip_space(struct spell *spell);

/* The same where there is mostly none. */
static inline char
spell_next(struct spell *spell)
{
	if (spell->at < spell->end && *spell->at > ' ')
		return *spell->at;
	return spell_skip_space(spell);
}

/*
 * Write the MARK that is here, go past it and the space that many clients put
 * behind it, then as above.  Expected, that space is guessed and not waited for.
 */
static inline char
spell_past(struct spell *spell, char mark)
{
	const char *p = spell->at + 1;

	*spell->to++ = mark;
	if (p < spell->end && __builtin_expect(*p == ' ', 1))
		p++;
	spell->at = p;
	return spell_next(spell);
}

/*
 * Read a token and write it: the string that starts here; the number, as a real
 * when IS_REAL; numbers with commas between as long as they come, counted in *N;
 * the word WORD.  Return 0, SPELL_E_BAD, or -E2BIG when the arena is full.
 */
int	spell_string(struct spell *spell) MUST_USE;
int	spell_number(struct spell *spell, bool is_real) MUST_USE;
int	spell_numbers(struct spell *spell, size_t *n) MUST_USE;
int	spell_word(struct spell *spell, struct bytes word) MUST_USE;

/*
 * The text that RAW stands for, a string as it was read and without its quotes;
 * NUL-terminated behind its end.  A lone surrogate becomes U+FFFD when MEND, else
 * three bytes like any other code.
 */
int	spell_unescape(struct bytes raw, bool mend, struct arena *arena,
	    struct bytes *ret_text) MUST_USE;

#endif
