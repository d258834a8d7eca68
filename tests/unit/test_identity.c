/* SPDX-License-Identifier: MIT */
/*
 * test_identity.c - when an engine has the same model as before, and when another.
 */
#include "proxy/dialect/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

#define TEI(sha, dtype, pooling, batch) \
	"{\"model_id\":\"BAAI/bge-small-en-v1.5\",\"model_sha\":" sha ",\"model_dtype\":\"" \
	dtype "\",\"served_model_name\":\"bge\",\"model_type\":{\"embedding\":{\"pooling\":\"" \
	pooling "\"}},\"max_concurrent_requests\":512,\"max_input_length\":512," \
	"\"max_batch_tokens\":16384,\"max_client_batch_size\":" batch ",\"auto_truncate\":true," \
	"\"tokenization_workers\":8,\"version\":\"1.9.0\",\"sha\":\"abc\",\"docker_label\":null}"
#define TGI(id, sha) \
	"{\"model_id\":\"" id "\",\"model_sha\":\"" sha "\",\"model_pipeline_tag\":" \
	"\"text-generation\",\"max_concurrent_requests\":128,\"max_best_of\":2," \
	"\"max_stop_sequences\":4,\"max_input_tokens\":1024,\"max_total_tokens\":2048," \
	"\"validation_workers\":2,\"max_client_batch_size\":4,\"router\":" \
	"\"text-generation-router\",\"version\":\"3.0.0\",\"sha\":null,\"docker_label\":null}"
#define PROPS(path, build, temperature, slot) \
	"{\"default_generation_settings\":{\"id\":" slot ",\"id_task\":-1,\"n_ctx\":4096," \
	"\"speculative\":false,\"is_processing\":false,\"params\":{\"n_predict\":-1," \
	"\"temperature\":" temperature ",\"seed\":4294967295},\"prompt\":\"\",\"next_token\":{" \
	"\"n_decoded\":" slot "}},\"total_slots\":4,\"model_path\":\"" path "\"," \
	"\"chat_template\":\"{{x}}\",\"modalities\":{\"vision\":false},\"build_info\":\"" \
	build "\"}"
#define TAG(name, digest, at) \
	"{\"name\":\"" name "\",\"model\":\"" name "\",\"modified_at\":\"" at "\"," \
	"\"size\":2019393189,\"digest\":\"" digest "\",\"details\":{\"format\":\"gguf\"," \
	"\"family\":\"llama\",\"parameter_size\":\"3.2B\",\"quantization_level\":\"Q4_K_M\"}}"

static struct bytes
read_text(const char *body, struct buf *out)
{
	buf_init(out, IDENTITY_MAX);
	assert_int_equal(identity_read(bytes_str(body), out), 0);
	return buf_bytes(out);
}

/* Do A and B say the same of MODEL, and something? */
static bool
are_same(const char *a, const char *b, const char *model)
{
	struct buf one, other;
	struct bytes x, y;
	bool is_same;

	x = identity_of(read_text(a, &one), bytes_str(model));
	y = identity_of(read_text(b, &other), bytes_str(model));
	assert_true(x.len > 0 && y.len > 0);
	is_same = bytes_eq(x, y);
	buf_done(&one);
	buf_done(&other);
	return is_same;
}

static void
another_model_is_told_from_the_same_in_another_state(void **state)
{
	static const char a[] = TEI("\"5c38ec7c\"", "float16", "cls", "32");

	(void)state;
	assert_true(are_same(a, a, "m"));
	assert_true(are_same(a, TEI("\"5c38ec7c\"", "float16", "cls", "64"), "m"));
	assert_false(are_same(a, TEI("\"5c38ec7d\"", "float16", "cls", "32"), "m"));
	assert_false(are_same(a, TEI("null", "float16", "cls", "32"), "m"));
	assert_false(are_same(a, TEI("\"5c38ec7c\"", "float32", "cls", "32"), "m"));
	assert_false(are_same(a, TEI("\"5c38ec7c\"", "float16", "mean", "32"), "m"));
	assert_true(are_same(TGI("a/b", "1"), " \n" TGI("a/b", "1"), ""));
	assert_false(are_same(TGI("a/b", "1"), TGI("a/b", "2"), ""));
	assert_false(are_same(TGI("a/b", "1"), TGI("a/c", "1"), ""));
	assert_true(are_same(PROPS("/m/a.gguf", "b1", "0.8", "0"),
	    PROPS("/m/a.gguf", "b1", "0.8", "7"), "x"));
	assert_false(are_same(PROPS("/m/a.gguf", "b1", "0.8", "0"),
	    PROPS("/m/b.gguf", "b1", "0.8", "0"), "x"));
	assert_false(are_same(PROPS("/m/a.gguf", "b1", "0.8", "0"),
	    PROPS("/m/a.gguf", "b2", "0.8", "0"), "x"));
	assert_false(are_same(PROPS("/m/a.gguf", "b1", "0.8", "0"),
	    PROPS("/m/a.gguf", "b1", "0.7", "0"), "x"));
}

static void
of_several_models_the_one_asked_for_counts(void **state)
{
	static const char a[] = "{\"models\":[" TAG("llama3.2:latest", "a80c", "2025-05-04T1") ","
	    TAG("hf.co/org/m:Q4", "b1", "x") "," TAG("llama3.2:1b", "c2", "x") "]}";
	static const char b[] = "{\"models\":[" TAG("llama3.2:1b", "d3", "y") ","
	    TAG("llama3.2:latest", "a80c", "2026-01-01T1") "]}";
	struct buf out;
	struct bytes text = read_text(a, &out);

	(void)state;
	assert_true(are_same(a, b, "llama3.2"));
	assert_true(are_same(a, b, "llama3.2:latest"));
	assert_false(are_same(a, b, "llama3.2:1b"));
	assert_true(bytes_eq_str(identity_of(text, BYTES_LIT("hf.co/org/m:Q4")), "b1"));
	assert_int_equal(identity_of(text, BYTES_LIT("hf.co/org/m")).len, 0);
	assert_int_equal(identity_of(text, BYTES_LIT("llama3")).len, 0);
	assert_int_equal(identity_of(text, BYTES_LIT("llama3.2:2b")).len, 0);
	assert_int_equal(identity_of(text, BYTES_NONE).len, 0);
	assert_int_equal(identity_of(BYTES_NONE, BYTES_LIT("m")).len, 0);
	buf_done(&out);
}

/* A name or digest that would be taken for more than one word says nothing. */
static void
what_does_not_fit_into_a_line_is_left_out(void **state)
{
	struct buf out;
	struct bytes text = read_text("{\"models\":[{\"name\":\"a b\",\"digest\":\"1\"},"
	    "{\"name\":\"c\\nd 7\",\"digest\":\"1\"},{\"name\":\"e\",\"digest\":\"2 3\"},"
	    "{\"name\":\"f\"},{\"digest\":\"4\"},7,null,[],{\"name\":\"\",\"digest\":\"5\"},"
	    "{\"name\":\"*\",\"digest\":\"9\"},{\"name\":\"g\",\"digest\":\"6\"},"
	    "{\"name\":8,\"digest\":{}}]}", &out);

	(void)state;
	assert_true(bytes_eq_str(text, "g 6\n"));
	buf_done(&out);
}

static void
what_says_nothing_of_models_is_nothing(void **state)
{
	static const char *const bodies[] = {
		"", "{", "{}", "[]", "null", "7", "\"model_id\"", "<html>", "\xff\xfe",
		"{\"a\":\"\\u0000\"}", "{\"model_id\":7}",
		"{\"models\":{}}", "{\"model_path\":null}",
		"{\"status\":\"ok\"}",
		"{\"error\":{\"code\":503,\"message\":\"Loading model\"}}",
	};
	struct buf out;

	(void)state;
	buf_init(&out, IDENTITY_MAX);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		if (identity_read(bytes_str(bodies[i]), &out) != IDENTITY_E_NONE)
			fail_msg("%s", bodies[i]);
	assert_int_equal(buf_len(&out), 0);
	buf_done(&out);
}

static void
it_has_a_bound(void **state)
{
	struct buf body, out;

	(void)state;
	buf_init(&body, (size_t)8 << 20);
	buf_init(&out, IDENTITY_MAX);
	assert_int_equal(buf_add_str(&body, "{\"models\":[{}"), 0);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(buf_addf(&body, ",{\"name\":\"m%0100d\",\"digest\":\"1\"}", i), 0);
	assert_int_equal(buf_add_str(&body, "]}"), 0);
	assert_true(identity_read(buf_bytes(&body), &out) < 0);
	assert_true(buf_len(&out) <= IDENTITY_MAX);
	buf_done(&body);
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_model_is_told_from_the_same_in_another_state),
		cmocka_unit_test(of_several_models_the_one_asked_for_counts),
		cmocka_unit_test(what_does_not_fit_into_a_line_is_left_out),
		cmocka_unit_test(what_says_nothing_of_models_is_nothing),
		cmocka_unit_test(it_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
