/* SPDX-License-Identifier: MIT */
/*
 * json_text.h - how text is written in a JSON string that every reader of lines survives:
 * bad UTF-8 becomes U+FFFD, and controls, U+0080 to U+009F, U+2028 and U+2029 are escaped
 * (PROTOCOLS.md 12.2).
 */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include "base/bytes.h"

#define JSON_CHARACTER_MAX	6	/* \u0000 */

/* How many of the first bytes of TEXT stand for themselves. */
size_t	json_plain_len(struct bytes text);

/*
 * Write the character that TEXT begins with, which does not, to TO, *RET_LEN bytes of it;
 * returns how many bytes of TEXT it is.
 */
size_t	json_put_character(char to[JSON_CHARACTER_MAX], struct bytes text, size_t *ret_len);

#endif
