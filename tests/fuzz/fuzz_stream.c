/* SPDX-License-Identifier: MIT */
/*
 * fuzz_stream.c - any bytes as a stream, and as a whole answer, of each form: what can
 * be folded and said as a stream again folds to the same, and what is stored
 * as a stream is cut into pieces without losing a byte.
 *
 * The first byte chooses the form.
 */
#include "proxy/dialect/stream.h"

#include <string.h>

#include "cache/canon.h"
#include "proxy/dialect/exact_json.h"

#define TEXT_MAX	((size_t)64 << 20)

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Are A and B one value?  Yes also where nobody can tell. */
static bool
is_same_json(struct bytes a, struct bytes b)
{
	struct arena *arena = arena_new(TEXT_MAX);
	struct canon left, right;
	bool is_same = true;

	if (canon_make(a, NULL, arena, &left) == 0) {
		int r = canon_make(b, NULL, arena, &right);

		is_same = r == 0 && bytes_eq(left.text, right.text);
	}
	arena_free(arena);
	return is_same;
}

static bool
has_usage(struct bytes whole)
{
	json_auto_t *value = NULL;

	return exact_json_load(whole, &value) == 0 &&
	    json_is_object(json_object_get(value, "usage"));
}

/* WHOLE was folded: as a stream it has to be stored, and folds to itself. */
static void
check_again(enum stream_form form, struct bytes whole)
{
	const struct unfold_options options = { .include_usage = has_usage(whole) };
	struct bytes type = bytes_str(stream_content_type(form));
	struct buf stream, again;
	enum answer_verdict verdict;
	int r;

	buf_init(&stream, TEXT_MAX);
	buf_init(&again, TEXT_MAX);
	r = stream_unfold(form, whole, &options, &stream);
	assert(r >= 0);
	if (r == 0) {
		verdict = stream_judge(form, type, buf_bytes(&stream));
		assert(verdict == ANSWER_STORABLE || verdict == ANSWER_EMPTY ||
		    verdict == ANSWER_PASSING);
		assert(stream_has_end(form, buf_bytes(&stream)));
		assert(stream_fold(form, buf_bytes(&stream), &again) == 0);
		assert(is_same_json(whole, buf_bytes(&again)));
	}
	buf_done(&again);
	buf_done(&stream);
}

static void
check_pieces(enum stream_form form, struct bytes stream)
{
	struct bytes rest = stream, piece;
	size_t len = 0;

	while (stream_next_piece(form, &rest, &piece)) {
		assert(piece.len > 0 && piece.ptr == stream.ptr + len);
		len += piece.len;
	}
	assert(len == stream.len);
}

/* Any answer at all that can be said as a stream is said as one that ended well. */
static void
check_whole(enum stream_form form, struct bytes whole)
{
	const struct unfold_options options = { 0 };
	struct buf stream, folded;

	buf_init(&stream, TEXT_MAX);
	buf_init(&folded, TEXT_MAX);
	if (stream_unfold(form, whole, &options, &stream) == 0 &&
	    stream_fold(form, buf_bytes(&stream), &folded) == 0)
		check_again(form, buf_bytes(&folded));
	buf_done(&folded);
	buf_done(&stream);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum stream_form form;
	enum answer_verdict verdict;
	struct bytes stream;
	struct buf whole;
	int r;

	if (size == 0)
		return 0;
	form = STREAM_CHAT + data[0] % STREAM_TGI;
	stream = (struct bytes){ (const char *)data + 1, size - 1 };
	verdict = stream_judge(form, bytes_str(stream_content_type(form)), stream);
	buf_init(&whole, TEXT_MAX);
	r = stream_fold(form, stream, &whole);
	assert(r >= 0);
	if (r == 0) {
		assert(verdict == ANSWER_STORABLE || verdict == ANSWER_EMPTY ||
		    verdict == ANSWER_PASSING);
		check_again(form, buf_bytes(&whole));
	}
	check_pieces(form, stream);
	check_whole(form, stream);
	buf_done(&whole);
	return 0;
}
