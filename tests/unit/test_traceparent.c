/* SPDX-License-Identifier: MIT */
/*
 * test_traceparent.c - what is one, by the examples and rules of the standard.
 */
#include "proxy/http/traceparent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TRACE	"0af7651916cd43dd8448eb211c80319c"
#define SPAN	"b7ad6b7169203331"

static void
what_is_one_is_read_and_written_in_our_version(void **state)
{
	static const struct {
		const char	*text;
		unsigned	 flags;
		const char	*written;
	} rows[] = {
		{ "00-" TRACE "-" SPAN "-01", 1, "00-" TRACE "-" SPAN "-01" },
		{ "00-" TRACE "-" SPAN "-00", 0, "00-" TRACE "-" SPAN "-00" },
		{ "00-" TRACE "-" SPAN "-03", 3, "00-" TRACE "-" SPAN "-03" },
		{ "00-" TRACE "-" SPAN "-fd", 1, "00-" TRACE "-" SPAN "-01" },
		{ "cc-" TRACE "-" SPAN "-01", 1, "00-" TRACE "-" SPAN "-01" },
		{ "cc-" TRACE "-" SPAN "-01-what-comes", 1, "00-" TRACE "-" SPAN "-01" },
		{ "01-" TRACE "-" SPAN "-02-", 2, "00-" TRACE "-" SPAN "-02" },
		{ "00-00000000000000000000000000000001-0000000000000001-00", 0,
		    "00-00000000000000000000000000000001-0000000000000001-00" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct traceparent traceparent;
		char text[TRACEPARENT_LEN];

		assert_int_equal(traceparent_parse(bytes_str(rows[i].text), &traceparent), 0);
		assert_int_equal(traceparent.flags, rows[i].flags);
		traceparent_format(&traceparent, text);
		assert_memory_equal(text, rows[i].written, TRACEPARENT_LEN);
	}
}

static void
what_is_none_is_none(void **state)
{
	static const char *const texts[] = {
		"", "0", "00", "00-", "00-" TRACE, "00-" TRACE "-" SPAN, "00-" TRACE "-" SPAN "-",
		"00-" TRACE "-" SPAN "-0", "00-" TRACE "-" SPAN "-010", "00-" TRACE "-" SPAN "-01-",
		"00-" TRACE "-" SPAN "-01-x", "cc-" TRACE "-" SPAN "-01x",
		"ff-" TRACE "-" SPAN "-01",
		"0-" TRACE "-" SPAN "-01", "000-" TRACE "-" SPAN "-01", "0g-" TRACE "-" SPAN "-01",
		"00-00000000000000000000000000000000-" SPAN "-01",
		"00-" TRACE "-0000000000000000-01",
		"00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
		"00-" TRACE "-B7AD6B7169203331-01", "00-" TRACE "-" SPAN "-0A",
		"00-" TRACE "-" SPAN "-0x", "00-" TRACE "-" SPAN "- 1", "00_" TRACE "-" SPAN "-01",
		"00-" TRACE "_" SPAN "-01", "00-" TRACE "-" SPAN "_01", "00-0" TRACE "-" SPAN "-01",
		"00-" TRACE "-" SPAN "0-01", " 00-" TRACE "-" SPAN "-01",
		"00-" TRACE "-" SPAN "-01,00-" TRACE "-" SPAN "-01",
	};
	struct traceparent traceparent = { .flags = 99 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(traceparent_parse(bytes_str(texts[i]), &traceparent),
		    TRACEPARENT_E_BAD);
	assert_int_equal(traceparent.flags, 99);
}

static void
an_id_has_all_its_digits(void **state)
{
	char id[SPAN_ID_LEN];

	(void)state;
	traceparent_put_id(0xc0ffee, id);
	assert_memory_equal(id, "0000000000c0ffee", SPAN_ID_LEN);
	traceparent_put_id(UINT64_MAX, id);
	assert_memory_equal(id, "ffffffffffffffff", SPAN_ID_LEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_one_is_read_and_written_in_our_version),
		cmocka_unit_test(what_is_none_is_none),
		cmocka_unit_test(an_id_has_all_its_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
