/* SPDX-License-Identifier: MIT */
/*
 * test_entry.c - an entry comes back as it was, and damaged not at all.
 */
#include "cache/entry.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <xxhash.h>

#include <cmocka.h>

#include "cache/digest.h"

#define ENTRY_MAX	4096
/* As entry.c draws it. */
#define HEAD_LEN	104
#define OLD_HEAD_LEN	96
#define STATUS_AT	64
#define LENGTHS_AT	72
#define TOKENS_AT	96

static const struct entry sample = {
	.key = { { 1, 2, 3, [15] = 255 } },
	.made = INT64_C(1700000000123456),
	.ttl = 86400 * USEC_PER_SEC,
	.took = 668 * USEC_PER_MSEC,
	.gist = UINT64_C(0x8877665544332211),
	.status = 200,
	.flags = ENTRY_COUNTED,
	.input = 300,
	.output = 0x0a0b0c0d,
	.scope = BYTES_LIT("team:a"),
	.model = BYTES_LIT("t5-small"),
	.compute = BYTES_LIT("cpu+optimized"),
	.fields = BYTES_LIT("content-type: application/json\r\n"),
	.question = BYTES_LIT("\1\1question"),
	.body = BYTES_LIT("[{\"translation_text\":\"Bonjour\0\"}]"),
};

static void
encode(const struct entry *entry, struct buf *out)
{
	buf_init(out, ENTRY_MAX);
	assert_int_equal(entry_encode(entry, out), 0);
	assert_int_equal(buf_len(out), entry_encoded_len(entry));
}

static void
expect_equal(const struct entry *a, const struct entry *b)
{
	assert_memory_equal(a->key.bytes, b->key.bytes, sizeof(a->key.bytes));
	assert_int_equal(a->made, b->made);
	assert_int_equal(a->ttl, b->ttl);
	assert_int_equal(a->took, b->took);
	assert_true(a->gist == b->gist);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->input, b->input);
	assert_int_equal(a->output, b->output);
	assert_true(bytes_eq(a->scope, b->scope));
	assert_true(bytes_eq(a->model, b->model));
	assert_true(bytes_eq(a->compute, b->compute));
	assert_true(bytes_eq(a->fields, b->fields));
	assert_true(bytes_eq(a->question, b->question));
	assert_true(bytes_eq(a->body, b->body));
}

static void
an_entry_comes_back_as_it_was(void **state)
{
	static const struct entry bare = { .status = 204 };
	const struct entry *const rows[] = { &sample, &bare };
	struct entry entry;
	struct buf out;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		encode(rows[i], &out);
		assert_int_equal(entry_decode(buf_bytes(&out), &entry), 0);
		expect_equal(&entry, rows[i]);
		buf_done(&out);
	}
}

/* The file outlives the program: the layout may not move under one ENTRY_FORMAT. */
static void
the_layout_is_the_one_that_is_written_down(void **state)
{
	static const char want[] =
	    "RPRe" "\3\0\0\0" "\xee\xee\xee\xee\xee\xee\xee\xee"
	    "\1\2\3\0\0\0\0\0\0\0\0\0\0\0\0\xff"
	    "\x40\x22\x20\x18\x24\x0a\x06\x00"
	    "\x00\x60\xd7\x1d\x14\x00\x00\x00"
	    "\x60\x31\x0a\x00\x00\x00\x00\x00" "\x11\x22\x33\x44\x55\x66\x77\x88"
	    "\xc8\0\0\0" "\x08\0\0\0" "\x06\0\0\0"
	    "\x08\0\0\0" "\x0d\0\0\0" "\x20\0\0\0" "\x0a\0\0\0" "\x21\0\0\0"
	    "\x2c\x01\0\0" "\x0d\x0c\x0b\x0a"
	    "team:at5-smallcpu+optimizedcontent-type: application/json\r\n";
	struct buf out;

	(void)state;
	encode(&sample, &out);
	memset(out.mem + out.head + 8, 0xee, 8);
	assert_memory_equal(out.mem + out.head, want, sizeof(want) - 1);
	buf_done(&out);
}

static void
every_flipped_bit_is_found(void **state)
{
	struct entry entry;
	struct buf out;

	(void)state;
	encode(&sample, &out);
	for (size_t i = 0; i < buf_len(&out) * 8; i++) {
		char *at = out.mem + out.head + i / 8;

		*at = (char)(*at ^ 1 << i % 8);
		assert_int_equal(entry_decode(buf_bytes(&out), &entry), ENTRY_E_BAD);
		*at = (char)(*at ^ 1 << i % 8);
	}
	assert_int_equal(entry_decode(buf_bytes(&out), &entry), 0);
	buf_done(&out);
}

static void
an_entry_cut_short_or_drawn_out_is_bad(void **state)
{
	struct entry entry;
	struct buf out;

	(void)state;
	encode(&sample, &out);
	for (size_t len = 0; len < buf_len(&out); len++)
		assert_int_equal(entry_decode(bytes_first(buf_bytes(&out), len), &entry),
		    ENTRY_E_BAD);
	assert_int_equal(buf_add_str(&out, "x"), 0);
	assert_int_equal(entry_decode(buf_bytes(&out), &entry), ENTRY_E_BAD);
	assert_int_equal(entry_decode(BYTES_NONE, &entry), ENTRY_E_BAD);
	buf_done(&out);
}

/* Write VALUE at AT of a sample and make its checksum right again. */
static int
decode_forged(size_t at, uint32_t value, size_t len)
{
	struct entry entry;
	struct buf out;
	uint64_t sum;
	char *mem;
	int r;

	encode(&sample, &out);
	mem = out.mem + out.head;
	for (size_t i = 0; i < 4; i++)
		mem[at + i] = (char)(value >> (8 * i));
	sum = XXH3_64bits(mem + 16, len - 16);
	for (size_t i = 0; i < 8; i++)
		mem[8 + i] = (char)(sum >> (8 * i));
	r = entry_decode(bytes_first(buf_bytes(&out), len), &entry);
	buf_done(&out);
	return r;
}

static void
a_right_checksum_does_not_make_lengths_right(void **state)
{
	const size_t len = entry_encoded_len(&sample);

	(void)state;
	assert_int_equal(decode_forged(LENGTHS_AT, 6, len), 0);
	for (size_t at = LENGTHS_AT; at < TOKENS_AT; at += 4) {
		assert_int_equal(decode_forged(at, UINT32_MAX, len), ENTRY_E_BAD);
		assert_int_equal(decode_forged(at, (uint32_t)len, len), ENTRY_E_BAD);
		assert_int_equal(decode_forged(at, 0, len), ENTRY_E_BAD);
	}
	assert_int_equal(decode_forged(LENGTHS_AT, 6, len - 1), ENTRY_E_BAD);
	assert_int_equal(decode_forged(LENGTHS_AT, 6, HEAD_LEN), ENTRY_E_BAD);
}

static void
impossible_values_are_bad(void **state)
{
	const size_t len = entry_encoded_len(&sample);

	(void)state;
	assert_int_equal(decode_forged(0, 0, len), ENTRY_E_BAD);
	assert_int_equal(decode_forged(4, ENTRY_FORMAT + 1, len), ENTRY_E_BAD);
	assert_int_equal(decode_forged(36, 0x80000000, len), ENTRY_E_BAD);	/* made */
	assert_int_equal(decode_forged(44, 0x80000000, len), ENTRY_E_BAD);	/* ttl */
	assert_int_equal(decode_forged(52, 0x80000000, len), ENTRY_E_BAD);	/* took */
	assert_int_equal(decode_forged(STATUS_AT, 99, len), ENTRY_E_BAD);
	assert_int_equal(decode_forged(STATUS_AT, 1000, len), ENTRY_E_BAD);
	assert_int_equal(decode_forged(STATUS_AT, UINT32_MAX, len), ENTRY_E_BAD);
	assert_int_equal(decode_forged(STATUS_AT, 999, len), 0);
	assert_int_equal(decode_forged(STATUS_AT + 4, 16, len), ENTRY_E_BAD);	/* flags */
	assert_int_equal(decode_forged(STATUS_AT + 4, 0, len), ENTRY_E_BAD);	/* tokens */
}

/* What a cache of the last version holds is given on: its head ends before the tokens. */
static void
an_entry_of_the_format_before_has_no_tokens(void **state)
{
	struct entry entry, old = sample;
	struct bytes bytes;
	struct buf out;
	uint64_t sum;
	char *mem;

	(void)state;
	old.flags = ENTRY_STREAM;
	old.input = old.output = 0;
	encode(&old, &out);
	mem = out.mem + out.head;
	memmove(mem + OLD_HEAD_LEN, mem + HEAD_LEN, buf_len(&out) - HEAD_LEN);
	bytes = bytes_first(buf_bytes(&out), buf_len(&out) - (HEAD_LEN - OLD_HEAD_LEN));
	mem[4] = 2;
	for (unsigned flags = ENTRY_STREAM; flags <= ENTRY_COUNTED; flags *= 2) {
		mem[STATUS_AT + 4] = (char)flags;
		sum = XXH3_64bits(mem + 16, bytes.len - 16);
		for (size_t i = 0; i < 8; i++)
			mem[8 + i] = (char)(sum >> (8 * i));
		old.flags = flags;
		assert_int_equal(entry_decode(bytes, &entry),
		    flags == ENTRY_COUNTED ? ENTRY_E_BAD : 0);
		if (flags != ENTRY_COUNTED)
			expect_equal(&entry, &old);
	}
	assert_int_equal(entry_peek(bytes_first(bytes, OLD_HEAD_LEN - 1), &entry), ENTRY_E_BAD);
	buf_done(&out);
}

/* H-21: a question that is not kept is known by its hash. */
static void
an_entry_knows_its_question(void **state)
{
	struct entry entry = sample;
	char sum[DIGEST_LEN];

	(void)state;
	assert_true(entry_answers(&entry, BYTES_LIT("\1\1question")));
	assert_false(entry_answers(&entry, BYTES_LIT("\1\1questioN")));
	digest_bytes(BYTES_LIT("secret question"), sum);
	entry.flags = ENTRY_HASHED;
	entry.question = (struct bytes){ sum, sizeof(sum) };
	assert_true(entry_answers(&entry, BYTES_LIT("secret question")));
	assert_false(entry_answers(&entry, BYTES_LIT("secret questioN")));
	assert_false(entry_answers(&entry, entry.question));
}

static void
a_peek_does_not_look_at_the_body(void **state)
{
	struct entry entry;
	struct buf out;

	(void)state;
	encode(&sample, &out);
	out.mem[out.tail - 1] ^= 1;
	assert_int_equal(entry_decode(buf_bytes(&out), &entry), ENTRY_E_BAD);
	assert_int_equal(entry_peek(buf_bytes(&out), &entry), 0);
	assert_true(bytes_eq(entry.model, sample.model));
	assert_int_equal(entry_peek(bytes_first(buf_bytes(&out), HEAD_LEN - 1), &entry),
	    ENTRY_E_BAD);
	buf_done(&out);
}

static void
what_could_not_be_read_is_not_written(void **state)
{
	struct entry entry = sample;
	struct buf out;

	(void)state;
	buf_init(&out, ENTRY_MAX);
	entry.status = 0;
	assert_int_equal(entry_encode(&entry, &out), -EINVAL);
	entry = sample;
	entry.ttl = -1;
	assert_int_equal(entry_encode(&entry, &out), -EINVAL);
	buf_done(&out);
	buf_init(&out, HEAD_LEN);
	assert_int_equal(entry_encode(&sample, &out), -E2BIG);
	assert_int_equal(buf_len(&out), 0);
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_comes_back_as_it_was),
		cmocka_unit_test(the_layout_is_the_one_that_is_written_down),
		cmocka_unit_test(every_flipped_bit_is_found),
		cmocka_unit_test(an_entry_cut_short_or_drawn_out_is_bad),
		cmocka_unit_test(a_right_checksum_does_not_make_lengths_right),
		cmocka_unit_test(impossible_values_are_bad),
		cmocka_unit_test(an_entry_of_the_format_before_has_no_tokens),
		cmocka_unit_test(an_entry_knows_its_question),
		cmocka_unit_test(a_peek_does_not_look_at_the_body),
		cmocka_unit_test(what_could_not_be_read_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
