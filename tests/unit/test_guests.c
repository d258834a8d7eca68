/* SPDX-License-Identifier: MIT */
/*
 * test_guests.c - how many may come, in all and from one address.
 */
#include "proxy/guests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/mem.h"

#define MANY	10000

static struct ip
ip(const char *text)
{
	struct ip parsed;

	assert_true(ip_parse(bytes_str(text), &parsed));
	return parsed;
}

static void
from_one_address_come_so_many(void **state)
{
	static const char *const others[] = { "192.0.2.2", "::1", "2001:db8::1" };
	struct guests *guests = guests_new();
	struct guest guest[3], other[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		guest[i] = guest_enter(guests);
	assert_int_equal(guest_count(&guest[0], ip("192.0.2.1"), 2), 0);
	assert_int_equal(guest_count(&guest[1], ip("::ffff:192.0.2.1"), 2), 0);
	assert_int_equal(guest_count(&guest[2], ip("192.0.2.1"), 2), GUEST_E_MANY);
	for (size_t i = 0; i < 3; i++) {
		other[i] = guest_enter(guests);
		assert_int_equal(guest_count(&other[i], ip(others[i]), 1), 0);
	}
	assert_int_equal(guests_count(guests), 6);
	guest_leave(&guest[0]);
	guest_leave(&guest[0]);
	assert_int_equal(guest_count(&guest[2], ip("192.0.2.1"), 2), 0);
	guest_leave(&guest[1]);
	guest_leave(&guest[2]);
	for (size_t i = 0; i < 3; i++)
		guest_leave(&other[i]);
	assert_int_equal(guests_count(guests), 0);
	guests_free(guests);
}

static void
a_net_of_64_bits_counts_as_one(void **state)
{
	struct guests *guests = guests_new();
	struct guest a = guest_enter(guests), b = guest_enter(guests);

	(void)state;
	assert_int_equal(guest_count(&a, ip("2001:db8::1"), 1), 0);
	assert_int_equal(guest_count(&b, ip("2001:db8::2:3:4"), 1), GUEST_E_MANY);
	assert_int_equal(guest_count(&b, ip("2001:db8:0:1::1"), 1), 0);
	guest_leave(&a);
	guest_leave(&b);
	guests_free(guests);
}

static void
many_addresses_are_kept_apart(void **state)
{
	struct guests *guests = guests_new();
	struct guest *list = xcalloc(MANY, sizeof(*list));

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		list[i] = guest_enter(guests);
		assert_int_equal(guest_count(&list[i], ip_v4(&i), 1), 0);
	}
	for (uint32_t i = 0; i < MANY; i++)
		guest_leave(&list[i]);
	assert_int_equal(guests_count(guests), 0);
	guests_free(guests);
	xfree(list);
}

/* Whatever the limit, a few may come; and not all of it is theirs. */
static void
there_is_room_for_as_many_as_descriptors_allow(void **state)
{
	struct guests *guests = guests_new();
	struct rlimit limit;
	uint64_t max;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	guests_make_room(guests, 1);
	max = guests_max(guests);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(limit.rlim_cur, limit.rlim_max);
	assert_true(max > 0 && max <= limit.rlim_max / 10 * 9);
	guests_make_room(guests, 1000);
	assert_true(guests_max(guests) > 0 && guests_max(guests) < max);
	assert_true(guests_have_room(guests));
	guests_free(guests);
}

static void
a_warning_is_for_a_minute(void **state)
{
	struct guests *guests = guests_new();

	(void)state;
	assert_true(guests_may_warn(guests, USEC_PER_SEC));
	assert_false(guests_may_warn(guests, 60 * USEC_PER_SEC));
	assert_true(guests_may_warn(guests, 61 * USEC_PER_SEC));
	assert_false(guests_may_warn(guests, 61 * USEC_PER_SEC));
	guests_free(guests);
}

static void
nobody_is_no_guest(void **state)
{
	struct guest nobody = guest_enter(NULL);

	(void)state;
	assert_int_equal(guest_count(&nobody, ip("192.0.2.1"), 1), 0);
	guest_leave(&nobody);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_one_address_come_so_many),
		cmocka_unit_test(a_net_of_64_bits_counts_as_one),
		cmocka_unit_test(many_addresses_are_kept_apart),
		cmocka_unit_test(there_is_room_for_as_many_as_descriptors_allow),
		cmocka_unit_test(a_warning_is_for_a_minute),
		cmocka_unit_test(nobody_is_no_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
