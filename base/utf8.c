/* SPDX-License-Identifier: MIT */
/*
 * utf8.c - sequences of two bytes to four.
 */
#include "base/utf8.h"

/* The length of the sequence at P, which is not ASCII; 0 if it is none. */
static size_t
sequence_len(const char *p, const char *end)
{
	unsigned char lead = (unsigned char)p[0], second;
	size_t len = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

	if (lead < 0xc2 || lead > 0xf4 || (size_t)(end - p) < len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
	second = (unsigned char)p[1];
	if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second >= 0xa0) ||
	    (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second >= 0x90))
		return 0;
	return len;
}

size_t
utf8_copy(char *to, const char *from, const char *end)
{
	const char *p = from;

	while (p < end && (unsigned char)*p >= 0x80) {
		size_t len = sequence_len(p, end);

		if (len == 0)
			break;
		for (; len > 0; len--)
			*to++ = *p++;
	}
	return (size_t)(p - from);
}

size_t
utf8_put(char *to, uint32_t code)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = len - 1; i > 0; i--) {
		to[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	to[0] = (char)(lead[len] | code);
	return len;
}

bool
utf8_is_surrogate(uint32_t code)
{
	return code >= 0xd800 && code <= 0xdfff;
}
