/* SPDX-License-Identifier: MIT */
/*
 * fuzz_entry.c - any bytes as an entry, as they are and with the checksum made
 * right; what is taken comes out of entry_encode() as the same bytes, or, if it is of an
 * older format, as an entry that says the same.
 */
#include "cache/entry.h"

#include <string.h>

#include <xxhash.h>

#define FORMAT_AT	4
#define CHECKED_FROM	16

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct bytes bytes)
{
	bool is_old = bytes.len > FORMAT_AT && bytes.ptr[FORMAT_AT] != ENTRY_FORMAT;
	struct entry entry, again;
	struct buf out;

	if (entry_decode(bytes, &entry) != 0)
		return;
	buf_init(&out, bytes.len + ENTRY_HEAD_LEN);
	assert(entry_encode(&entry, &out) == 0);
	assert(entry_encoded_len(&entry) == buf_len(&out));
	assert(is_old || bytes_eq(buf_bytes(&out), bytes));
	assert(entry_decode(buf_bytes(&out), &again) == 0);
	assert(bytes_eq(again.body, entry.body) && again.flags == entry.flags);
	buf_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf forged;
	uint64_t sum;

	check((struct bytes){ (const char *)data, size });
	if (size < CHECKED_FROM)
		return 0;
	buf_init(&forged, size);
	assert(buf_add(&forged, (struct bytes){ (const char *)data, size }) == 0);
	sum = XXH3_64bits(data + CHECKED_FROM, size - CHECKED_FROM);
	for (int i = 0; i < 8; i++)
		forged.mem[8 + i] = (char)(sum >> (8 * i));
	check(buf_bytes(&forged));
	buf_done(&forged);
	return 0;
}
