/* SPDX-License-Identifier: MIT */
/*
 * test_buf.c - a growing run of bytes with a ceiling.
 */
#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
an_empty_buffer_holds_no_memory(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 10);
	assert_null(buf.mem);
	assert_int_equal(buf_len(&buf), 0);
	assert_int_equal(buf_bytes(&buf).len, 0);
	buf_done(&buf);
}

static void
what_is_added_stands_in_order(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	assert_int_equal(buf_add(&buf, BYTES_LIT("a\0b")), 0);
	assert_int_equal(buf_add(&buf, BYTES_NONE), 0);
	assert_int_equal(buf_add_str(&buf, "cd"), 0);
	assert_int_equal(buf_addf(&buf, "%d-%s", 12, "e"), 0);
	assert_true(bytes_eq(buf_bytes(&buf), BYTES_LIT("a\0bcd12-e")));
	buf_done(&buf);
}

static void
an_append_past_the_ceiling_changes_nothing(void **state)
{
	struct buf buf;
	char *space;

	(void)state;
	buf_init(&buf, 4);
	assert_int_equal(buf_add_str(&buf, "abc"), 0);
	assert_int_equal(buf_add_str(&buf, "de"), -E2BIG);
	assert_int_equal(buf_addf(&buf, "%d", 12345), -E2BIG);
	assert_int_equal(buf_space(&buf, SIZE_MAX, &space), -E2BIG);
	assert_true(bytes_eq_str(buf_bytes(&buf), "abc"));
	assert_int_equal(buf_add_str(&buf, "d"), 0);
	assert_int_equal(buf_add_str(&buf, "e"), -E2BIG);
	buf_done(&buf);
}

static void
consumed_bytes_make_room_under_the_ceiling(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 4);
	assert_int_equal(buf_add_str(&buf, "abcd"), 0);
	buf_consume(&buf, 3);
	assert_int_equal(buf_add_str(&buf, "efg"), 0);
	assert_true(bytes_eq_str(buf_bytes(&buf), "defg"));
	buf_consume(&buf, 4);
	assert_int_equal(buf_len(&buf), 0);
	buf_done(&buf);
}

static void
a_buffer_that_is_drained_as_it_fills_does_not_grow(void **state)
{
	struct buf buf;
	size_t size;

	(void)state;
	buf_init(&buf, 1 << 20);
	assert_int_equal(buf_add_str(&buf, "0123456789"), 0);
	size = buf.size;
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(buf_add_str(&buf, "0123456789"), 0);
		buf_consume(&buf, 10);
	}
	assert_int_equal(buf.size, size);
	assert_true(bytes_eq_str(buf_bytes(&buf), "0123456789"));
	buf_done(&buf);
}

static void
it_grows_to_its_ceiling_and_keeps_what_it_holds(void **state)
{
	const size_t max = 5000;
	struct buf buf;

	(void)state;
	buf_init(&buf, max);
	for (size_t i = 0; i < max; i++) {
		char c = (char)('a' + i % 26);

		assert_int_equal(buf_add(&buf, (struct bytes){ &c, 1 }), 0);
	}
	assert_int_equal(buf_add_str(&buf, "x"), -E2BIG);
	for (size_t i = 0; i < max; i++)
		assert_int_equal(buf_bytes(&buf).ptr[i], 'a' + i % 26);
	buf_done(&buf);
}

static void
space_may_be_filled_in_part(void **state)
{
	struct buf buf;
	char *space;

	(void)state;
	buf_init(&buf, 100);
	assert_int_equal(buf_space(&buf, 100, &space), 0);
	memset(space, 'x', 100);
	buf_fill(&buf, 2);
	assert_true(bytes_eq_str(buf_bytes(&buf), "xx"));
	assert_int_equal(buf_space(&buf, 98, &space), 0);
	assert_int_equal(buf_space(&buf, 99, &space), -E2BIG);
	buf_done(&buf);
}

static void
it_can_be_used_again_after_it_was_done(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 3);
	assert_int_equal(buf_add_str(&buf, "abc"), 0);
	buf_done(&buf);
	assert_null(buf.mem);
	assert_int_equal(buf_add_str(&buf, "def"), 0);
	assert_int_equal(buf_add_str(&buf, "g"), -E2BIG);
	assert_true(bytes_eq_str(buf_bytes(&buf), "def"));
	buf_done(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_holds_no_memory),
		cmocka_unit_test(what_is_added_stands_in_order),
		cmocka_unit_test(an_append_past_the_ceiling_changes_nothing),
		cmocka_unit_test(consumed_bytes_make_room_under_the_ceiling),
		cmocka_unit_test(a_buffer_that_is_drained_as_it_fills_does_not_grow),
		cmocka_unit_test(it_grows_to_its_ceiling_and_keeps_what_it_holds),
		cmocka_unit_test(space_may_be_filled_in_part),
		cmocka_unit_test(it_can_be_used_again_after_it_was_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
