/* SPDX-License-Identifier: MIT */
/*
 * utf8.h - UTF-8 as RFC 3629 has it: shortest form, no surrogates, nothing above
 * U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copy the UTF-8 at FROM to TO, up to the first byte that is ASCII, begins no
 * sequence or is END; returns how much.
 */
size_t	utf8_copy(char *to, const char *from, const char *end);

/* Write CODE at TO, a surrogate like any other code; returns its length. */
size_t	utf8_put(char *to, uint32_t code);

bool	utf8_is_surrogate(uint32_t code);

#endif
