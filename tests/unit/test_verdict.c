/* SPDX-License-Identifier: MIT */
/*
 * test_verdict.c - which answers are worth keeping, API by API.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/dialect/dialect.h"

#define JSON	"application/json"

static const struct {
	const char		*path, *type, *body;
	enum answer_verdict	 verdict;
} rows[] = {
	{ "/models/m", JSON, "[{\"translation_text\":\"x\"}]", ANSWER_STORABLE },
	{ "/models/m", JSON "; charset=utf-8", "[1.5]", ANSWER_STORABLE },
	{ "/models/m", "application/problem+json", "[1]", ANSWER_STORABLE },
	{ "/models/m", "image/png", "\x89PNG", ANSWER_STORABLE },
	{ "/models/m", "image/png", "", ANSWER_EMPTY },
	{ "/models/m", "text/html", "<html>", ANSWER_NOT_OF_TYPE },
	{ "/models/m", "", "[1]", ANSWER_NOT_OF_TYPE },
	{ "/models/m", JSON, "", ANSWER_EMPTY },
	{ "/models/m", JSON, "[]", ANSWER_EMPTY },
	{ "/models/m", JSON, "[1", ANSWER_NOT_WHOLE },
	{ "/models/m", JSON, "[1] x", ANSWER_NOT_WHOLE },
	{ "/models/m", JSON, "{\"error\":\"loading\"}", ANSWER_HOLDS_ERROR },
	{ "/models/m", JSON, "{\"error\":[\"a\"]}", ANSWER_HOLDS_ERROR },
	{ "/models/m", JSON, "{\"error\":null,\"a\":1}", ANSWER_STORABLE },
	{ "/models/m", JSON, "{\"error\":\"\",\"a\":1}", ANSWER_STORABLE },
	{ "/models/m", JSON, "{\"seed\":9313781139405380000}", ANSWER_STORABLE },
	{ "/v1/chat/completions", JSON, "{\"choices\":[{\"message\":{\"content\":\"x\"}}]}",
	    ANSWER_STORABLE },
	{ "/v1/chat/completions", JSON,
	    "{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[{}]}}]}",
	    ANSWER_STORABLE },
	{ "/v1/chat/completions", JSON,
	    "{\"choices\":[{\"message\":{\"content\":\"\",\"reasoning_content\":\"x\"}}]}",
	    ANSWER_STORABLE },
	{ "/v1/chat/completions", JSON, "{\"choices\":[{\"message\":{\"content\":\"\"}}]}",
	    ANSWER_EMPTY },
	{ "/v1/chat/completions", JSON, "{\"choices\":[]}", ANSWER_EMPTY },
	{ "/v1/chat/completions", JSON, "{}", ANSWER_EMPTY },
	{ "/v1/completions", JSON, "{\"choices\":[{\"text\":\"x\"}]}", ANSWER_STORABLE },
	{ "/v1/embeddings", JSON, "{\"data\":[{\"embedding\":[1]}]}", ANSWER_STORABLE },
	{ "/v1/embeddings", JSON, "{\"data\":[]}", ANSWER_EMPTY },
	{ "/v1/responses", JSON, "{\"status\":\"completed\",\"output\":[{}]}", ANSWER_STORABLE },
	{ "/v1/responses", JSON, "{\"status\":\"queued\",\"output\":[{}]}", ANSWER_PASSING },
	{ "/v1/responses", JSON, "{\"output\":[{\"type\":\"message\"}]}", ANSWER_STORABLE },
	{ "/v1/responses", JSON, "{\"output\":[{\"type\":\"web_search_call\"}]}", ANSWER_PASSING },
	{ "/v1/responses", JSON, "{\"output\":[{\"type\":\"function_call\"}]}", ANSWER_STORABLE },
	{ "/v1/moderations", JSON, "{\"results\":[{}]}", ANSWER_STORABLE },
	{ "/v1/audio/speech", "audio/mpeg", "x", ANSWER_STORABLE },
	{ "/v1/audio/transcriptions", "text/plain", "x", ANSWER_STORABLE },
	{ "/v1/audio/transcriptions", "text/html", "x", ANSWER_NOT_OF_TYPE },
	{ "/v1/audio/transcriptions", "text/event-stream", "x", ANSWER_NOT_OF_TYPE },
	{ "/v1/messages", JSON, "{\"content\":[{\"type\":\"text\"}],\"stop_reason\":\"end_turn\"}",
	    ANSWER_STORABLE },
	{ "/v1/messages", JSON,
	    "{\"content\":[{\"type\":\"text\"}],\"stop_reason\":\"pause_turn\"}",
	    ANSWER_PASSING },
	{ "/v1/messages", JSON,
	    "{\"content\":[{\"type\":\"server_tool_use\"}],\"stop_reason\":\"end_turn\"}",
	    ANSWER_PASSING },
	{ "/v1/messages", JSON, "{\"content\":[],\"stop_reason\":\"end_turn\"}", ANSWER_EMPTY },
	{ "/v1/messages/count_tokens", JSON, "{\"input_tokens\":0}", ANSWER_STORABLE },
	{ "/api/chat", JSON, "{\"message\":{\"content\":\"x\"},\"done\":true}", ANSWER_STORABLE },
	{ "/api/chat", JSON, "{\"message\":{\"content\":\"\"},\"done\":true}", ANSWER_EMPTY },
	{ "/api/chat", JSON, "{\"message\":{\"content\":\"x\"},\"done\":false}", ANSWER_PASSING },
	{ "/api/generate", JSON, "{\"response\":\"\",\"done\":true,\"done_reason\":\"load\"}",
	    ANSWER_PASSING },
	{ "/api/generate", JSON, "{\"response\":\"x\",\"done\":true}", ANSWER_STORABLE },
	{ "/api/embed", JSON, "{\"embeddings\":[[1]]}", ANSWER_STORABLE },
	{ "/embed", JSON, "[[0.5]]", ANSWER_STORABLE },
	{ "/embed", JSON, "{\"error\":\"x\",\"error_type\":\"Backend\"}", ANSWER_HOLDS_ERROR },
	{ "/generate", JSON, "{\"generated_text\":\"x\"}", ANSWER_STORABLE },
	{ "/generate", JSON, "{\"generated_text\":\"\"}", ANSWER_EMPTY },
	{ "/completion", JSON, "{\"content\":\"x\"}", ANSWER_STORABLE },
	{ "/completion", JSON, "[{\"content\":\"x\"}]", ANSWER_STORABLE },
	{ "/completion", JSON, "{\"content\":\"\"}", ANSWER_EMPTY },
	{ "/anything", "text/plain", "x", ANSWER_STORABLE },
	{ "/anything", "text/plain", "", ANSWER_EMPTY },
	{ "/anything", "text/html", "x", ANSWER_NOT_OF_TYPE },
	{ "/anything", "application/x-ndjson", "{}", ANSWER_NOT_OF_TYPE },
	{ "/anything", "", "x", ANSWER_NOT_OF_TYPE },
	{ "/anything", JSON, "{\"error\":{\"message\":\"x\"}}", ANSWER_HOLDS_ERROR },
};

static void
only_good_and_whole_answers_are_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct request_head head = {
			.method = BYTES_LIT("POST"), .path = bytes_str(rows[i].path),
		};
		struct call call;
		enum answer_verdict verdict;

		dialect_recognise(&head, &call);
		verdict = call.dialect->judge(&call, bytes_str(rows[i].type),
		    bytes_str(rows[i].body));
		if (verdict != rows[i].verdict)
			print_message("%s %s\n", rows[i].path, rows[i].body);
		assert_int_equal(verdict, rows[i].verdict);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_good_and_whole_answers_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
