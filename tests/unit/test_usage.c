/* SPDX-License-Identifier: MIT */
/*
 * test_usage.c - the counts of tokens, API by API.
 */
#include "proxy/dialect/usage.h"

#include "tests/unit/stream_fixture.h"

static const struct {
	enum stream_form	 form;
	const char		*body;
	bool			 says;
	uint64_t		 input, output;
} rows[] = {
	{ STREAM_CHAT, "{'usage':{'prompt_tokens':5,'completion_tokens':2,'total_tokens':7}}",
	    true, 5, 2 },
	{ STREAM_CHAT, "{'usage':null,'timings':{'prompt_n':3,'cache_n':4,'predicted_n':9}}",
	    true, 7, 9 },
	{ STREAM_COMPLETIONS, "{'usage':{'prompt_tokens':5}}", true, 5, 0 },
	{ STREAM_MESSAGES, "{'usage':{'input_tokens':1,'cache_creation_input_tokens':20,"
	    "'cache_read_input_tokens':300,'output_tokens':4}}", true, 321, 4 },
	{ STREAM_MESSAGES, "{'usage':{'input_tokens':1,'cache_read_input_tokens':null,"
	    "'output_tokens':0}}", true, 1, 0 },
	{ STREAM_GENERATE, "{'eval_count':7}", true, 0, 7 },
	{ STREAM_OLLAMA_CHAT, "{'prompt_eval_count':6,'eval_count':7}", true, 6, 7 },
	{ STREAM_TGI, "{'generated_text':'a','details':{'generated_tokens':7,'input_length':3}}",
	    true, 3, 7 },
	{ STREAM_TGI, "{'generated_text':'a'}", false, 0, 0 },
	{ STREAM_CHAT, "{'usage':{'prompt_tokens':-5,'completion_tokens':2.5}}", false, 0, 0 },
	{ STREAM_CHAT, "{'choices':[]}", false, 0, 0 },
	{ STREAM_CHAT, "[1]", false, 0, 0 },
	{ STREAM_CHAT, "{", false, 0, 0 },
	{ STREAM_NONE, "{'usage':{'prompt_tokens':5,'total_tokens':5}}", true, 5, 0 },
	{ STREAM_NONE, "{'usage':{'input_tokens':5,'output_tokens':6}}", true, 5, 6 },
	{ STREAM_NONE, "{'usage':5}", false, 0, 0 },
	/* Not where someone else says something of that name. */
	{ STREAM_CHAT, "{'choices':[{'usage':{'prompt_tokens':5}}],'prompt_tokens':6}",
	    false, 0, 0 },
	{ STREAM_CHAT, "{'usage':{'details':{'prompt_tokens':6},'prompt_tokens':5},"
	    "'x':[{'prompt_tokens':7}]}", true, 5, 0 },
	{ STREAM_GENERATE, "{'x':{'eval_count':7},'eval_count':8}", true, 0, 8 },
	{ STREAM_CHAT, "{'usage':{'prompt_tokens':5}} x", false, 0, 0 },
	{ STREAM_CHAT, "{'usage':{'prompt_tokens':18446744073709551615}}", false, 0, 0 },
};

static void
counts_are_found_where_each_api_has_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *body = quoted(rows[i].body);
		struct token_usage usage = { 0 };

		assert_int_equal(answer_usage(rows[i].form, bytes_str(body), &usage), rows[i].says);
		assert_int_equal(usage.input, rows[i].input);
		assert_int_equal(usage.output, rows[i].output);
		assert_true(answer_may_tell(rows[i].form, bytes_str(body)) || !rows[i].says);
		xfree(body);
	}
}

static void
a_stream_that_names_no_usage_is_not_looked_into(void **state)
{
	(void)state;
	assert_false(answer_may_tell(STREAM_CHAT, BYTES_LIT("data: {\"choices\":[]}\n\n")));
	assert_true(answer_may_tell(STREAM_CHAT, BYTES_LIT("data: {\"usage\":null}\n\n")));
	assert_false(answer_may_tell(STREAM_GENERATE, BYTES_LIT("{\"usage\":1}\n")));
	assert_true(answer_may_tell(STREAM_GENERATE, BYTES_LIT("{\"eval_count\":1}\n")));
	assert_false(answer_may_tell(STREAM_CHAT, BYTES_NONE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_found_where_each_api_has_them),
		cmocka_unit_test(a_stream_that_names_no_usage_is_not_looked_into),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
