/* SPDX-License-Identifier: MIT */
/*
 * line.h - a line put together piece by piece, on the stack and without printf: there is
 * one for each request.  What does not fit is cut off.
 */
#ifndef BASE_LINE_H
#define BASE_LINE_H

#include "base/bytes.h"
#include "base/clock.h"

#define LINE_MEM_SIZE	((size_t)8192)
#define LINE_VALUE_MAX	((size_t)512)	/* of a string from outside, as written */

struct line {
	char	*at;		/* where the next byte goes */
	char	 mem[LINE_MEM_SIZE];
};

void		line_init(struct line *line);
struct bytes	line_bytes(const struct line *line);

void	line_add(struct line *line, struct bytes b);
void	line_add_str(struct line *line, const char *s);
void	line_add_u64(struct line *line, uint64_t value);
void	line_add_hex64(struct line *line, uint64_t value);

/* A time in milliseconds, to three places: 12.345. */
void	line_add_ms(struct line *line, usec_t time);

/* As a JSON string of MAX bytes at most, quotes and all: bad UTF-8 becomes U+FFFD. */
void	line_add_json(struct line *line, struct bytes text, size_t max);

/* As it is, if that cannot be taken for more than one word; else as a JSON string. */
void	line_add_word(struct line *line, struct bytes text, size_t max);

#endif
