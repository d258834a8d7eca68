/* SPDX-License-Identifier: MIT */
/*
 * test_purge.c - what a mark names is void, and nothing else; marks do not
 * pile up (H-63).
 */
#include "cache/purge.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static struct entry
entry_of(const char *model, const char *scope, usec_t made)
{
	return (struct entry){
		.key = { { 7 } }, .made = made, .model = bytes_str(model),
		.scope = bytes_str(scope),
	};
}

static void
a_mark_names_by_model_scope_key_and_time(void **state)
{
	static const struct {
		struct purge_mark	mark;
		const char		*model, *scope;
		usec_t			made;
		bool			hits;
	} rows[] = {
		{ { .before = 100 }, "m", "", 99, true },
		{ { .before = 100 }, "m", "", 100, false },
		{ { .before = 100 }, "", "team:a", 0, true },
		{ { .before = 100, .model = "t5-*" }, "t5-small", "", 1, true },
		{ { .before = 100, .model = "t5-*" }, "bert", "", 1, false },
		{ { .before = 100, .model = "" }, "bert", "", 1, false },
		{ { .before = 100, .model = "" }, "", "", 1, true },
		{ { .before = 100, .scope = "team:a" }, "m", "team:a", 1, true },
		{ { .before = 100, .scope = "team:a" }, "m", "team:ab", 1, false },
		{ { .before = 100, .scope = "team:a" }, "m", "team:a namespace:x", 1, true },
		{ { .before = 100, .scope = "" }, "m", "team:a", 1, false },
		{ { .before = 100, .scope = "" }, "m", " a", 1, false },
		{ { .before = 100, .scope = "" }, "m", "", 1, true },
		{ { .before = 100, .has_key = true, .key = { { 7 } } }, "m", "", 1, true },
		{ { .before = 100, .has_key = true, .key = { { 8 } } }, "m", "", 1, false },
		{ { .before = 100, .model = "m", .scope = "x" }, "m", "y", 1, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct entry entry = entry_of(rows[i].model, rows[i].scope, rows[i].made);

		if (purge_mark_hits(&rows[i].mark, &entry) != rows[i].hits)
			fail_msg("row %zu", i);
	}
}

/* PURGE with MARK added; takes PURGE. */
static struct purge *
with(struct purge *purge, struct purge_mark mark, usec_t oldest)
{
	struct purge *next;
	struct buf out;

	buf_init(&out, PURGE_LEN_MAX);
	assert_int_equal(purge_add(purge, &mark, oldest, &out), 0);
	assert_int_equal(purge_new(buf_bytes(&out), &next), 0);
	assert_true(purge_generation(buf_bytes(&out)) > 0);
	buf_done(&out);
	purge_free(purge);
	return next;
}

static struct purge *
none(void)
{
	struct purge *purge;

	assert_int_equal(purge_new(BYTES_NONE, &purge), 0);
	assert_int_equal(purge_count(purge), 0);
	return purge;
}

static void
marks_come_back_as_they_were(void **state)
{
	struct entry entry = entry_of("t5-small", "team:a", 150);
	struct purge *purge = none();

	(void)state;
	assert_false(purge_hits(purge, &entry));
	purge = with(purge, (struct purge_mark){ .before = 200, .model = "bert*" }, 0);
	assert_false(purge_hits(purge, &entry));
	purge = with(purge, (struct purge_mark){ .before = 200, .model = "t5*" }, 0);
	assert_int_equal(purge_count(purge), 2);
	assert_true(purge_hits(purge, &entry));
	entry.made = 200;
	assert_false(purge_hits(purge, &entry));
	purge_free(purge);
}

static void
the_same_mark_twice_is_the_later_one(void **state)
{
	struct entry entry = entry_of("m", "", 150);
	struct purge *purge = none();

	(void)state;
	purge = with(purge, (struct purge_mark){ .before = 200, .model = "m" }, 0);
	purge = with(purge, (struct purge_mark){ .before = 100, .model = "m" }, 0);
	assert_int_equal(purge_count(purge), 1);
	assert_true(purge_hits(purge, &entry));
	purge_free(purge);
}

static void
marks_of_before_the_oldest_entry_go(void **state)
{
	struct purge *purge = none();

	(void)state;
	purge = with(purge, (struct purge_mark){ .before = 200, .model = "a" }, 0);
	purge = with(purge, (struct purge_mark){ .before = 400, .model = "b" }, 0);
	purge = with(purge, (struct purge_mark){ .before = 500, .model = "c" }, 300);
	assert_int_equal(purge_count(purge), 2);
	purge_free(purge);
}

static void
there_is_an_end_to_marks(void **state)
{
	struct purge *purge = none();
	struct purge_mark mark = { .before = 200, .has_key = true };
	struct buf out;

	(void)state;
	for (unsigned n = 0; n < PURGE_MARKS_MAX; n++) {
		memcpy(mark.key.bytes, &n, sizeof(n));
		purge = with(purge, mark, 0);
	}
	mark.key.bytes[15] = 1;
	buf_init(&out, PURGE_LEN_MAX);
	assert_int_equal(purge_add(purge, &mark, 0, &out), PURGE_E_FULL);
	buf_done(&out);
	buf_init(&out, 100);
	assert_int_equal(purge_add(purge, &mark, 0, &out), -E2BIG);
	buf_done(&out);
	purge_free(purge);
}

static void
what_is_no_list_is_refused(void **state)
{
	struct purge *purge = with(none(), (struct purge_mark){ .before = 1, .model = "abc" }, 0);
	struct purge_mark mark = { .before = 2, .scope = "s" };
	struct purge *bad;
	struct buf out;

	(void)state;
	buf_init(&out, PURGE_LEN_MAX);
	assert_int_equal(purge_add(purge, &mark, 0, &out), 0);
	for (size_t len = 1; len < buf_len(&out); len++) {
		int r = purge_new(bytes_first(buf_bytes(&out), len), &bad);

		if (r == 0)	/* cut between two marks */
			assert_true(purge_count(bad) < 2);
		if (r == 0)
			purge_free(bad);
	}
	memset(out.mem + 8 + 28, 0xff, 4);
	assert_int_equal(purge_new(buf_bytes(&out), &bad), PURGE_E_BAD);
	buf_done(&out);
	purge_free(purge);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mark_names_by_model_scope_key_and_time),
		cmocka_unit_test(marks_come_back_as_they_were),
		cmocka_unit_test(the_same_mark_twice_is_the_later_one),
		cmocka_unit_test(marks_of_before_the_oldest_entry_go),
		cmocka_unit_test(there_is_an_end_to_marks),
		cmocka_unit_test(what_is_no_list_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
