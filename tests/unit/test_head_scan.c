/* SPDX-License-Identifier: MIT */
/*
 * test_head_scan.c - what a raw head may hold, however it is cut.
 */
#include "proxy/http/head_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

#define LINES_MAX	3

static const struct {
	struct bytes		text;
	enum head_scan_state	state;
	size_t			used;	/* unless there is more to come */
} rows[] = {
	{ BYTES_LIT(""), HEAD_SCAN_MORE, 0 },
	{ BYTES_LIT("a\r\n\r\n"), HEAD_SCAN_END, 5 },
	{ BYTES_LIT("a\r\n\r\nb\x01"), HEAD_SCAN_END, 5 },
	{ BYTES_LIT("a\r\nb: c\tc \x80\xff\r\n\r\n"), HEAD_SCAN_END, 16 },
	{ BYTES_LIT("\r\n\r\na\r\n\r\n"), HEAD_SCAN_END, 9 },
	{ BYTES_LIT("a\r\n"), HEAD_SCAN_MORE, 0 },
	{ BYTES_LIT("a\r\n\r"), HEAD_SCAN_MORE, 0 },
	{ BYTES_LIT("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"), HEAD_SCAN_MORE, 0 },
	{ BYTES_LIT("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\na"), HEAD_SCAN_BAD, 18 },
	{ BYTES_LIT("a\nb"), HEAD_SCAN_BAD, 2 },
	{ BYTES_LIT("\n"), HEAD_SCAN_BAD, 1 },
	{ BYTES_LIT("a\rb"), HEAD_SCAN_BAD, 3 },
	{ BYTES_LIT("a\r\r\n"), HEAD_SCAN_BAD, 3 },
	{ BYTES_LIT("a\r\n\n"), HEAD_SCAN_BAD, 4 },
	{ BYTES_LIT("a\r\n\rb"), HEAD_SCAN_BAD, 5 },
	{ BYTES_LIT(" a\r\n"), HEAD_SCAN_BAD, 1 },
	{ BYTES_LIT("\ta\r\n"), HEAD_SCAN_BAD, 1 },
	{ BYTES_LIT("a\r\n b\r\n"), HEAD_SCAN_BAD, 4 },
	{ BYTES_LIT("a\r\n\tb\r\n"), HEAD_SCAN_BAD, 4 },
	{ BYTES_LIT("a\r\n \r\n"), HEAD_SCAN_BAD, 4 },
	{ BYTES_LIT("a\0"), HEAD_SCAN_BAD, 2 },
	{ BYTES_LIT("\0"), HEAD_SCAN_BAD, 1 },
	{ BYTES_LIT("a\x01"), HEAD_SCAN_BAD, 2 },
	{ BYTES_LIT("a\x0b"), HEAD_SCAN_BAD, 2 },
	{ BYTES_LIT("a\x1f"), HEAD_SCAN_BAD, 2 },
	{ BYTES_LIT("a\x7f"), HEAD_SCAN_BAD, 2 },
	{ BYTES_LIT("a\r\nb\r\nc\r\n\r\n"), HEAD_SCAN_END, 11 },
	{ BYTES_LIT("a\r\nb\r\nc\r\nd\r\n\r\n"), HEAD_SCAN_LONG, 12 },
};

/* Look at TEXT in two parts and then no more; returns the state at the end. */
static enum head_scan_state
scan_cut(struct bytes text, size_t cut, size_t *ret_used)
{
	struct head_scan scan = { .lines_max = LINES_MAX };
	enum head_scan_state state = head_scan(&scan, bytes_first(text, cut), ret_used);
	size_t more;

	if (state != HEAD_SCAN_MORE)
		return state;
	assert_int_equal(*ret_used, cut);
	state = head_scan(&scan, bytes_skip(text, cut), &more);
	*ret_used += more;
	return state;
}

static void
every_cut_gives_the_same_state_and_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t cut = 0; cut <= rows[i].text.len; cut++) {
			size_t used;

			if (scan_cut(rows[i].text, cut, &used) != rows[i].state)
				fail_msg("row %zu cut at %zu", i, cut);
			assert_int_equal(used, rows[i].state == HEAD_SCAN_MORE ?
			    rows[i].text.len : rows[i].used);
		}
	}
}

static void
bytes_one_at_a_time_give_the_same_state_and_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct head_scan scan = { .lines_max = LINES_MAX };
		enum head_scan_state last = HEAD_SCAN_MORE;
		size_t n = 0, used;

		while (n < rows[i].text.len && last == HEAD_SCAN_MORE)
			last = head_scan(&scan, (struct bytes){ rows[i].text.ptr + n++, 1 }, &used);
		assert_int_equal(last, rows[i].state);
		if (last != HEAD_SCAN_MORE)
			assert_int_equal(n, rows[i].used);
	}
}

static void
lines_are_counted_without_the_empty_ones_in_front(void **state)
{
	struct head_scan scan = { .lines_max = LINES_MAX };
	size_t used;

	(void)state;
	assert_int_equal(head_scan(&scan, BYTES_LIT("\r\na\r\nb\r\n\r\n"), &used), HEAD_SCAN_END);
	assert_int_equal(scan.n_lines, 2);
	assert_int_equal(scan.n_empty, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cut_gives_the_same_state_and_end),
		cmocka_unit_test(bytes_one_at_a_time_give_the_same_state_and_end),
		cmocka_unit_test(lines_are_counted_without_the_empty_ones_in_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
