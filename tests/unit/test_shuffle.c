/* SPDX-License-Identifier: MIT */
/*
 * test_shuffle.c - names in order, few or many, alike at their beginning or not,
 * and a text that follows them.
 */
#include "cache/shuffle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARENA_MAX	((size_t)64 << 20)
#define N_MAX		3000

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(ARENA_MAX);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena = arena_free(arena);
	return 0;
}

static struct member
member_named(struct bytes name)
{
	return (struct member){
		.key = member_key(name, 0, name.ptr + name.len),
		.name = name.ptr,
		.name_len = (uint32_t)name.len,
	};
}

static void
keys_are_in_the_order_of_names(void **state)
{
	static const struct bytes names[] = {
		{ "", 0 }, { "\0", 1 }, { "\0\0\0\0\0\0\0", 7 }, { "\0\0\0\0\0\0\0\0", 8 },
		{ "\1", 1 }, { "a", 1 }, { "a\0", 2 }, { "ab", 2 }, { "abcdefg", 7 },
		{ "abcdefg\0", 8 }, { "abcdefgh", 8 }, { "abcdefghi", 9 }, { "abcdefgi", 8 },
		{ "abcdefh", 7 }, { "b", 1 }, { "\x7f", 1 }, { "\303\251", 2 },
		{ "\377\377\377\377\377\377\377\377", 8 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			struct member a = member_named(names[i]), b = member_named(names[k]);

			assert_int_equal(member_is_before(&a, &b), i < k);
			assert_int_equal(member_cmp(&a, &b) > 0, i > k);
			assert_int_equal(member_cmp(&a, &b) == 0, i == k);
		}
	}
}

static void
a_key_does_not_depend_on_what_stands_behind(void **state)
{
	static const char text[] = "role\":\"user\",\"content\"";

	(void)state;
	for (size_t len = 0; len < 12; len++) {
		struct bytes name = { text, len };

		assert_true(member_key(name, 0, text + len) ==
		    member_key(name, 0, text + sizeof(text) - 1));
	}
	assert_true(member_key(BYTES_LIT("abcdefgxyz"), 7, NULL) ==
	    member_key(BYTES_LIT("xyz"), 0, NULL));
}

/* Lay out an object of these NAMES, each with its value 0, and shuffle it. */
static int
shuffled(const struct bytes *names, size_t n, struct bytes *ret_text)
{
	struct member *members = arena_alloc(arena, n * sizeof(*members));
	char *text = arena_alloc(arena, 1 << 20);
	struct shuffle shuffle = { .arena = arena };
	size_t len = 0;
	int r;

	assert_true(members != NULL && text != NULL);
	for (size_t i = 0; i < n; i++) {
		text[len++] = i == 0 ? '{' : ',';
		members[i] = member_named(names[i]);
		members[i].range.start = (uint32_t)len;
		memcpy(text + len, names[i].ptr, names[i].len);
		len += names[i].len;
		text[len++] = '0';
		members[i].range.end = (uint32_t)len;
	}
	text[len++] = '}';
	r = shuffle_add(&shuffle, &(struct range){ .end = (uint32_t)len }, members, n);
	if (r != 0)
		return r;
	return shuffle_text(&shuffle, (struct bytes){ text, len }, ret_text);
}

static int
by_name(const void *a, const void *b)
{
	return bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* N names of LEN bytes that differ in the last few of them alone, in some order. */
static void
make_names(struct bytes *names, size_t n, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		char *name = arena_alloc(arena, len + 1);

		assert_non_null(name);
		snprintf(name, len + 1, "%0*zu", (int)len, (i * 7919 + 13) % N_MAX);
		names[i] = (struct bytes){ name, len };
	}
}

static void
members_few_or_many_are_sorted(void **state)
{
	static const size_t counts[] = { 1, 2, 3, 31, 32, 33, 40, 257, N_MAX };
	static struct bytes names[N_MAX];
	struct bytes text;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(counts) * 5; i++) {
		size_t n = counts[i / 5], len = (size_t[]){ 4, 7, 8, 11, 60 }[i % 5];

		make_names(names, n, len);
		assert_int_equal(shuffled(names, n, &text), 0);
		qsort(names, n, sizeof(*names), by_name);
		assert_int_equal(text.len, 1 + n * (len + 2));
		for (size_t k = 0; k < n; k++)
			assert_memory_equal(text.ptr + 1 + k * (len + 2), names[k].ptr, len);
	}
}

static void
names_that_begin_others_come_first(void **state)
{
	enum { N = 100 };
	static const char as[N + 1] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	struct bytes names[N], text;
	size_t at = 1;

	(void)state;
	for (size_t i = 0; i < N; i++)
		names[i] = (struct bytes){ as, N - 1 - i };
	assert_int_equal(shuffled(names, N, &text), 0);
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(text.ptr[at + i], '0');
		at += i + 2;
	}
}

static void
a_name_that_stands_twice_is_found(void **state)
{
	static const size_t counts[] = { 2, 32, 33, 500 };
	static struct bytes names[N_MAX];
	struct bytes text;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(counts) * 4; i++) {
		size_t n = counts[i / 4], len = (size_t[]){ 4, 7, 8, 33 }[i % 4];

		make_names(names, n, len);
		names[n - 1] = names[0];
		assert_int_equal(shuffled(names, n, &text), SHUFFLE_E_TWICE);
	}
}

static void
objects_inside_objects_are_sorted(void **state)
{
	static const char text[] = "[{\"b\":[{\"d\":1,\"c\":2}],\"a\":3}]";
	static const char want[] = "[{\"a\":3,\"b\":[{\"c\":2,\"d\":1}]}]";
	struct shuffle shuffle = { .arena = arena };
	struct member inner[] = { member_named(BYTES_LIT("d")), member_named(BYTES_LIT("c")) };
	struct member outer[] = { member_named(BYTES_LIT("b")), member_named(BYTES_LIT("a")) };
	struct bytes copy;

	(void)state;
	inner[0].range = (struct range){ 8, 13, 0, 0 };
	inner[1].range = (struct range){ 14, 19, 0, 0 };
	assert_int_equal(shuffle_add(&shuffle, &(struct range){ 7, 20, 0, 0 }, inner, 2), 0);
	outer[0].range = (struct range){ 2, 21, 0, 1 };
	outer[1].range = (struct range){ 22, 27, 1, 1 };
	assert_int_equal(shuffle_add(&shuffle, &(struct range){ 1, 28, 0, 0 }, outer, 2), 0);
	assert_int_equal(shuffle_text(&shuffle, BYTES_LIT(text), &copy), 0);
	assert_true(bytes_eq_str(copy, want));
}

static void
members_left_out_stay_out(void **state)
{
	struct shuffle shuffle = { .arena = arena };
	struct member members[] = {
		member_named(BYTES_LIT("c")), member_named(BYTES_LIT("b")),
		member_named(BYTES_LIT("a")),
	};
	struct bytes copy;

	(void)state;
	members[0].range = (struct range){ 1, 3, 0, 0 };
	members[1].range = (struct range){ 4, 4, 0, 0 };
	members[2].range = (struct range){ 4, 6, 0, 0 };
	assert_int_equal(shuffle_add(&shuffle, &(struct range){ 0, 7, 0, 0 }, members, 3), 0);
	assert_int_equal(shuffle_text(&shuffle, BYTES_LIT("{c0,a0}"), &copy), 0);
	assert_true(bytes_eq_str(copy, "{a0,c0}"));
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_are_in_the_order_of_names),
		TEST(a_key_does_not_depend_on_what_stands_behind),
		TEST(members_few_or_many_are_sorted),
		TEST(names_that_begin_others_come_first),
		TEST(a_name_that_stands_twice_is_found),
		TEST(objects_inside_objects_are_sorted),
		TEST(members_left_out_stay_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
