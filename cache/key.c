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

#include "base/num.h"
#include "cache/hash.h"

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

bool
key_parse(struct bytes text, struct key *ret_key)
{
	struct key key;

	if (text.len != 2 * sizeof(key.bytes))
		return false;
	for (size_t i = 0; i < sizeof(key.bytes); i++) {
		uint64_t byte;

		if (num_parse_hex64(bytes_first(bytes_skip(text, 2 * i), 2), &byte) != 0)
			return false;
		key.bytes[i] = (unsigned char)byte;
	}
	*ret_key = key;
	return true;
}

/* Take one part off the front of *REST. */
static bool
take_part(struct bytes *rest, struct bytes *ret_part)
{
	size_t len = 0;

	if (rest->len < 4)
		return false;
	for (int i = 3; i >= 0; i--)
		len = len << 8 | (unsigned char)rest->ptr[i];
	if (len > rest->len - 4)
		return false;
	*ret_part = (struct bytes){ rest->ptr + 4, len };
	*rest = bytes_skip(*rest, 4 + len);
	return true;
}

bool
key_read_question(struct bytes question, struct key_parts *ret_parts)
{
	struct bytes rest = bytes_skip(question, QUESTION_HEAD_LEN);
	struct key_parts parts = { 0 };
	struct bytes *const list[N_PARTS] = {
		&parts.scope, &parts.dialect, &parts.path_class, &parts.model, &parts.fields,
		&parts.body,
	};

	if (question.len < QUESTION_HEAD_LEN || question.ptr[0] != KEY_FORMAT ||
	    question.ptr[1] < KEY_RAW || question.ptr[1] > KEY_PARTS)
		return false;
	parts.form = (enum key_form)question.ptr[1];
	for (size_t i = 0; i < N_PARTS; i++)
		if (!take_part(&rest, list[i]))
			return false;
	if (rest.len > 0)
		return false;
	*ret_parts = parts;
	return true;
}
