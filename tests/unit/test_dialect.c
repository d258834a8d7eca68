/* SPDX-License-Identifier: MIT */
/*
 * test_dialect.c - whose request it is, which questions are one, and which
 * answers are worth keeping: the tables of PROTOCOLS.md 1 and 14.
 */
#include "proxy/dialect/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define ARENA_SIZE	((size_t)1 << 20)

/* A request as the reader would have left it. */
static struct request_head
head_of(const char *method, const char *path)
{
	struct request_head head = { .method = bytes_str(method), .path = bytes_str(path) };

	head.target = head.path;
	return head;
}

static const struct {
	const char	*method, *path, *dialect, *path_class, *detail, *model;
	bool		 is_inference;
} paths[] = {
	{ "POST", "/models/t5-base", "hf", "task", "", "t5-base", true },
	{ "POST", "/models/org/m", "hf", "task", "", "org/m", true },
	{ "POST", "/hf-inference/models/org/m", "hf", "task", "", "org/m", true },
	{ "POST", "/pipeline/translation/org/m", "hf", "task", "translation", "org/m", true },
	{ "POST", "/models/org/m/pipeline/translation", "hf", "task", "translation", "org/m",
	    true },
	{ "POST", "/hf-inference/models/org/m/pipeline/translation", "hf", "task",
	    "translation", "org/m", true },
	{ "POST", "/", "hf", "task", "", "", true },
	{ "GET", "/models/org/m/info", "hf", "task", "", "org/m", false },
	{ "GET", "/status/org/m", "hf", "task", "", "org/m", false },
	{ "POST", "/v1/chat/completions", "openai", "chat", "", "", true },
	{ "POST", "/chat/completions", "openai", "chat", "", "", true },
	{ "POST", "/models/org/m/v1/chat/completions", "openai", "chat", "", "org/m", true },
	{ "POST", "/hf-inference/models/m/v1/completions", "openai", "completions", "", "m",
	    true },
	{ "POST", "/together/v1/chat/completions", "openai", "chat", "together", "", true },
	{ "POST", "/v1/completions", "openai", "completions", "", "", true },
	{ "POST", "/v1/embeddings", "openai", "embeddings", "", "", true },
	{ "POST", "/embeddings", "openai", "embeddings", "", "", true },
	{ "POST", "/v1/moderations", "openai", "moderations", "", "", true },
	{ "POST", "/v1/audio/transcriptions", "openai", "transcriptions", "", "", true },
	{ "POST", "/v1/images/generations", "openai", "images", "", "", false },
	{ "GET", "/v1/models", "openai", "models", "", "", false },
	{ "GET", "/v1/models/gpt-4o", "openai", "models", "", "", false },
	{ "POST", "/v1/messages", "anthropic", "messages", "", "", true },
	{ "POST", "/v1/messages/count_tokens", "anthropic", "count_tokens", "", "", true },
	{ "POST", "/api/generate", "ollama", "generate", "", "", true },
	{ "POST", "/api/chat", "ollama", "chat", "", "", true },
	{ "POST", "/api/embed", "ollama", "embed", "", "", true },
	{ "POST", "/api/embeddings", "ollama", "embeddings", "", "", true },
	{ "POST", "/api/show", "ollama", "show", "", "", false },
	{ "GET", "/api/tags", "ollama", "tags", "", "", false },
	{ "POST", "/embed", "tei", "embed", "", "", true },
	{ "POST", "/predict", "tei", "predict", "", "", true },
	{ "POST", "/rerank", "tei", "rerank", "", "", true },
	{ "POST", "/similarity", "tei", "similarity", "", "", true },
	{ "GET", "/info", "tei", "info", "", "", false },
	{ "POST", "/generate", "tgi", "generate", "", "", true },
	{ "POST", "/generate_stream", "tgi", "generate", "", "", true },
	{ "POST", "/completion", "llama", "completion", "", "", true },
	{ "POST", "/infill", "llama", "infill", "", "", true },
	{ "POST", "/v1/rerank", "llama", "rerank", "", "", true },
	{ "POST", "/apply-template", "llama", "apply-template", "", "", true },
	{ "GET", "/props", "llama", "props", "", "", false },
	{ "HEAD", "/", "hf", "task", "", "", false },
	{ "GET", "/framework/tf", "raw", NULL, "", "", false },
	{ "GET", "/api/models/org/m", "raw", NULL, "", "", false },
	{ "GET", "/api/tasks", "raw", NULL, "", "", false },
	{ "GET", "/models", "openai", "models", "", "", false },
	{ "POST", "/models/load", "openai", "models", "", "", false },
	{ "GET", "/v1/chat/completions", "openai", "chat", "", "", false },
	{ "POST", "/completions", "openai", "completions", "", "", true },
	{ "POST", "/v1/responses", "openai", "responses", "", "", true },
	{ "POST", "/v1/responses/r/cancel", "openai", "responses", "", "", false },
	{ "POST", "/v1/files", "openai", "files", "", "", false },
	{ "POST", "/v1/threads/t/runs", "openai", "threads", "", "", false },
	{ "POST", "/v1/audio/speech", "openai", "speech", "", "", true },
	{ "POST", "/v1/audio/translations", "openai", "translations", "", "", true },
	{ "POST", "/v1/messages/batches", "anthropic", "batches", "", "", false },
	{ "GET", "/api/ps", "ollama", "ps", "", "", false },
	{ "GET", "/api/version", "ollama", "version", "", "", false },
	{ "POST", "/api/pull", "ollama", "pull", "", "", false },
	{ "POST", "/embed_all", "tei", "embed_all", "", "", true },
	{ "POST", "/embed_sparse", "tei", "embed_sparse", "", "", true },
	{ "POST", "/tokenize", "tei", "tokenize", "", "", true },
	{ "POST", "/decode", "tei", "decode", "", "", true },
	{ "POST", "/vertex", "tei", "vertex", "", "", true },
	{ "POST", "/invocations", "tei", "invocations", "", "", true },
	{ "GET", "/health", "tei", "health", "", "", false },
	{ "GET", "/ping", "tei", "ping", "", "", false },
	{ "GET", "/metrics", "tei", "metrics", "", "", false },
	{ "POST", "/chat_tokenize", "tgi", "chat_tokenize", "", "", true },
	{ "POST", "/embedding", "llama", "embedding", "", "", true },
	{ "POST", "/reranking", "llama", "rerank", "", "", true },
	{ "POST", "/v1/reranking", "llama", "rerank", "", "", true },
	{ "POST", "/detokenize", "llama", "detokenize", "", "", true },
	{ "GET", "/slots", "llama", "slots", "", "", false },
	{ "POST", "/slots/0", "llama", "slots", "", "", false },
	{ "GET", "/v1/health", "raw", NULL, "", "", false },
	{ "POST", "/anything/else", "raw", NULL, "", "", true },
	{ "PUT", "/anything/else", "raw", NULL, "", "", false },
	{ "POST", "/v1/chat/completionsx", "raw", NULL, "", "", true },
};

static void
every_path_finds_its_dialect(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct request_head head = head_of(paths[i].method, paths[i].path);
		struct call call;

		dialect_recognise(&head, &call);
		assert_string_equal(call.dialect->name, paths[i].dialect);
		if (paths[i].path_class != NULL)
			assert_string_equal(call.path_class, paths[i].path_class);
		else
			assert_null(call.path_class);
		assert_true(bytes_eq_str(call.path_detail, paths[i].detail));
		assert_true(bytes_eq_str(call.model, paths[i].model));
		assert_int_equal(call.model_in_path, paths[i].model[0] != '\0');
		assert_int_equal(call.is_inference, paths[i].is_inference);
		assert_ptr_equal(dialect_find(paths[i].dialect), call.dialect);
	}
	assert_null(dialect_find("gopher"));
}

static struct call
read_call(const char *path, const char *body, struct arena *arena)
{
	struct request_head head = head_of("POST", path);
	struct call call;

	dialect_recognise(&head, &call);
	assert_int_equal(call_read_body(&call, &head, bytes_str(body), NULL, arena), 0);
	return call;
}

static const struct {
	const char	*path, *a, *b;
	bool		 is_same;
} pairs[] = {
	{ "/models/m", "{\"inputs\":\"x\"}", "{ \"inputs\" : \"\\u0078\" }", true },
	{ "/models/m", "{\"inputs\":\"x\"}",
	    "{\"inputs\":\"x\",\"options\":{\"wait_for_model\":true}}", true },
	{ "/models/m", "{\"inputs\":\"x\"}", "{\"inputs\":\"x\",\"parameters\":{}}", false },
	{ "/models/m", "{\"inputs\":\"x\"}", "{\"inputs\":\"y\"}", false },
	{ "/v1/chat/completions", "{\"model\":\"m\",\"messages\":[]}",
	    "{\"messages\":[],\"model\":\"m\",\"user\":\"u\",\"stream\":false,\"metadata\":{}}",
	    true },
	{ "/v1/chat/completions", "{\"temperature\":0}", "{\"temperature\":0.0}", true },
	{ "/v1/chat/completions", "{\"temperature\":1e-1}", "{\"temperature\":0.10}", true },
	{ "/v1/chat/completions", "{\"n\":1}", "{\"n\":1.0}", false },
	{ "/v1/chat/completions", "{\"seed\":9007199254740993}", "{\"seed\":9007199254740992}",
	    false },
	{ "/v1/chat/completions", "{\"a_new_option\":1}", "{}", false },
	{ "/v1/messages", "{\"messages\":[{\"content\":[{\"text\":\"a\"}]}]}",
	    "{\"messages\":[{\"content\":[{\"text\":\"a\",\"cache_control\":{}}]}]}", true },
	{ "/v1/messages", "{\"tools\":[{\"input_schema\":{\"cache_control\":1}}]}",
	    "{\"tools\":[{\"input_schema\":{}}]}", false },
	{ "/v1/messages", "{\"max_tokens\":1}",
	    "{\"max_tokens\":1,\"stream\":false,\"metadata\":{},\"service_tier\":\"auto\"}",
	    true },
	{ "/v1/messages", "{\"tools\":[{\"name\":\"f\"}],\"system\":[{}]}",
	    "{\"tools\":[{\"name\":\"f\",\"cache_control\":{}}],"
	    "\"system\":[{\"cache_control\":{}}]}", true },
	{ "/v1/messages", "{\"inference_geo\":\"eu\"}", "{}", false },
	{ "/v1/chat/completions", "{\"cache_salt\":\"s\"}", "{}", false },
	{ "/v1/chat/completions", "{\"priority\":1,\"request_id\":\"r\"}", "{}", true },
	{ "/v1/embeddings", "{\"encoding_format\":\"base64\"}", "{}", false },
	{ "/generate", "{\"inputs\":\"a\",\"stream\":true}", "{\"inputs\":\"a\"}", true },
	{ "/embed", "{\"inputs\":\"a\",\"model\":\"m\"}", "{\"inputs\":\"a\"}", false },
	{ "/api/chat", "{\"model\":\"m\"}", "{\"model\":\"m\",\"keep_alive\":\"5m\"}", true },
	{ "/api/chat", "{\"options\":{\"num_thread\":4}}", "{\"options\":{}}", true },
	{ "/api/chat", "{\"options\":{\"num_ctx\":4}}", "{\"options\":{}}", false },
	{ "/embed", "{\"truncate\":null}", "{\"truncate\":false}", false },
	{ "/generate", "{\"parameters\":{}}", "{}", false },
	{ "/completion", "{\"prompt\":\"a\",\"cache_prompt\":true}", "{\"prompt\":\"a\"}", true },
	{ "/models/m/v1/chat/completions", "{\"model\":\"a\"}", "{\"model\":\"b\"}", false },
};

static void
fields_without_effect_make_no_other_question(void **state)
{
	struct arena *arena = arena_new(ARENA_SIZE);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct call a = read_call(pairs[i].path, pairs[i].a, arena);
		struct call b = read_call(pairs[i].path, pairs[i].b, arena);

		assert_true(a.form == KEY_JSON && b.form == KEY_JSON);
		assert_int_equal(bytes_eq(a.canonical, b.canonical), pairs[i].is_same);
	}
	arena_free(arena);
}

static const struct {
	const char	*path, *body, *model;
	bool		 wants_stream, is_inference, no_cache;
} bodies[] = {
	{ "/v1/chat/completions", "{\"model\":\"a\\u0062\",\"stream\":true}", "ab", true, true,
	    false },
	{ "/v1/chat/completions", "{\"model\":7}", "", false, true, false },
	{ "/v1/chat/completions", "{\"model\":\"m\",\"web_search_options\":{}}", "m", false,
	    false, false },
	{ "/v1/chat/completions", "{\"model\":\"m\",\"web_search_options\":null}", "m", false,
	    true, false },
	{ "/models/m", "{\"model\":\"other\",\"options\":{\"use_cache\":false}}", "m", false,
	    true, true },
	{ "/api/chat", "{\"model\":\"m\"}", "m", true, true, false },
	{ "/api/chat", "{\"model\":\"m\",\"stream\":false}", "m", false, true, false },
	{ "/api/embed", "{\"model\":\"m\"}", "m", false, true, false },
	{ "/generate_stream", "{\"stream\":false}", "", true, true, false },
	{ "/v1/responses", "{\"model\":\"m\"}", "m", false, false, false },
	{ "/v1/responses", "{\"model\":\"m\",\"store\":false}", "m", false, true, false },
	{ "/v1/responses", "{\"store\":false,\"previous_response_id\":\"r\"}", "", false, false,
	    false },
	{ "/v1/responses", "{\"store\":false,\"store\":false}", "", false, false, false },
	{ "/completion", "{\"t_max_predict_ms\":5}", "", false, false, false },
	{ "/v1/chat/completions", "{\"model\":\"m\"", "", false, true, false },
	{ "/v1/chat/completions", "{\"model\":\"m\",\"model\":\"n\"}", "", false, true, false },
	{ "/models/m", "", "m", false, true, false },
};

static void
a_body_says_model_stream_and_whether_it_is_a_question(void **state)
{
	struct arena *arena = arena_new(ARENA_SIZE);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct call call = read_call(bodies[i].path, bodies[i].body, arena);

		assert_true(bytes_eq_str(call.model, bodies[i].model));
		assert_int_equal(call.wants_stream, bodies[i].wants_stream);
		assert_int_equal(call.is_inference, bodies[i].is_inference);
		assert_int_equal(call.controls.directives.no_cache, bodies[i].no_cache);
		if (call.form != KEY_JSON)
			assert_true(bytes_eq_str(call.canonical, bodies[i].body));
	}
	arena_free(arena);
}

static void
a_body_that_is_not_sent_as_json_is_keyed_by_its_bytes(void **state)
{
	static const struct {
		const char	*type;
		bool		 is_canonical;
	} rows[] = {
		{ "application/json; charset=utf-8", true }, { "application/vnd.x+json", true },
		{ "application/x-www-form-urlencoded", true },
		{ "text/plain", false }, { "audio/wav", false },
	};
	const struct bytes body = BYTES_LIT("{ \"model\": \"m\" }");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *arena = arena_new(ARENA_SIZE);
		struct request_head head = head_of("POST", "/v1/completions");
		struct call call;

		assert_int_equal(fields_add(&head.fields, arena, BYTES_LIT("Content-Type"),
		    bytes_str(rows[i].type)), 0);
		dialect_recognise(&head, &call);
		assert_int_equal(call_read_body(&call, &head, body, NULL, arena), 0);
		assert_int_equal(call.form == KEY_JSON, rows[i].is_canonical);
		assert_int_equal(bytes_eq(call.canonical, body), !rows[i].is_canonical);
		assert_true(bytes_eq_str(call.model, "m"));
		arena_free(arena);
	}
}

static void
an_object_is_known_by_its_type_and_its_body(void **state)
{
	static const struct {
		const char	*type;		/* "": none */
		struct bytes	 body;
		bool		 is_object, may_be;
	} rows[] = {
		{ "", BYTES_LIT(" {} "), true, true },
		{ "application/json", BYTES_LIT("{\"cache\":\"mine\"}"), true, true },
		{ "application/x-www-form-urlencoded", BYTES_LIT("{}"), true, true },
		{ "application/json", BYTES_LIT("[{}]"), false, true },
		{ "application/json", BYTES_LIT("{\"a\":1,\"a\":2}"), false, true },
		{ "application/json", BYTES_LIT("{'a':1}"), false, true },
		{ "application/json", BYTES_LIT("x=1"), false, true },
		{ "application/json", BYTES_LIT(""), false, true },
		{ "text/plain", BYTES_LIT("\r\n\t {}"), false, true },
		{ "audio/wav", BYTES_LIT("{"), false, true },
		{ "multipart/form-data; boundary=b", BYTES_LIT("{}"), false, true },
		{ "text/plain", BYTES_LIT("\xef\xbb\xbf{}"), false, true },
		{ "text/plain", BYTES_LIT("\xff\xfe{\0}\0"), false, true },
		{ "text/plain", BYTES_LIT("\0{\0}"), false, true },
		{ "text/plain", BYTES_LIT("\0\0\xfe\xff\0\0\0{\0\0\0}"), false, true },
		{ "text/plain", BYTES_LIT("\xff\xfe\0\0{\0\0\0}\0\0\0"), false, true },
		{ "text/plain", BYTES_LIT("[{}]"), false, false },
		{ "text/plain", BYTES_LIT("words {}"), false, false },
		{ "audio/wav", BYTES_LIT("RIFF{"), false, false },
		{ "audio/x-raw", BYTES_LIT("\0\0\0\0\0\0\0\0{"), false, false },
		{ "audio/wav", BYTES_LIT(""), false, false },
		{ "multipart/form-data; boundary=b", BYTES_LIT("--b\r\n\r\n{}"), false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *arena = arena_new(ARENA_SIZE);
		struct request_head head = head_of("POST", "/v1/chat/completions");
		struct call call;

		if (rows[i].type[0] != '\0')
			assert_int_equal(fields_add(&head.fields, arena, BYTES_LIT("Content-Type"),
			    bytes_str(rows[i].type)), 0);
		dialect_recognise(&head, &call);
		assert_int_equal(call_read_body(&call, &head, rows[i].body, NULL, arena), 0);
		if (call.is_object != rows[i].is_object ||
		    body_may_be_object(&head.fields, rows[i].body) != rows[i].may_be)
			fail_msg("row %zu: %s %.*s", i, rows[i].type, BYTES_ARG(rows[i].body));
		arena_free(arena);
	}
}

static void
where_the_model_stands_in_the_body_is_known(void **state)
{
	const char *body = "{\"a\":1, \"model\" : \"m\\n\"}";
	struct arena *arena = arena_new(ARENA_SIZE);
	struct call call = read_call("/v1/embeddings", body, arena);

	(void)state;
	assert_true(bytes_eq_str(call.model_raw, "\"m\\n\""));
	assert_ptr_equal(call.model_raw.ptr, strstr(body, "\"m\\n"));
	arena_free(arena);
}

static void
fields_say_what_may_be_answered_from_the_cache(void **state)
{
	static const struct {
		const char	*name, *value, *second;
		bool		 no_cache, only_if_cached, is_legacy;
	} rows[] = {
		{ "Cache-Control", "no-cache", NULL, true, false, false },
		{ "Cache-Control", "max-age=5, only-if-cached", NULL, false, true, false },
		{ "X-Use-Cache", "false", NULL, true, false, false },
		{ "x-use-cache", "0", NULL, true, false, false },
		{ "x-use-cache", "true", NULL, false, false, false },
		{ "X-Load-Model", "0", NULL, false, true, true },
		{ "Pragma", "no-cache", NULL, true, false, false },
		{ "Pragma", "no-cache", "max-age=5", false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *arena = arena_new(ARENA_SIZE);
		struct request_head head = head_of("POST", "/models/m");
		struct call call;

		assert_int_equal(fields_add(&head.fields, arena, bytes_str(rows[i].name),
		    bytes_str(rows[i].value)), 0);
		if (rows[i].second != NULL)
			assert_int_equal(fields_add(&head.fields, arena, BYTES_LIT("cache-control"),
			    bytes_str(rows[i].second)), 0);
		dialect_recognise(&head, &call);
		assert_null(control_read_fields(&call.controls, &head.fields));
		assert_int_equal(call_read_body(&call, &head, BYTES_LIT("{}"), NULL, arena), 0);
		assert_int_equal(call.controls.directives.no_cache, rows[i].no_cache);
		assert_int_equal(call.controls.directives.only_if_cached, rows[i].only_if_cached);
		assert_int_equal(call.controls.is_legacy, rows[i].is_legacy);
		arena_free(arena);
	}
}

static void
ids_and_paths_that_play_tricks_are_refused(void **state)
{
	static const struct bytes good_ids[] = {
		BYTES_LIT("t5-base"), BYTES_LIT("org/m.v1_x"), BYTES_LIT("llama3.2:3b-Q4_K_M"),
		BYTES_LIT("a/b/c"), BYTES_LIT("m:fastest"),
	}, bad_ids[] = {
		BYTES_LIT(""), BYTES_LIT("."), BYTES_LIT(".."), BYTES_LIT("../.."),
		BYTES_LIT("a/.."),
		BYTES_LIT("a/./b"), BYTES_LIT("/a"), BYTES_LIT("a/"), BYTES_LIT("a//b"),
		BYTES_LIT("%2e%2e"), BYTES_LIT("a%2fb"), BYTES_LIT("http://evil/"),
		BYTES_LIT("a?b"),
		BYTES_LIT("a#b"), BYTES_LIT("a\\b"), BYTES_LIT("u@h"), BYTES_LIT("a\0b"),
		BYTES_LIT("a b"), BYTES_LIT("\xc3\xa4"), BYTES_LIT("a:"), BYTES_LIT("a:b:c"),
		BYTES_LIT("a:.."), BYTES_LIT("a:b/c"),
	}, good_paths[] = {
		BYTES_LIT("/"), BYTES_LIT("/models/a/b"), BYTES_LIT("/a%20b"), BYTES_LIT("/a...b"),
	}, bad_paths[] = {
		BYTES_LIT(""), BYTES_LIT("http://evil/"), BYTES_LIT("/a\0b"), BYTES_LIT("//evil/"),
		BYTES_LIT("/a/../b"), BYTES_LIT("/.."), BYTES_LIT("/a/."),
		BYTES_LIT("/%2e%2E/"), BYTES_LIT("/a%2fb"), BYTES_LIT("/a%5Cb"), BYTES_LIT("/a%00"),
		BYTES_LIT("/a%"), BYTES_LIT("/a%2"), BYTES_LIT("/a%zz"), BYTES_LIT("/a\\b"),
		BYTES_LIT("/a\x01"), BYTES_LIT("/\xc3\xa4"),
	};
	char long_id[10000];

	(void)state;
	memset(long_id, 'a', sizeof(long_id));
	assert_true(model_id_is_valid((struct bytes){ long_id, 200 }));
	assert_false(model_id_is_valid((struct bytes){ long_id, 201 }));
	assert_false(model_id_is_valid((struct bytes){ long_id, sizeof(long_id) }));
	for (size_t i = 0; i < ARRAY_LEN(good_ids); i++)
		assert_true(model_id_is_valid(good_ids[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad_ids); i++)
		assert_false(model_id_is_valid(bad_ids[i]));
	for (size_t i = 0; i < ARRAY_LEN(good_paths); i++)
		assert_true(path_is_valid(good_paths[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad_paths); i++)
		assert_false(path_is_valid(bad_paths[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_path_finds_its_dialect),
		cmocka_unit_test(fields_without_effect_make_no_other_question),
		cmocka_unit_test(a_body_says_model_stream_and_whether_it_is_a_question),
		cmocka_unit_test(a_body_that_is_not_sent_as_json_is_keyed_by_its_bytes),
		cmocka_unit_test(an_object_is_known_by_its_type_and_its_body),
		cmocka_unit_test(where_the_model_stands_in_the_body_is_known),
		cmocka_unit_test(fields_say_what_may_be_answered_from_the_cache),
		cmocka_unit_test(ids_and_paths_that_play_tricks_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
