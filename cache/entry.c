/* SPDX-License-Identifier: MIT */
/*
 * entry.c - the layout of an entry; numbers are little-endian, times are in
 * microseconds, lengths have 32 bits:
 *
 *	 0  magic "RPRe"	48  took
 *	 4  format		56  gist
 *	 8  checksum		64  status
 *	16  key			68  flags
 *	32  made		72  lengths of scope, model, compute, fields, question, body
 *	40  ttl			96  tokens of input, of output
 *				104  those six in turn, up to the end
 *
 * Format 2 is the same without the tokens.
 */
#include "cache/entry.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "cache/digest.h"
#include "cache/hash.h"

#define MAGIC		UINT32_C(0x65525052)
#define LENGTHS_AT	72
#define TOKENS_AT	96
#define CHECKED_FROM	16	/* where what the checksum covers starts */
#define N_PARTS		6
#define OLD_FLAGS	(ENTRY_HASHED | ENTRY_STREAM | ENTRY_USAGE)
#define KNOWN_FLAGS	(OLD_FLAGS | ENTRY_COUNTED)

/* What can be read. */
static const struct format {
	uint32_t	 number;
	size_t		 head_len;
	unsigned	 flags;
} formats[] = {
	{ 2, TOKENS_AT, OLD_FLAGS },
	{ ENTRY_FORMAT, ENTRY_HEAD_LEN, KNOWN_FLAGS },
};

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
	return entry->made >= 0 && entry->ttl >= 0 && entry->took >= 0 &&
	    entry->status >= 100 && entry->status <= 999 &&
	    (entry->flags & ~(unsigned)KNOWN_FLAGS) == 0 &&
	    ((entry->flags & ENTRY_COUNTED) != 0 || (entry->input | entry->output) == 0);
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
	to = put_u64(to, (uint64_t)entry->took);
	to = put_u64(to, entry->gist);
	to = put_u32(to, (uint32_t)entry->status);
	to = put_u32(to, entry->flags);
	for (size_t i = 0; i < N_PARTS; i++)
		to = put_u32(to, (uint32_t)parts[i].len);
	return put_u32(put_u32(to, entry->input), entry->output);
}

int
entry_encode(const struct entry *entry, struct buf *out)
{
	const struct bytes parts[N_PARTS] = {
		entry->scope, entry->model, entry->compute, entry->fields, entry->question,
		entry->body,
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
	return ENTRY_HEAD_LEN + entry->scope.len + entry->model.len + entry->compute.len +
	    entry->fields.len + entry->question.len + entry->body.len;
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

/* The head and where the parts lie; BYTES is at least a head, and of this FORMAT. */
static int
read_entry(struct bytes bytes, const struct format *format, struct entry *ret_entry)
{
	const char *head = bytes.ptr;
	bool has_tokens = format->head_len > TOKENS_AT;
	struct bytes parts[N_PARTS];
	struct entry entry;

	if (read_parts(bytes_skip(bytes, format->head_len), head + LENGTHS_AT, parts) != 0 ||
	    get_u32(head + 64) > 999 || (get_u32(head + 68) & ~format->flags) != 0)
		return ENTRY_E_BAD;
	entry = (struct entry){
		.made = (usec_t)get_u64(head + 32),
		.ttl = (usec_t)get_u64(head + 40),
		.took = (usec_t)get_u64(head + 48),
		.gist = get_u64(head + 56),
		.status = (int)get_u32(head + 64),
		.flags = get_u32(head + 68),
		.input = has_tokens ? get_u32(head + TOKENS_AT) : 0,
		.output = has_tokens ? get_u32(head + TOKENS_AT + 4) : 0,
		.scope = parts[0],
		.model = parts[1],
		.compute = parts[2],
		.fields = parts[3],
		.question = parts[4],
		.body = parts[5],
	};
	if (!is_sound(&entry))
		return ENTRY_E_BAD;
	memcpy(entry.key.bytes, head + 16, sizeof(entry.key.bytes));
	*ret_entry = entry;
	return 0;
}

/* That of BYTES, which are at least its head; NULL if they are no entry. */
static const struct format *
format_of(struct bytes bytes)
{
	if (bytes.len < TOKENS_AT || get_u32(bytes.ptr) != MAGIC)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (get_u32(bytes.ptr + 4) == formats[i].number)
			return bytes.len >= formats[i].head_len ? &formats[i] : NULL;
	return NULL;
}

int
entry_decode(struct bytes bytes, struct entry *ret_entry)
{
	const struct format *format = format_of(bytes);

	if (format == NULL || get_u64(bytes.ptr + 8) != checksum(bytes))
		return ENTRY_E_BAD;
	return read_entry(bytes, format, ret_entry);
}

int
entry_peek(struct bytes bytes, struct entry *ret_entry)
{
	const struct format *format = format_of(bytes);

	return format != NULL ? read_entry(bytes, format, ret_entry) : ENTRY_E_BAD;
}

bool
entry_answers(const struct entry *entry, struct bytes question)
{
	char sum[DIGEST_LEN];

	if ((entry->flags & ENTRY_HASHED) == 0)
		return bytes_eq(entry->question, question);
	digest_bytes(question, sum);
	return bytes_eq(entry->question, (struct bytes){ sum, sizeof(sum) });
}
