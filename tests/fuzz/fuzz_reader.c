/* SPDX-License-Identifier: MIT */
/*
 * fuzz_reader.c - any bytes at all, read whole and in pieces: the verdicts must
 * be the same, and what was read must keep the promises of reader.h.
 *
 * The limits are small, so that short inputs reach them.
 */
#include "proxy/http/reader.h"

#include <string.h>

#include "base/mem.h"

#define ARENA_SIZE	((size_t)1 << 20)

struct verdict {
	struct arena		*arena;
	struct reader		*reader;
	enum reader_state	 state;
	size_t			 used;
};

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct reader_limits limits = {
	.head_max = 1024, .fields_max = 10, .target_max = 64, .body_max = 128,
};

/* Read TEXT, which arrives STEP bytes at a time. */
static struct verdict
read_in_steps(struct bytes text, size_t step)
{
	struct verdict verdict = { .arena = arena_new(ARENA_SIZE), .state = READER_MORE };
	size_t there = 0, used;

	verdict.reader = reader_new(verdict.arena, &limits);
	for (;;) {
		verdict.state = reader_feed(verdict.reader, (struct bytes){
		    text.ptr + verdict.used, there - verdict.used }, &used);
		assert(used <= there - verdict.used);
		verdict.used += used;
		if (verdict.state == READER_DONE || verdict.state == READER_REFUSED)
			return verdict;
		if (verdict.state == READER_HEAD)
			continue;
		assert(verdict.used == there);
		if (there == text.len)
			return verdict;
		there = text.len - there > step ? there + step : text.len;
	}
}

static void
verdict_done(struct verdict *verdict)
{
	verdict->reader = reader_free(verdict->reader);
	verdict->arena = arena_free(verdict->arena);
}

static void
check_head(const struct request_head *head)
{
	assert(head->minor_version <= 1);
	assert(head->target.len <= limits.target_max);
	assert(bytes_has_prefix(head->target, "/") || bytes_eq_str(head->target, "*"));
	assert(bytes_has_prefix(head->target, "*") || bytes_has_prefix(head->path, "/"));
	assert(head->host.len > 0 || head->minor_version == 0);
	assert(head->fields.n <= limits.fields_max);
	for (size_t i = 0; i < head->fields.n; i++) {
		assert(field_name_is_valid(head->fields.list[i].name));
		assert(field_value_is_valid(head->fields.list[i].value));
	}
}

static void
check_same(const struct verdict *a, const struct verdict *b)
{
	const struct request_head *head = reader_head(a->reader);

	assert(a->state == b->state);
	if (a->state == READER_REFUSED) {
		assert(reader_refusal(a->reader).why != NULL);
		assert(reader_refusal(a->reader).status == reader_refusal(b->reader).status);
		return;
	}
	assert(a->used == b->used);
	assert(bytes_eq(reader_body(a->reader), reader_body(b->reader)));
	assert((head == NULL) == (reader_head(b->reader) == NULL));
	if (head == NULL)
		return;
	check_head(head);
	assert(bytes_eq(head->target, reader_head(b->reader)->target));
	assert(bytes_eq(head->host, reader_head(b->reader)->host));
	assert(head->fields.n == reader_head(b->reader)->fields.n);
	assert(head->has_body || reader_body(a->reader).len == 0);
	assert(reader_body(a->reader).len <= limits.body_max);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = { 1, 7 };
	const struct bytes text = { (const char *)data, size };
	struct verdict whole = read_in_steps(text, size);

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct verdict other = read_in_steps(text, steps[i]);

		check_same(&whole, &other);
		verdict_done(&other);
	}
	verdict_done(&whole);
	return 0;
}
