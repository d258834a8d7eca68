/* SPDX-License-Identifier: MIT */
/*
 * entry.c - the layout of an entry; numbers are little-endian, times are in
 * microseconds, lengths have 32 bits:
 *
 *	 0  magic "RPRe"	48  status
 *	 4  format		52  lengths of model, compute, fields, question, body
 *	 8  checksum		72  these five in turn, up to the end
 *	16  key
 *	32  made
 *	40  ttl
 */
#include "cache/entry.h"

#include <errno.h>
#include <string.h>

#include <xxhash.h>

#define MAGIC		UINT32_C(0x65525052)
#define HEAD_LEN	72
#define CHECKED_FROM	16	/* where what the checksum covers starts */
#define N_PARTS		5

static char *
put_u32(char *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (char)(value >> (8 * i) & 0xff);
	return to + 4;
}

static char *
put_u64(char *to, uint64_t value)
{
	return put_u32(put_u32(to, (uint32_t)value), (uint32_t)(value >> 32));
}

static uint32_t
get_u32(const char *p)
{
	uint32_t value = 0;

	for (int i = 3; i >= 0; i--)
		value = value << 8 | (unsigned char)p[i];
	return value;
}

static uint64_t
get_u64(const char *p)
{
	return get_u32(p) | (uint64_t)get_u32(p + 4) << 32;
}

/* Integrity only: it never decides identity. */
static uint64_t
checksum(struct bytes entry)
{
	struct bytes checked = bytes_skip(entry, CHECKED_FROM);

	return XXH3_64bits(checked.ptr, checked.len);
}

static bool
is_sound(const struct entry *entry)
{
	return entry->made >= 0 && entry->ttl >= 0 && entry->status >= 100 &&
	    entry->status <= 999;
}

static char *
put_head(const struct entry *entry, const struct bytes *parts, char *to)
{
	to = put_u32(to, MAGIC);
	to = put_u32(to, ENTRY_FORMAT);
	to = put_u64(to, 0);		/* the checksum, once the rest stands */
	memcpy(to, entry->key.bytes, sizeof(entry->key.bytes));
	to = put_u64(to + sizeof(entry->key.bytes), (uint64_t)entry->made);
	to = put_u64(to, (uint64_t)entry->ttl);
	to = put_u32(to, (uint32_t)entry->status);
	for (size_t i = 0; i < N_PARTS; i++)
		to = put_u32(to, (uint32_t)parts[i].len);
	return to;
}

int
entry_encode(const struct entry *entry, struct buf *out)
{
	const struct bytes parts[N_PARTS] = {
		entry->model, entry->compute, entry->fields, entry->question, entry->body,
	};
	size_t len = entry_encoded_len(entry);
	char *start, *to;
	int r;

	if (!is_sound(entry))
		return -EINVAL;
	for (size_t i = 0; i < N_PARTS; i++)
		if (parts[i].len > UINT32_MAX)
			return -E2BIG;
	r = buf_space(out, len, &start);
	if (r < 0)
		return r;
	to = put_head(entry, parts, start);
	for (size_t i = 0; i < N_PARTS; i++) {
		if (parts[i].len > 0)
			memcpy(to, parts[i].ptr, parts[i].len);
		to += parts[i].len;
	}
	assert(to == start + len);
	put_u64(start + 8, checksum((struct bytes){ start, len }));
	buf_fill(out, len);
	return 0;
}

size_t
entry_encoded_len(const struct entry *entry)
{
	return HEAD_LEN + entry->model.len + entry->compute.len + entry->fields.len +
	    entry->question.len + entry->body.len;
}

/* Cut the parts off REST by their LENGTHS; they have to fill it exactly. */
static int
read_parts(struct bytes rest, const char *lengths, struct bytes *parts)
{
	for (size_t i = 0; i < N_PARTS; i++) {
		size_t len = get_u32(lengths + 4 * i);

		if (len > rest.len)
			return ENTRY_E_BAD;
		parts[i] = bytes_first(rest, len);
		rest = bytes_skip(rest, len);
	}
	return rest.len == 0 ? 0 : ENTRY_E_BAD;
}

int
entry_decode(struct bytes bytes, struct entry *ret_entry)
{
	const char *head = bytes.ptr;
	struct bytes parts[N_PARTS];
	struct entry entry;

	if (bytes.len < HEAD_LEN || get_u32(head) != MAGIC || get_u32(head + 4) != ENTRY_FORMAT)
		return ENTRY_E_BAD;
	if (read_parts(bytes_skip(bytes, HEAD_LEN), head + 52, parts) != 0 ||
	    get_u64(head + 8) != checksum(bytes) || get_u32(head + 48) > 999)
		return ENTRY_E_BAD;
	entry = (struct entry){
		.made = (usec_t)get_u64(head + 32),
		.ttl = (usec_t)get_u64(head + 40),
		.status = (int)get_u32(head + 48),
		.model = parts[0],
		.compute = parts[1],
		.fields = parts[2],
		.question = parts[3],
		.body = parts[4],
	};
	if (!is_sound(&entry))
		return ENTRY_E_BAD;
	memcpy(entry.key.bytes, head + 16, sizeof(entry.key.bytes));
	*ret_entry = entry;
	return 0;
}
