/* SPDX-License-Identifier: MIT */
/*
 * bytes.h - a borrowed run of bytes: a pointer and a length, owned by someone
 * else, passed by value.  May hold any byte, NUL included; PTR may be NULL
 * when LEN is 0.  In printf: "%.*s", BYTES_ARG(b).
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	const char	*ptr;
	size_t		 len;
};

#define BYTES_LIT(s)	((struct bytes){ (s), sizeof(s) - 1 })
#define BYTES_NONE	((struct bytes){ NULL, 0 })
#define BYTES_ARG(b)	(int)(b).len, (b).ptr

/* The bytes of the string S, without its NUL; NULL gives none. */
struct bytes	bytes_str(const char *s);

bool	bytes_eq(struct bytes a, struct bytes b);
bool	bytes_eq_str(struct bytes a, const char *s);

/* Compared without regard to the case of ASCII letters. */
bool	bytes_eq_nocase(struct bytes a, struct bytes b);
bool	bytes_eq_str_nocase(struct bytes a, const char *s);

bool	bytes_has_prefix(struct bytes b, const char *prefix);
bool	bytes_has_prefix_nocase(struct bytes b, const char *prefix);
bool	bytes_has_suffix(struct bytes b, const char *suffix);

/* Order as memcmp, the shorter first among equals. */
int	bytes_cmp(struct bytes a, struct bytes b);

/* Where C, or the string S, first stands in B; B.len if nowhere. */
size_t	bytes_find_char(struct bytes b, char c);
size_t	bytes_find_str(struct bytes b, const char *s);

/* What follows the first N bytes (none when N >= len), and the first N. */
struct bytes	bytes_skip(struct bytes b, size_t n);
struct bytes	bytes_first(struct bytes b, size_t n);

/* Without the SP and HTAB at both ends. */
struct bytes	bytes_trim(struct bytes b);

/*
 * Cut *REST at the first C: returns what stands before it and leaves in *REST
 * what follows (none when there was no C).
 */
struct bytes	bytes_cut(struct bytes *rest, char c);

#endif
