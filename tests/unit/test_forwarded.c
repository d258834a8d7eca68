/* SPDX-License-Identifier: MIT */
/*
 * test_forwarded.c - whose request it is, and who lies.
 */
#include "proxy/http/forwarded.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"

static const struct {
	const char	*from;
	const char	*fields[2];
	const char	*is;
} rows[] = {
	{ "10.0.0.1", { NULL }, "10.0.0.1" },
	{ "10.0.0.1", { "203.0.113.9" }, "203.0.113.9" },
	{ "203.0.113.1", { "203.0.113.9" }, "203.0.113.1" },
	{ "10.0.0.1", { "1.1.1.1, 203.0.113.9" }, "203.0.113.9" },
	{ "10.0.0.1", { "1.1.1.1,203.0.113.9 ,\t10.0.0.2" }, "203.0.113.9" },
	{ "10.0.0.1", { "1.1.1.1", "203.0.113.9, 10.0.0.2" }, "203.0.113.9" },
	{ "10.0.0.1", { "203.0.113.9", "10.0.0.2" }, "203.0.113.9" },
	{ "10.0.0.1", { "203.0.113.9, unknown, 10.0.0.2" }, "10.0.0.2" },
	{ "10.0.0.1", { "unknown" }, "10.0.0.1" },
	{ "10.0.0.1", { "" }, "10.0.0.1" },
	{ "10.0.0.1", { "203.0.113.9," }, "10.0.0.1" },
	{ "10.0.0.1", { "203.0.113.9, , 10.0.0.2" }, "10.0.0.2" },
	{ "10.0.0.1", { "10.0.0.3, 10.0.0.2" }, "10.0.0.3" },
	{ "10.0.0.1", { "2001:db8::1" }, "2001:db8::1" },
	{ "10.0.0.1", { "203.0.113.9:1234" }, "10.0.0.1" },
};

static void
the_last_who_is_not_trusted_asks(void **state)
{
	struct ip_net trusted;

	(void)state;
	assert_true(ip_net_parse(bytes_str("10.0.0.0/8"), &trusted));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *arena = arena_new(4096);
		struct fields fields = { 0 };
		struct ip from, is;

		for (size_t k = 0; k < ARRAY_LEN(rows[i].fields); k++)
			if (rows[i].fields[k] != NULL)
				assert_int_equal(fields_add(&fields, arena,
				    BYTES_LIT("X-Forwarded-For"),
				    bytes_str(rows[i].fields[k])), 0);
		assert_true(ip_parse(bytes_str(rows[i].from), &from));
		assert_true(ip_parse(bytes_str(rows[i].is), &is));
		assert_true(ip_eq(forwarded_for(&fields, &trusted, 1, from), is));
		assert_true(ip_eq(forwarded_for(&fields, NULL, 0, from), from));
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_who_is_not_trusted_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
