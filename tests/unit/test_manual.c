/* SPDX-License-Identifier: MIT */
/*
 * test_manual.c - every option stands in the manual page, where it belongs.
 */
#include "config/manual.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "config/option.h"

static char *page;

static int
print_page(void **state)
{
	size_t len;
	FILE *out = open_memstream(&page, &len);

	(void)state;
	if (out == NULL)
		return -1;
	manual_print(out);
	return fclose(out);
}

static int
free_page(void **state)
{
	(void)state;
	free(page);
	return 0;
}

/* The subsection of TITLE, up to the next one. */
static struct bytes
section(const char *title)
{
	char head[80];
	const char *begin, *end;

	snprintf(head, sizeof(head), ".Ss %s\\&\n", title);
	begin = strstr(page, head);
	assert_non_null(begin);
	end = strstr(begin + 1, ".Ss ");
	return (struct bytes){ begin, end != NULL ? (size_t)(end - begin) : strlen(begin) };
}

static bool
holds(struct bytes text, const char *words)
{
	return memmem(text.ptr, text.len, words, strlen(words)) != NULL;
}

static void
every_option_is_in_its_place(void **state)
{
	static const struct {
		enum option_place	 place;
		const char		*title;
	} rows[] = {
		{ PLACE_TOP, "Top level" },
		{ PLACE_LISTEN, "listen" },
		{ PLACE_TLS, "tls" },
		{ PLACE_LOG, "log" },
		{ PLACE_CACHE, "cache" },
		{ PLACE_UPSTREAM, "upstreams.NAME" },
		{ PLACE_TIMEOUTS, "upstreams.NAME.timeouts" },
		{ PLACE_TEAM, "teams.NAME" },
		{ PLACE_ROUTE, "routes[N]" },
		{ PLACE_ROUTE_CACHE, "routes[N].cache" },
		{ PLACE_PRICE, "prices[N]" },
		{ PLACE_REVISION, "upstreams.NAME.revision" },
		{ PLACE_REVISION, "routes[N].revision" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes text = section(rows[i].title);
		const struct option *o = NULL;
		char item[80];

		while ((o = option_next(rows[i].place, o)) != NULL) {
			snprintf(item, sizeof(item), "\n.It Cm %s :", o->name);
			assert_true(holds(text, item));
		}
	}
}

/* Those of a place that is new, too. */
static void
no_place_is_forgotten(void **state)
{
	(void)state;
	for (int place = 0; place < 100; place++) {
		const struct option *o = NULL;
		char item[80];

		while ((o = option_next((enum option_place)place, o)) != NULL) {
			snprintf(item, sizeof(item), "\n.It Cm %s :", o->name);
			assert_non_null(strstr(page, item));
		}
	}
}

static void
an_item_says_what_the_option_takes(void **state)
{
	(void)state;
	assert_true(holds(section("cache"), ".It Cm size : Ar size\nBound of the file.\n"
	    "Unless set:\n.Ql 10GB .\nFrom 1MB to 64TB.\n"));
	assert_true(holds(section("cache"), ".It Cm durability : Ar relaxed | strict\n"));
	assert_true(holds(section("routes[N]"), ".It Cm cache : Ar false or what follows\n"));
	assert_true(holds(section("upstreams.NAME"), "Must be set.\n"));
	assert_true(holds(section("Top level"), ".It Cm log :\nWhat is logged.\n"));
}

/* What begins with a dot is a request: those that are meant, and no word of a text. */
static void
lines_are_short_and_requests_are_meant(void **state)
{
	static const char *const requests[] = { ".Ss ", ".Bl ", ".It Cm ", ".Ql ", ".El" };
	struct bytes rest = bytes_str(page), line;

	(void)state;
	while (rest.len > 0) {
		bool is_meant = false;

		line = bytes_cut(&rest, '\n');
		assert_in_range(line.len, 1, 80);
		for (size_t i = 0; i < ARRAY_LEN(requests); i++)
			is_meant = is_meant || bytes_has_prefix(line, requests[i]);
		assert_true(is_meant || (line.ptr[0] != '.' && line.ptr[0] != '\''));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_is_in_its_place),
		cmocka_unit_test(no_place_is_forgotten),
		cmocka_unit_test(an_item_says_what_the_option_takes),
		cmocka_unit_test(lines_are_short_and_requests_are_meant),
	};

	return cmocka_run_group_tests(tests, print_page, free_page);
}
