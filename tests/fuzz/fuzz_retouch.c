/* SPDX-License-Identifier: MIT */
/*
 * fuzz_retouch.c - any bytes as a body, as events and as lines: what comes of them is
 * the same however they arrive, is what came if nothing is asked, stays what it is
 * if asked again, and JSON remains JSON.
 *
 * The first byte says what is asked, the second how many bytes arrive at a time.
 */
#include "proxy/dialect/retouch.h"

#include <string.h>

#include "base/mem.h"
#include "cache/canon.h"
#include "proxy/dialect/json_walk.h"

#define TEXT_MAX	((size_t)64 << 20)

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What comes to OUT of IN, which arrives STEP bytes at a time. */
static void
feed(const struct retouch *how, struct bytes in, size_t step, struct buf *out)
{
	size_t used = 0, len = 0, n;

	while (len < in.len) {
		char *copy;

		len = in.len - len < step ? in.len : len + step;
		copy = xcalloc(len - used + 1, 1);
		memcpy(copy + 1, in.ptr + used, len - used);
		assert(retouch(how, (struct bytes){ copy + 1, len - used }, len == in.len, out,
		    &n) == 0);
		assert(n <= len - used);
		used += n;
		xfree(copy);
	}
	assert(used == in.len);
}

static void
check_pieces(const struct retouch *how, struct bytes in, size_t step)
{
	struct retouch nothing = { .frame = how->frame };
	struct buf whole, pieces, same, again;

	buf_init(&whole, TEXT_MAX);
	buf_init(&pieces, TEXT_MAX);
	buf_init(&same, TEXT_MAX);
	buf_init(&again, TEXT_MAX);
	feed(how, in, SIZE_MAX, &whole);
	feed(how, in, how->frame == RETOUCH_WHOLE ? SIZE_MAX : step, &pieces);
	assert(bytes_eq(buf_bytes(&whole), buf_bytes(&pieces)));
	feed(&nothing, in, SIZE_MAX, &same);
	assert(bytes_eq(buf_bytes(&same), in));
	/* Of names that come twice the last counts, and that one may have gone. */
	if (!how->drops_usage) {
		feed(how, buf_bytes(&whole), SIZE_MAX, &again);
		assert(bytes_eq(buf_bytes(&whole), buf_bytes(&again)));
	}
	buf_done(&again);
	buf_done(&same);
	buf_done(&pieces);
	buf_done(&whole);
}

static bool
is_json(struct bytes text)
{
	struct arena *arena = arena_new(TEXT_MAX);
	struct canon canon;
	bool is_good = canon_make(text, NULL, arena, &canon) == 0;

	arena_free(arena);
	return is_good;
}

/* The data of an event of TEXT, which is JSON on one line, is JSON or all is gone. */
static void
check_event(const struct retouch *how, struct bytes text)
{
	struct bytes left;
	struct buf in, out;

	buf_init(&in, TEXT_MAX);
	buf_init(&out, TEXT_MAX);
	assert(buf_addf(&in, "data:%.*s\n\n", BYTES_ARG(text)) == 0);
	feed(how, buf_bytes(&in), SIZE_MAX, &out);
	left = buf_bytes(&out);
	if (left.len > 0) {
		assert(bytes_has_prefix(left, "data:") && bytes_has_suffix(left, "\n\n"));
		assert(is_json(bytes_skip(bytes_first(left, left.len - 2), 5)));
	}
	buf_done(&out);
	buf_done(&in);
}

static void
check_json(const struct retouch *how, struct bytes text)
{
	struct retouch as = *how;
	struct json_walk walk;
	struct json_item item;
	struct buf out;
	int r;

	if (!is_json(text))
		return;
	json_walk_init(&walk, text);
	do
		r = json_walk_next(&walk, &item);
	while (r == 0);
	assert(r == JSON_WALK_E_END);
	buf_init(&out, TEXT_MAX);
	as.frame = RETOUCH_WHOLE;
	feed(&as, text, SIZE_MAX, &out);
	assert(is_json(buf_bytes(&out)));
	buf_done(&out);
	as.frame = RETOUCH_EVENTS;
	if (bytes_find_char(text, '\n') == text.len && bytes_find_char(text, '\r') == text.len)
		check_event(&as, text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct retouch how = { .now = (usec_t)1795581000123456 };
	struct bytes in;

	if (size < 3)
		return 0;
	how.frame = data[0] % 3;
	how.zeroes_usage = (data[0] & 0x10) != 0;
	how.drops_usage = (data[0] & 0x20) != 0;
	if ((data[0] & 0x40) != 0)
		how.id = BYTES_LIT("0123456789abcdef");
	in = (struct bytes){ (const char *)data + 2, size - 2 };
	check_pieces(&how, in, 1 + data[1] % 32);
	check_json(&how, in);
	return 0;
}
