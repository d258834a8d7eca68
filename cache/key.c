/* SPDX-License-Identifier: MIT */
/*
 * key.c - the question as bytes, and its hash.
 *
 *	KEY_FORMAT, form	one byte each
 *	length, bytes			of every part in turn; 32 bits, little-endian
 */
#include "cache/key.h"

#include <errno.h>
#include <string.h>

#include <xxhash.h>

#define QUESTION_HEAD_LEN	2
#define N_PARTS			6

static char *
put_part(char *to, struct bytes part)
{
	for (int i = 0; i < 4; i++)
		*to++ = (char)(part.len >> (8 * i) & 0xff);
	if (part.len > 0)
		memcpy(to, part.ptr, part.len);
	return to + part.len;
}

int
key_question(const struct key_parts *parts, struct arena *arena, struct bytes *ret_question)
{
	const struct bytes list[N_PARTS] = {
		parts->scope, parts->dialect, parts->path_class, parts->model, parts->fields,
		parts->body,
	};
	size_t len = QUESTION_HEAD_LEN;
	char *question, *to;

	for (size_t i = 0; i < N_PARTS; i++) {
		if (list[i].len > UINT32_MAX)
			return -E2BIG;
		len += 4 + list[i].len;
	}
	question = to = arena_alloc(arena, len);
	if (question == NULL)
		return -E2BIG;
	*to++ = KEY_FORMAT;
	*to++ = (char)parts->form;
	for (size_t i = 0; i < N_PARTS; i++)
		to = put_part(to, list[i]);
	assert(to == question + len);
	*ret_question = (struct bytes){ question, len };
	return 0;
}

struct key
key_make(struct bytes question, const unsigned char *secret)
{
	XXH128_canonical_t canonical;
	struct key key;

	XXH128_canonicalFromHash(&canonical,
	    XXH3_128bits_withSecret(question.ptr, question.len, secret, KEY_SECRET_LEN));
	memcpy(key.bytes, canonical.digest, sizeof(key.bytes));
	return key;
}

void
key_format(const struct key *key, char ret_text[33])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(key->bytes); i++) {
		ret_text[2 * i] = digits[key->bytes[i] >> 4];
		ret_text[2 * i + 1] = digits[key->bytes[i] & 15];
	}
	ret_text[32] = '\0';
}
