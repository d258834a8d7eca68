/* SPDX-License-Identifier: MIT */
/*
 * test_ip.c - addresses and nets as people write them.
 */
#include "base/ip.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"

static struct ip
ip(const char *text)
{
	struct ip parsed;

	assert_true(ip_parse(bytes_str(text), &parsed));
	return parsed;
}

static struct ip_net
net(const char *text)
{
	struct ip_net parsed;

	assert_true(ip_net_parse(bytes_str(text), &parsed));
	return parsed;
}

static void
an_address_is_written_back_in_one_way(void **state)
{
	static const char *const rows[][2] = {
		{ "192.0.2.1", "192.0.2.1" }, { "::ffff:192.0.2.1", "192.0.2.1" },
		{ "2001:DB8:0::1", "2001:db8::1" }, { "::1", "::1" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	char text[IP_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ip_format(ip(rows[i][0]), text);
		assert_string_equal(text, rows[i][1]);
	}
}

static void
what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", " 1.2.3.4", "1.2.3.4 ", "1.2.3.4:80",
		"[::1]", "::1%lo", "::g", ":", "1.2.3.4/8", "unknown",
		"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555",
	};
	static const char *const bad_nets[] = {
		"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129",
		"10.0.0/8", "10.0.0.0/ 8", "10.0.0.0/99999999999999999999",
	};
	struct ip parsed;
	struct ip_net parsed_net;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(ip_parse(bytes_str(bad[i]), &parsed));
	assert_false(ip_parse((struct bytes){ "1.2.3.4\0", 8 }, &parsed));
	for (size_t i = 0; i < ARRAY_LEN(bad_nets); i++)
		assert_false(ip_net_parse(bytes_str(bad_nets[i]), &parsed_net));
}

static void
a_net_has_what_begins_as_it_does(void **state)
{
	static const struct {
		const char	*net;
		const char	*ip;
		bool		 is_in;
	} rows[] = {
		{ "10.0.0.0/8", "10.255.0.1", true }, { "10.0.0.0/8", "11.0.0.1", false },
		{ "10.0.0.0/8", "::ffff:10.1.2.3", true }, { "10.0.0.0/8", "a00::1", false },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.128/25", "192.0.2.200", true },
		{ "192.0.2.7", "192.0.2.7", true }, { "192.0.2.7", "192.0.2.6", false },
		{ "0.0.0.0/0", "203.0.113.9", true }, { "0.0.0.0/0", "::1", false },
		{ "::/0", "203.0.113.9", true }, { "::ffff:0:0/96", "203.0.113.9", true },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false }, { "::1", "::1", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct ip_net one = net(rows[i].net);

		assert_int_equal(ip_net_has(&one, 1, ip(rows[i].ip)), rows[i].is_in);
	}
	assert_false(ip_net_has(NULL, 0, ip("::1")));
}

static void
a_household_is_an_address_or_a_net(void **state)
{
	(void)state;
	assert_true(ip_eq(ip_household(ip("192.0.2.1")), ip("192.0.2.1")));
	assert_true(ip_eq(ip_household(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::")));
}

static void
no_address_is_none(void **state)
{
	(void)state;
	assert_true(ip_is_none(IP_NONE));
	assert_false(ip_is_none(ip("0.0.0.0")));
	assert_false(ip_is_v4(IP_NONE));
	assert_true(ip_is_v4(ip_v4("\xc0\0\2\1")));
	assert_true(ip_eq(ip_v6("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), ip("::1")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_written_back_in_one_way),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_net_has_what_begins_as_it_does),
		cmocka_unit_test(a_household_is_an_address_or_a_net),
		cmocka_unit_test(no_address_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
