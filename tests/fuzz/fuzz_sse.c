/* SPDX-License-Identifier: MIT */
/*
 * fuzz_sse.c - any bytes as a stream of events and as lines, read whole and in
 * pieces: both must say the same.  The ceiling is small, so that short inputs
 * reach it.
 */
#include "proxy/http/sse.h"

#include <string.h>

#include "base/buf.h"
#include "proxy/http/ndjson.h"

#define EVENT_MAX	((size_t)64)
#define SEEN_MAX	((size_t)64 << 20)

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
note(struct buf *seen, struct bytes a, struct bytes b)
{
	assert(a.len <= EVENT_MAX && b.len <= EVENT_MAX);
	assert(buf_addf(seen, "%zu %zu ", a.len, b.len) == 0);
	assert(buf_add(seen, a) == 0 && buf_add(seen, b) == 0);
}

static void
read_events(struct bytes text, size_t step, struct buf *seen)
{
	struct sse *sse = sse_new(EVENT_MAX);
	enum sse_state state = SSE_MORE;
	struct sse_event event;

	for (; text.len > 0 && state != SSE_TOO_LARGE; text = bytes_skip(text, step)) {
		struct bytes in = bytes_first(text, step);
		size_t used;

		for (; in.len > 0 && state != SSE_TOO_LARGE; in = bytes_skip(in, used)) {
			state = sse_feed(sse, in, &used, &event);
			assert(used <= in.len && (used > 0 || state == SSE_TOO_LARGE));
			if (state == SSE_EVENT)
				note(seen, event.name, event.data);
		}
	}
	assert(buf_addf(seen, "%d %d", state == SSE_TOO_LARGE, sse_is_at_rest(sse)) == 0);
	sse_free(sse);
}

static void
read_lines(struct bytes text, size_t step, struct buf *seen)
{
	struct ndjson *ndjson = ndjson_new(EVENT_MAX);
	enum ndjson_state state = NDJSON_MORE;
	struct bytes line;

	for (; text.len > 0 && state != NDJSON_TOO_LARGE; text = bytes_skip(text, step)) {
		struct bytes in = bytes_first(text, step);
		size_t used;

		for (; in.len > 0 && state != NDJSON_TOO_LARGE; in = bytes_skip(in, used)) {
			state = ndjson_feed(ndjson, in, &used, &line);
			assert(used <= in.len && (used > 0 || state == NDJSON_TOO_LARGE));
			if (state == NDJSON_LINE)
				note(seen, line, BYTES_NONE);
		}
	}
	assert(buf_addf(seen, "%d %d", state == NDJSON_TOO_LARGE,
	    ndjson_is_at_rest(ndjson)) == 0);
	ndjson_free(ndjson);
}

static void
check_same(struct bytes text, size_t step, void (*reads)(struct bytes, size_t, struct buf *))
{
	struct buf whole, pieces;

	buf_init(&whole, SEEN_MAX);
	buf_init(&pieces, SEEN_MAX);
	reads(text, text.len + 1, &whole);
	reads(text, step, &pieces);
	assert(bytes_eq(buf_bytes(&whole), buf_bytes(&pieces)));
	buf_done(&pieces);
	buf_done(&whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes text = { (const char *)data, size };

	for (size_t step = 1; step < 8; step += 2) {
		check_same(text, step, read_events);
		check_same(text, step, read_lines);
	}
	return 0;
}
