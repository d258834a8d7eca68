/* SPDX-License-Identifier: MIT */
/*
 * test_stream_property.c - whole answers by chance: said as a stream they fold to
 * themselves, however the stream is cut into reads it is the same, and cut short
 * or with an error in it, it is never kept.  Retouched, it says the same as the answer
 * retouched.
 */
#include "tests/unit/stream_fixture.h"

#include "base/buf.h"
#include "proxy/dialect/exact_json.h"
#include "proxy/dialect/retouch.h"
#include "proxy/http/ndjson.h"
#include "proxy/http/sse.h"

#define N_ANSWERS	400	/* of each form */
#define N_BROKEN	12	/* of these, cut at every byte */

struct maker {
	uint32_t	 seed;
	struct buf	 out;
	bool		 has_usage;
};

/* A small generator of numbers that is the same everywhere. */
static uint32_t
chance(struct maker *maker, uint32_t n)
{
	maker->seed = maker->seed * 1664525 + 1013904223;
	return (maker->seed >> 8) % n;
}

static void
put(struct maker *maker, const char *text)
{
	assert_int_equal(buf_add_str(&maker->out, text), 0);
}

static const char *
any_text(struct maker *maker)
{
	static const char *const texts[] = {
		"\"\"", "\"Hi\"", "\"a\\nb\"", "\"\xc3\xa9 \xf0\x9f\x98\x80\"", "\"\\u2028\"",
		"\"\\u0085\\u2029\"", "\"data: [DONE]\\n\\n\"", "\"\\u0000\"", "\"\\u00011.5\"",
		"\"{\\\"a\\\": 1.50}\"", "\"error\"", "\"\\\\\"",
	};

	return texts[chance(maker, ARRAY_LEN(texts))];
}

static const char *
any_said_text(struct maker *maker)
{
	const char *text = any_text(maker);

	return strcmp(text, "\"\"") == 0 ? "\"x\"" : text;
}

static const char *
any_number(struct maker *maker)
{
	static const char *const numbers[] = {
		"0", "-0", "7", "-0.10", "1.0", "1e-7", "9313781139405380000", "1E+400",
	};

	return numbers[chance(maker, ARRAY_LEN(numbers))];
}

static bool
once_in(struct maker *maker, uint32_t n)
{
	return chance(maker, n) == 0;
}

/* Put FORMAT, which has one %s, with VALUE, once in N times. */
static void
put_once_in(struct maker *maker, uint32_t n, const char *name, const char *value)
{
	if (once_in(maker, n))
		assert_int_equal(buf_addf(&maker->out, "\"%s\":%s,", name, value), 0);
}

static void
put_chat_calls(struct maker *maker)
{
	uint32_t n = 1 + chance(maker, 3);

	put(maker, "\"content\":null,\"tool_calls\":[");
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(buf_addf(&maker->out, "%s{\"id\":\"t%u\",\"type\":\"function\","
		    "\"function\":{\"name\":\"f%u\",\"arguments\":%s}}", i > 0 ? "," : "", i,
		    chance(maker, 3), any_text(maker)), 0);
	put(maker, "],");
}

static void
put_message(struct maker *maker)
{
	put(maker, "\"message\":{");
	if (once_in(maker, 3))
		put_chat_calls(maker);
	else
		assert_int_equal(buf_addf(&maker->out, "\"content\":%s,", any_text(maker)), 0);
	put_once_in(maker, 4, "refusal", once_in(maker, 2) ? "null" : any_text(maker));
	put_once_in(maker, 4, "reasoning_content", once_in(maker, 3) ? "null" : any_text(maker));
	put_once_in(maker, 8, "reasoning", any_text(maker));
	put(maker, "\"role\":\"assistant\"},");
}

static void
put_logprobs(struct maker *maker)
{
	assert_int_equal(buf_addf(&maker->out, "\"logprobs\":{\"content\":[{\"token\":%s,"
	    "\"logprob\":%s,\"bytes\":[1,2],\"top_logprobs\":[]}],\"refusal\":null},",
	    any_text(maker), any_number(maker)), 0);
}

static void
put_choice(struct maker *maker, enum stream_form form, uint32_t i)
{
	put(maker, i > 0 ? ",{" : "{");
	if (form == STREAM_CHAT)
		put_message(maker);
	else
		assert_int_equal(buf_addf(&maker->out, "\"text\":%s,", any_text(maker)), 0);
	if (once_in(maker, 3))
		put_logprobs(maker);
	else
		put_once_in(maker, 2, "logprobs", "null");
	put_once_in(maker, 4, "stop_reason", once_in(maker, 2) ? "null" : any_number(maker));
	put_once_in(maker, 8, "token_ids", "[1,2,3]");
	assert_int_equal(buf_addf(&maker->out, "\"finish_reason\":\"stop\",\"index\":%u}", i), 0);
}

static void
put_openai(struct maker *maker, enum stream_form form)
{
	uint32_t n = 1 + chance(maker, 3);

	assert_int_equal(buf_addf(&maker->out, "{\"id\":%s,\"created\":%s,\"model\":\"m\",",
	    any_said_text(maker), any_number(maker)), 0);
	put_once_in(maker, 3, "system_fingerprint", once_in(maker, 2) ? "null" : any_text(maker));
	put_once_in(maker, 3, "timings", "{\"prompt_ms\":1.50}");
	put_once_in(maker, 5, "kv_transfer_params", "null");
	maker->has_usage = once_in(maker, 2);
	if (maker->has_usage)
		put(maker, "\"usage\":{\"prompt_tokens\":5,\"details\":{\"a\":1.0}},");
	put(maker, "\"choices\":[");
	for (uint32_t i = 0; i < n; i++)
		put_choice(maker, form, i);
	put(maker, form == STREAM_CHAT ? "],\"object\":\"chat.completion\"}" :
	    "],\"object\":\"text_completion\"}");
}

static void
put_block(struct maker *maker)
{
	switch (chance(maker, 5)) {
	case 0:
		assert_int_equal(buf_addf(&maker->out, "{\"type\":\"thinking\",\"thinking\":%s,"
		    "\"signature\":%s}", any_text(maker), any_text(maker)), 0);
		break;
	case 1:
		put(maker, "{\"type\":\"redacted_thinking\",\"data\":\"x\"}");
		break;
	case 2:
		assert_int_equal(buf_addf(&maker->out, "{\"type\":\"tool_use\",\"id\":\"t\","
		    "\"name\":\"f\",\"input\":{\"a\":%s,\"b\":[%s]}}", any_text(maker),
		    any_number(maker)), 0);
		break;
	case 3:
		assert_int_equal(buf_addf(&maker->out, "{\"type\":\"text\",\"citations\":[{\"a\":"
		    "%s}],\"text\":%s}", any_number(maker), any_text(maker)), 0);
		break;
	default:
		assert_int_equal(buf_addf(&maker->out, "{\"type\":\"text\",\"text\":%s}",
		    any_text(maker)), 0);
	}
}

static void
put_anthropic(struct maker *maker)
{
	uint32_t n = chance(maker, 4);

	put(maker, "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",");
	put_once_in(maker, 4, "container", "{\"id\":\"c\"}");
	put(maker, "\"content\":[");
	for (uint32_t i = 0; i < n; i++) {
		put(maker, i > 0 ? "," : "");
		put_block(maker);
	}
	assert_int_equal(buf_addf(&maker->out, "],\"stop_reason\":\"end_turn\","
	    "\"stop_sequence\":%s,\"usage\":{\"input_tokens\":5,\"cache_read_input_tokens\":%s,"
	    "\"output_tokens\":%u,\"service_tier\":\"standard\",\"server_tool_use\":null}}",
	    once_in(maker, 3) ? any_text(maker) : "null", any_number(maker),
	    chance(maker, 100)), 0);
}

static void
put_ollama(struct maker *maker, enum stream_form form)
{
	bool is_chat = form == STREAM_OLLAMA_CHAT;

	put(maker, "{\"model\":\"m\",\"created_at\":\"t\",");
	if (is_chat) {
		put(maker, "\"message\":{");
		put_once_in(maker, 3, "tool_calls",
		    "[{\"function\":{\"arguments\":{\"a\":0.10}}},{\"id\":\"b\"}]");
		put_once_in(maker, 3, "thinking", any_said_text(maker));
		assert_int_equal(buf_addf(&maker->out, "\"content\":%s,\"role\":\"assistant\"},",
		    any_text(maker)), 0);
	} else {
		put_once_in(maker, 3, "thinking", any_said_text(maker));
		assert_int_equal(buf_addf(&maker->out, "\"response\":%s,", any_text(maker)), 0);
	}
	put_once_in(maker, 3, "logprobs", "[{\"logprob\":-0.10}]");
	put_once_in(maker, 3, "context", "[1,2,3]");
	put_once_in(maker, 3, "total_duration", any_number(maker));
	put(maker, "\"done\":true,\"done_reason\":\"stop\"}");
}

static void
put_tgi(struct maker *maker)
{
	uint32_t n = 1 + chance(maker, 4);
	bool has_top = once_in(maker, 3);

	assert_int_equal(buf_addf(&maker->out, "{\"generated_text\":%s,\"details\":{\"seed\":%s,"
	    "\"prefill\":[],\"tokens\":[", any_text(maker), any_number(maker)), 0);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(buf_addf(&maker->out, "%s{\"id\":%u,\"text\":%s,\"logprob\":%s}",
		    i > 0 ? "," : "", i, any_text(maker), any_number(maker)), 0);
	put(maker, has_top ? "],\"top_tokens\":[[{\"id\":1}]" : "]");
	for (uint32_t i = 1; has_top && i < n; i++)
		put(maker, once_in(maker, 2) ? ",[]" : ",[{\"id\":2},{\"id\":3}]");
	put(maker, has_top ? "]}}" : "}}");
}

static void
put_answer(struct maker *maker, enum stream_form form)
{
	buf_consume(&maker->out, buf_len(&maker->out));
	maker->has_usage = false;
	switch (form) {
	case STREAM_CHAT:
	case STREAM_COMPLETIONS:
		put_openai(maker, form);
		break;
	case STREAM_MESSAGES:
		put_anthropic(maker);
		break;
	case STREAM_GENERATE:
	case STREAM_OLLAMA_CHAT:
		put_ollama(maker, form);
		break;
	default:
		put_tgi(maker);
	}
}

/* The stream of an answer made by chance, in STREAM. */
static void
make_stream(struct maker *maker, enum stream_form form, struct buf *stream)
{
	struct unfold_options options;
	int r;

	put_answer(maker, form);
	options.include_usage = maker->has_usage;
	r = stream_unfold(form, buf_bytes(&maker->out), &options, stream);
	if (r != 0)
		fail_msg("%d: %.*s", r, BYTES_ARG(buf_bytes(&maker->out)));
}

static void
any_answer_is_itself_again(void **state)
{
	struct maker maker = { .seed = 1 };

	(void)state;
	buf_init(&maker.out, TEXT_MAX);
	for (unsigned i = 0; i < N_ANSWERS * STREAM_TGI; i++) {
		enum stream_form form = STREAM_CHAT + i % STREAM_TGI;
		struct buf stream, again;

		buf_init(&stream, TEXT_MAX);
		buf_init(&again, TEXT_MAX);
		make_stream(&maker, form, &stream);
		assert_true(stream_has_end(form, buf_bytes(&stream)));
		assert_int_equal(stream_fold(form, buf_bytes(&stream), &again), 0);
		assert_same_json("folded", buf_bytes(&maker.out), buf_bytes(&again));
		buf_done(&again);
		buf_done(&stream);
	}
	buf_done(&maker.out);
}

/* The events of STREAM in OUT, read STEP bytes at a time. */
static void
list_events(struct bytes stream, size_t step, struct buf *out)
{
	struct sse *sse = sse_new(TEXT_MAX);
	struct sse_event event;

	for (; stream.len > 0; stream = bytes_skip(stream, step)) {
		struct bytes in = bytes_first(stream, step);
		size_t used;

		for (; in.len > 0; in = bytes_skip(in, used))
			if (sse_feed(sse, in, &used, &event) == SSE_EVENT)
				assert_int_equal(buf_addf(out, "%.*s|%.*s\n",
				    BYTES_ARG(event.name), BYTES_ARG(event.data)), 0);
	}
	assert_true(sse_is_at_rest(sse));
	sse_free(sse);
}

static void
list_lines(struct bytes stream, size_t step, struct buf *out)
{
	struct ndjson *ndjson = ndjson_new(TEXT_MAX);
	struct bytes line;

	for (; stream.len > 0; stream = bytes_skip(stream, step)) {
		struct bytes in = bytes_first(stream, step);
		size_t used;

		for (; in.len > 0; in = bytes_skip(in, used))
			if (ndjson_feed(ndjson, in, &used, &line) == NDJSON_LINE)
				assert_int_equal(buf_addf(out, "%.*s\n", BYTES_ARG(line)), 0);
	}
	assert_true(ndjson_is_at_rest(ndjson));
	ndjson_free(ndjson);
}

static bool
is_lines(enum stream_form form)
{
	return form == STREAM_GENERATE || form == STREAM_OLLAMA_CHAT;
}

static void
any_reads_give_the_same_events(void **state)
{
	static const size_t steps[] = { 1, 2, 3, 7, 64, 1000 };
	struct maker maker = { .seed = 2 };

	(void)state;
	buf_init(&maker.out, TEXT_MAX);
	for (unsigned i = 0; i < 20 * STREAM_TGI * ARRAY_LEN(steps); i++) {
		enum stream_form form = STREAM_CHAT + i % STREAM_TGI;
		void (*list)(struct bytes, size_t, struct buf *) =
		    is_lines(form) ? list_lines : list_events;
		struct buf stream, whole, pieces;

		buf_init(&stream, TEXT_MAX);
		buf_init(&whole, TEXT_MAX);
		buf_init(&pieces, TEXT_MAX);
		make_stream(&maker, form, &stream);
		list(buf_bytes(&stream), TEXT_MAX, &whole);
		list(buf_bytes(&stream), steps[i % ARRAY_LEN(steps)], &pieces);
		assert_true(bytes_eq(buf_bytes(&whole), buf_bytes(&pieces)));
		buf_done(&pieces);
		buf_done(&whole);
		buf_done(&stream);
	}
	buf_done(&maker.out);
}

static enum answer_verdict
judge(enum stream_form form, struct bytes stream)
{
	return stream_judge(form, bytes_str(stream_content_type(form)), stream);
}

/* Is what follows LEN bytes of STREAM nothing but usage and [DONE]? */
static bool
lacks_no_choice(struct bytes stream, size_t len)
{
	struct bytes rest = bytes_skip(stream, len);

	return bytes_find_str(rest, "\"finish_reason\"") == rest.len;
}

/* Before, and behind, each event: an error in the middle. */
static void
check_errors(enum stream_form form, struct bytes stream)
{
	struct bytes rest = stream, piece;
	struct buf broken;

	buf_init(&broken, TEXT_MAX);
	do {
		size_t len = stream.len - rest.len;

		buf_consume(&broken, buf_len(&broken));
		assert_int_equal(buf_add(&broken, bytes_first(stream, len)), 0);
		assert_int_equal(buf_add_str(&broken, is_lines(form) ? "{\"error\":\"x\"}\n" :
		    "data: {\"error\":{\"message\":\"x\"}}\n\n"), 0);
		assert_int_equal(buf_add(&broken, rest), 0);
		assert_int_not_equal(judge(form, buf_bytes(&broken)), ANSWER_STORABLE);
	} while (stream_next_piece(form, &rest, &piece));
	buf_done(&broken);
}

/*
 * A cut is seen wherever it is: only OpenAI's streams may go without what follows the
 * last reason, and between two choices of several nobody can tell.
 */
static void
check_cuts(enum stream_form form, struct bytes stream)
{
	bool is_openai = form == STREAM_CHAT || form == STREAM_COMPLETIONS;
	bool has_one_choice = bytes_find_str(stream, "\"index\":1,\"") == stream.len;

	for (size_t len = 0; len < stream.len; len++) {
		enum answer_verdict verdict = judge(form, bytes_first(stream, len));

		if (verdict != ANSWER_STORABLE)
			continue;
		assert_true(is_openai && bytes_has_suffix(bytes_first(stream, len), "\n\n"));
		assert_false(stream_has_end(form, bytes_first(stream, len)));
		assert_true(!has_one_choice || lacks_no_choice(stream, len));
	}
}

static void
no_broken_stream_is_kept(void **state)
{
	struct maker maker = { .seed = 3 };

	(void)state;
	buf_init(&maker.out, TEXT_MAX);
	for (unsigned i = 0; i < N_BROKEN * STREAM_TGI; i++) {
		enum stream_form form = STREAM_CHAT + i % STREAM_TGI;
		struct buf stream;

		buf_init(&stream, TEXT_MAX);
		make_stream(&maker, form, &stream);
		check_cuts(form, buf_bytes(&stream));
		check_errors(form, buf_bytes(&stream));
		buf_done(&stream);
	}
	buf_done(&maker.out);
}

static void
a_full_buffer_is_reported(void **state)
{
	struct maker maker = { .seed = 4 };

	(void)state;
	buf_init(&maker.out, TEXT_MAX);
	for (enum stream_form form = STREAM_CHAT; form <= STREAM_TGI; form++) {
		struct unfold_options options;
		struct buf stream, small;

		buf_init(&stream, TEXT_MAX);
		make_stream(&maker, form, &stream);
		options.include_usage = maker.has_usage;
		for (size_t max = 0; max < buf_len(&stream); max += 13) {
			buf_init(&small, max);
			assert_true(stream_unfold(form, buf_bytes(&maker.out), &options,
			    &small) < 0);
			buf_done(&small);
		}
		buf_init(&small, 10);
		assert_true(stream_fold(form, buf_bytes(&stream), &small) < 0);
		buf_done(&small);
		buf_done(&stream);
	}
	buf_done(&maker.out);
}

/* What IN is when it was changed as HOW says. */
static void
retouch_all(const struct retouch *how, struct bytes in, struct buf *out)
{
	size_t used;

	assert_int_equal(retouch(how, in, true, out, &used), 0);
	assert_int_equal(used, in.len);
}

/* Ids, times and counts of a stream are those of the answer it says. */
static void
retouch_goes_before_and_behind_a_fold(void **state)
{
	struct maker maker = { .seed = 5 };
	struct retouch how = { .id = BYTES_LIT("0123abcd"), .now = 1, .zeroes_usage = true };

	(void)state;
	buf_init(&maker.out, TEXT_MAX);
	for (unsigned i = 0; i < N_ANSWERS * STREAM_TGI; i++) {
		enum stream_form form = STREAM_CHAT + i % STREAM_TGI;
		struct buf stream, fresh, again, wanted;

		buf_init(&stream, TEXT_MAX);
		buf_init(&fresh, TEXT_MAX);
		buf_init(&again, TEXT_MAX);
		buf_init(&wanted, TEXT_MAX);
		make_stream(&maker, form, &stream);
		how.frame = is_lines(form) ? RETOUCH_LINES : RETOUCH_EVENTS;
		retouch_all(&how, buf_bytes(&stream), &fresh);
		assert_int_equal(stream_fold(form, buf_bytes(&fresh), &again), 0);
		how.frame = RETOUCH_WHOLE;
		retouch_all(&how, buf_bytes(&maker.out), &wanted);
		assert_same_json("retouched", buf_bytes(&wanted), buf_bytes(&again));
		buf_done(&wanted);
		buf_done(&again);
		buf_done(&fresh);
		buf_done(&stream);
	}
	buf_done(&maker.out);
}

/* Does ANSWER have members that are said in the chunk of usage, if there is one? */
static bool
has_extras(struct bytes answer)
{
	return bytes_find_str(answer, "\"timings\"") < answer.len ||
	    bytes_find_str(answer, "\"kv_transfer_params\"") < answer.len;
}

/* A stream made with usage is one made without, once it is taken out. */
static void
no_sign_of_usage_stays(void **state)
{
	const struct retouch how = { .frame = RETOUCH_EVENTS, .drops_usage = true };
	const struct unfold_options without = { .include_usage = false };
	struct maker maker = { .seed = 6 };
	unsigned n_compared = 0;

	(void)state;
	buf_init(&maker.out, TEXT_MAX);
	for (unsigned i = 0; i < 4 * N_ANSWERS; i++) {
		enum stream_form form = i % 2 == 0 ? STREAM_CHAT : STREAM_COMPLETIONS;
		struct buf with, wanted, left, whole;

		buf_init(&with, TEXT_MAX);
		buf_init(&wanted, TEXT_MAX);
		buf_init(&left, TEXT_MAX);
		buf_init(&whole, TEXT_MAX);
		make_stream(&maker, form, &with);
		retouch_all(&how, buf_bytes(&with), &left);
		assert_int_equal(stream_fold(form, buf_bytes(&left), &whole), 0);
		assert_int_equal(stream_unfold(form, buf_bytes(&maker.out), &without, &wanted), 0);
		if (!maker.has_usage || !has_extras(buf_bytes(&maker.out))) {
			assert_true(bytes_eq(buf_bytes(&left), buf_bytes(&wanted)));
			n_compared += maker.has_usage;
		}
		buf_done(&whole);
		buf_done(&left);
		buf_done(&wanted);
		buf_done(&with);
	}
	assert_true(n_compared > N_ANSWERS / 2);
	buf_done(&maker.out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_answer_is_itself_again),
		cmocka_unit_test(any_reads_give_the_same_events),
		cmocka_unit_test(no_broken_stream_is_kept),
		cmocka_unit_test(a_full_buffer_is_reported),
		cmocka_unit_test(retouch_goes_before_and_behind_a_fold),
		cmocka_unit_test(no_sign_of_usage_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
