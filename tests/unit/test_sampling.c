/* SPDX-License-Identifier: MIT */
/*
 * test_sampling.c - which answers are drawn by chance (PROTOCOLS.md 14, 5.2).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/dialect/dialect.h"

#define ARENA_SIZE	((size_t)1 << 20)

static bool
is_sampled_at(const char *path, const char *body)
{
	struct arena *arena = arena_new(ARENA_SIZE);
	struct request_head head = { .method = BYTES_LIT("POST"), .path = bytes_str(path) };
	struct call call;

	head.target = head.path;
	dialect_recognise(&head, &call);
	assert_int_equal(call_read_body(&call, &head, bytes_str(body), NULL, arena), 0);
	arena_free(arena);
	return call.is_sampled;
}

static void
chance_is_told_from_the_body(void **state)
{
	static const struct {
		const char	*path, *body;
		bool		 is_sampled;
	} rows[] = {
		{ "/v1/chat/completions", "{}", true },
		{ "/v1/chat/completions", "{\"temperature\":0}", false },
		{ "/v1/chat/completions", "{\"temperature\":0.0}", false },
		{ "/v1/chat/completions", "{\"temperature\":0e5}", false },
		{ "/v1/chat/completions", "{\"temperature\":0.01}", true },
		{ "/v1/chat/completions", "{\"temperature\":null}", true },
		{ "/v1/chat/completions", "{\"temperature\":\"0\"}", true },
		{ "/v1/chat/completions", "{\"seed\":1}", false },
		{ "/v1/chat/completions", "{\"seed\":-1}", true },
		{ "/v1/chat/completions", "{\"seed\":1,\"n\":2}", true },
		{ "/v1/chat/completions", "{\"seed\":1,\"n\":1}", false },
		{ "/v1/chat/completions", "{\"use_beam_search\":true}", false },
		{ "/v1/chat/completions", "no json", true },
		{ "/v1/embeddings", "{}", false },
		{ "/v1/moderations", "{}", false },
		{ "/v1/audio/speech", "{}", true },
		{ "/v1/messages", "{}", true },
		{ "/v1/messages", "{\"temperature\":0}", false },
		{ "/v1/messages/count_tokens", "{}", false },
		{ "/api/chat", "{}", true },
		{ "/api/chat", "{\"temperature\":0}", true },
		{ "/api/chat", "{\"options\":{\"temperature\":0}}", false },
		{ "/api/generate", "{\"options\":{\"seed\":7}}", false },
		{ "/api/embed", "{}", false },
		{ "/completion", "{}", true },
		{ "/completion", "{\"temperature\":0}", false },
		{ "/completion", "{\"seed\":-1}", true },
		{ "/generate", "{}", true },
		{ "/generate", "{\"parameters\":{}}", false },
		{ "/generate", "{\"parameters\":{\"max_new_tokens\":5}}", false },
		{ "/generate", "{\"parameters\":{\"top_k\":5}}", true },
		{ "/generate", "{\"parameters\":{\"top_k\":null}}", false },
		{ "/generate", "{\"parameters\":{\"do_sample\":true}}", true },
		{ "/generate", "{\"parameters\":{\"do_sample\":true,\"seed\":1}}", false },
		{ "/embed", "{}", false },
		{ "/models/t5", "{}", true },
		{ "/models/t5", "{\"parameters\":{\"do_sample\":false}}", false },
		{ "/models/t5/pipeline/translation", "{}", false },
		{ "/pipeline/text-generation/gpt2", "{}", true },
		{ "/pipeline/feature-extraction/m", "{}", false },
		{ "/whatever", "{}", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (is_sampled_at(rows[i].path, rows[i].body) != rows[i].is_sampled)
			fail_msg("%s %s", rows[i].path, rows[i].body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chance_is_told_from_the_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
