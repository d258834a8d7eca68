/* SPDX-License-Identifier: MIT */
/*
 * test_loading.c - which 503 says that a model is being loaded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "proxy/dialect/loading.h"

static void
a_model_that_is_being_loaded_is_told_from_other_troubles(void **state)
{
	static const struct {
		int		 status;
		const char	*body;
		bool		 is_loading;
	} rows[] = {
		{ 503, "{\"error\":\"Model t5-base is currently loading\",\"estimated_time\":20.0}",
		    true },
		{ 503, "{\"estimated_time\": 1, \"error\": \"x\"}", true },
		{ 503, "{\"error\":{\"code\":503,\"message\":\"Loading model\","
		    "\"type\":\"unavailable_error\"}}", true },
		{ 200, "{\"error\":\"x\",\"estimated_time\":20.0}", false },
		{ 500, "{\"error\":{\"message\":\"Loading model\"}}", false },
		{ 503, "{\"error\":\"Model too busy\"}", false },
		{ 503, "{\"error\":\"x\",\"estimated_time\":\"soon\"}", false },
		{ 503, "{\"error\":{\"message\":\"Server is overloaded\"}}", false },
		{ 503, "{\"error\":{\"message\":7}}", false },
		{ 503, "{\"error\":[\"Loading model\"]}", false },
		{ 503, "[{\"estimated_time\":1}]", false },
		{ 503, "Loading model", false },
		{ 503, "{\"estimated_time\":20.0", false },
		{ 503, "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (answer_is_loading(rows[i].status, bytes_str(rows[i].body)) !=
		    rows[i].is_loading)
			fail_msg("row %zu", i);
}

static void
a_page_is_not_read(void **state)
{
	char *page = xcalloc(1, (size_t)1 << 20);

	(void)state;
	assert_false(answer_is_loading(503, (struct bytes){ page, (size_t)1 << 20 }));
	xfree(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_that_is_being_loaded_is_told_from_other_troubles),
		cmocka_unit_test(a_page_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
