/* SPDX-License-Identifier: MIT */
/*
 * json_text.c - most characters stand for themselves; the others are escaped one by one.
 */
#include "base/json_text.h"

#include <string.h>

#include "base/utf8.h"

#define SEQUENCE_MAX	4	/* bytes of a character in UTF-8 */

size_t
json_plain_len(struct bytes text)
{
	size_t n = 0;

	while (n < text.len && text.ptr[n] >= 0x20 && text.ptr[n] < 0x7f &&
	    text.ptr[n] != '"' && text.ptr[n] != '\\')
		n++;
	return n;
}

static size_t
put_escape(char *to, unsigned code)
{
	if (code == '"' || code == '\\') {
		to[0] = '\\';
		to[1] = (char)code;
		return 2;
	}
	to[0] = '\\';
	to[1] = 'u';
	for (size_t i = JSON_CHARACTER_MAX; i > 2; code >>= 4)
		to[--i] = "0123456789abcdef"[code & 15];
	return JSON_CHARACTER_MAX;
}

/* One that some take for the end of a line or for more than a character; 0 if it is none. */
static unsigned
control_of(struct bytes sequence)
{
	const unsigned char *p = (const unsigned char *)sequence.ptr;

	if (sequence.len == 2 && p[0] == 0xc2 && p[1] < 0xa0)
		return p[1];
	if (sequence.len == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9))
		return 0x2000 | (p[2] & 0x3f);
	return 0;
}

size_t
json_put_character(char to[JSON_CHARACTER_MAX], struct bytes text, size_t *ret_len)
{
	struct bytes first = bytes_first(text, SEQUENCE_MAX);
	size_t n = 1;

	if ((unsigned char)text.ptr[0] < 0x80) {
		*ret_len = put_escape(to, (unsigned char)text.ptr[0]);
		return 1;
	}
	while (n < first.len && ((unsigned char)first.ptr[n] & 0xc0) == 0x80)
		n++;
	n = utf8_copy(to, first.ptr, first.ptr + n);
	*ret_len = n;
	if (n > 0 && control_of(bytes_first(text, n)) != 0)
		*ret_len = put_escape(to, control_of(bytes_first(text, n)));
	if (n > 0)
		return n;
	memcpy(to, "\xef\xbf\xbd", 3);
	*ret_len = 3;
	return 1;
}
