/* SPDX-License-Identifier: MIT */
/*
 * test_sse.c - the grammar of events, and reads that end anywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "proxy/http/sse.h"

#define EVENT_MAX	((size_t)4096)

/* What an event is in SEEN: [name|data], "-" for no data, "!" for an error line. */
static const struct {
	const char	*text, *seen;
	bool		 is_at_rest;
} rows[] = {
	{ "", "", true },
	{ "data: a\n\n", "[|a]", true },
	{ "data: a\r\n\r\n", "[|a]", true },
	{ "data: a\r\rdata: b\r\r", "[|a][|b]", true },
	{ "data: a\r\n\ndata: b\n\r\n", "[|a][|b]", true },
	{ "data: a\n\r", "[|a]", true },
	{ "\xef\xbb\xbf" "data: a\n\n", "[|a]", true },
	{ "\xef\xbb\xbf\n" "data: a\n\n", "[|a]", true },
	{ "data: a\n\n\xef\xbb\xbf" "data: b\n\n", "[|a]", true },
	{ ": hello\n\ndata: a\n\n", "[|a]", true },
	{ ":\n", "", true },
	{ ": hello", "", false },
	{ "data:a\n\n", "[|a]", true },
	{ "data:  a \n\n", "[| a ]", true },
	{ "data\n\n", "[|]", true },
	{ "data:\ndata\n\n", "[|\n]", true },
	{ "data: a\ndata: b\ndata: c\n\n", "[|a\nb\nc]", true },
	{ "event: x\ndata: a\n\n", "[x|a]", true },
	{ "event: x\nevent: y\ndata: a\n\ndata: b\n\n", "[y|a][|b]", true },
	{ "event: x\n\n", "[x-]", true },
	{ "event:\n\n", "", true },
	{ "id: 1\nretry: 5\n\n", "", true },
	{ "id: 1\ndata: a\n\n", "[|a]", true },
	{ "other: 1\ndata: a\nData: b\n\n", "[|a]", true },
	{ "data: a:b\n\n", "[|a:b]", true },
	{ "data: \xe2\x80\xa8\n\n", "[|\xe2\x80\xa8]", true },
	{ "\n\n\r\r\n", "", true },
	{ "error: {\"code\":500}\n\n", "[!{\"code\":500}]", true },
	{ "data: a\nerror: b\n\n", "[!a\nb]", true },
	{ "data: a\n", "", false },
	{ "data: a", "", false },
	{ "id: 1\n", "", false },
	{ "data: a\n\nd", "[|a]", false },
	{ "data: [DONE]\n\n", "[|[DONE]]", true },
};

static void
note_event(struct buf *seen, const struct sse_event *event)
{
	const char *kind = event->is_error_field ? "!" : event->has_data ? "|" : "-";

	assert_int_equal(buf_addf(seen, "[%.*s%s%.*s]", BYTES_ARG(event->name), kind,
	    BYTES_ARG(event->data)), 0);
}

static void
read_part(struct sse *sse, struct bytes in, struct buf *seen)
{
	struct sse_event event;
	size_t used;

	for (; in.len > 0; in = bytes_skip(in, used))
		if (sse_feed(sse, in, &used, &event) == SSE_EVENT)
			note_event(seen, &event);
}

static struct sse *
read_in_steps(struct bytes text, size_t step, struct buf *seen)
{
	struct sse *sse = sse_new(EVENT_MAX);

	for (; text.len > 0; text = bytes_skip(text, step))
		read_part(sse, bytes_first(text, step), seen);
	return sse;
}

static void
events_are_what_the_grammar_says_however_they_arrive(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes text = bytes_str(rows[i].text);

		for (size_t step = 1; step <= text.len + 1; step++) {
			struct buf seen;
			struct sse *sse;

			buf_init(&seen, EVENT_MAX);
			sse = read_in_steps(text, step, &seen);
			if (!bytes_eq_str(buf_bytes(&seen), rows[i].seen))
				print_message("row %zu, step %zu: %.*s\n", i, step,
				    BYTES_ARG(buf_bytes(&seen)));
			assert_true(bytes_eq_str(buf_bytes(&seen), rows[i].seen));
			assert_int_equal(sse_is_at_rest(sse), rows[i].is_at_rest);
			sse_free(sse);
			buf_done(&seen);
		}
	}
}

static void
two_reads_cut_anywhere_say_the_same(void **state)
{
	static const char text[] = "\xef\xbb\xbf: hi\r\n\r\nevent: \xc3\xa9\rdata: \xe2\x82\xac\n"
	    "data:\xf0\x9f\x98\x80\r\n\rid: 4\n\n\nerror: no\r\r\ndata: [DONE]\n\n";
	const char *const want = "[\xc3\xa9|\xe2\x82\xac\n\xf0\x9f\x98\x80][!no][|[DONE]]";

	(void)state;
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		struct sse *sse = sse_new(EVENT_MAX);
		struct buf seen;

		buf_init(&seen, EVENT_MAX);
		read_part(sse, (struct bytes){ text, cut }, &seen);
		read_part(sse, (struct bytes){ text + cut, sizeof(text) - 1 - cut }, &seen);
		assert_true(bytes_eq_str(buf_bytes(&seen), want));
		assert_true(sse_is_at_rest(sse));
		sse_free(sse);
		buf_done(&seen);
	}
}

static void
what_passes_the_ceiling_is_refused(void **state)
{
	static const struct {
		const char		*text;
		enum sse_state		 state;
	} cases[] = {
		{ "data: 1234567890\n\n", SSE_EVENT },
		{ "data: 12345678901\n\n", SSE_TOO_LARGE },
		{ "data: 12345\ndata: 1234\n\n", SSE_EVENT },
		{ "data: 12345\ndata: 12345\n\n", SSE_TOO_LARGE },
		{ "event: 12345678901\n\n", SSE_TOO_LARGE },
		{ "0123456789012345678901234567890", SSE_TOO_LARGE },
		{ ": 0123456789012345678901234567890\n\n", SSE_TOO_LARGE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes text = bytes_str(cases[i].text);
		struct sse *sse = sse_new(10);
		struct sse_event event;
		size_t used;

		assert_int_equal(sse_feed(sse, text, &used, &event), cases[i].state);
		if (cases[i].state == SSE_TOO_LARGE) {
			assert_int_equal(sse_feed(sse, text, &used, &event), SSE_TOO_LARGE);
			assert_int_equal(used, 0);
			assert_false(sse_is_at_rest(sse));
		}
		sse_free(sse);
	}
	assert_null(sse_free(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_what_the_grammar_says_however_they_arrive),
		cmocka_unit_test(two_reads_cut_anywhere_say_the_same),
		cmocka_unit_test(what_passes_the_ceiling_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
