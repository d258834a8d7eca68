/* SPDX-License-Identifier: MIT */
/*
 * test_retouch.c - answers as the engines send them: what is asked for is changed,
 * however the answer comes in pieces, and every other byte is as it was.
 */
#include "tests/unit/stream_fixture.h"

#include <errno.h>

#include "proxy/dialect/json_walk.h"
#include "proxy/dialect/retouch.h"

/* 2026-11-25T04:30:00.123456Z */
#define NOW	((usec_t)1795581000123456)
#define SECONDS	"1795581000"
#define DATE	"2026-11-25T04:30:00.123456Z"

#define FRESH	.id = { "7f3a", 4 }, .now = NOW
#define ZERO	.zeroes_usage = true
#define DROP	.drops_usage = true

#define WHOLE(...)	{ .frame = RETOUCH_WHOLE, __VA_ARGS__ }
#define EVENTS(...)	{ .frame = RETOUCH_EVENTS, __VA_ARGS__ }
#define LINES(...)	{ .frame = RETOUCH_LINES, __VA_ARGS__ }

/* A chunk of a chat. */
#define C(id, created, choices, more) \
	"{'id':'" id "','object':'chat.completion.chunk','created':" created ",'model':'m'," \
	"'choices':[" choices "]" more "}"
#define DELTA	"{'index':0,'delta':{'content':'id_1'},'logprobs':null,'finish_reason':null}"
#define STOP	"{'index':0,'delta':{},'finish_reason':'stop'}"
#define USAGE	",'usage':{'prompt_tokens':5,'prompt_tokens_details':{'cached_tokens':4," \
		"'audio':null},'cost':1.5e-3,'list':[1,[2],'3',true]}"
#define ZEROED	",'usage':{'prompt_tokens':0,'prompt_tokens_details':{'cached_tokens':0," \
		"'audio':null},'cost':0,'list':[0,[0],'3',true]}"

/* Events of a message. */
#define MESSAGE(id, five, nine) \
	"event: message_start\ndata: {'type':'message_start','message':{'id':'" id "'," \
	"'type':'message','content':[],'usage':{'input_tokens':" five ",'cache_creation':" \
	"{'ephemeral_5m_input_tokens':" five "},'service_tier':'standard'}}}\n\n" \
	"event: ping\ndata: {'type': 'ping'}\n\n" \
	"event: content_block_start\ndata: {'type':'content_block_start','index':0," \
	"'content_block':{'type':'tool_use','id':'toolu_1','name':'f','input':{}}}\n\n" \
	"event: message_delta\ndata: {'type':'message_delta','delta':{'stop_reason':" \
	"'end_turn'},'usage':{'output_tokens':" nine "}}\n\n" \
	"event: message_stop\ndata: {'type':'message_stop'}\n\n"

/* Lines of Ollama's. */
#define LINE(date, end) "{'model':'m','created_at':'" date "','message':{'role':'assistant'," \
	"'content':'1'},'done':false}" end
#define LAST(date, n, end) "{'model':'m','created_at':'" date "','message':{'role':" \
	"'assistant','content':''},'done':true,'total_duration':9,'prompt_eval_count':" n \
	",'prompt_eval_duration':7,'eval_count':" n "}" end

static const struct {
	struct retouch	 how;
	const char	*in;
	const char	*out;	/* NULL: as it came */
} rows[] = {
	/* Ids and times of whole answers. */
	{ WHOLE(FRESH), "{'id':'chatcmpl-ab_c-d','object':'chat.completion','created':1,'model':"
	    "'m','choices':[{'index':0,'message':{'role':'assistant','content':'x','tool_calls':[{"
	    "'id':'call_1','created':2}]},'finish_reason':'stop'}]" USAGE "}\n",
	    "{'id':'chatcmpl-7f3a','object':'chat.completion','created':" SECONDS ",'model':"
	    "'m','choices':[{'index':0,'message':{'role':'assistant','content':'x','tool_calls':[{"
	    "'id':'call_1','created':2}]},'finish_reason':'stop'}]" USAGE "}\n" },
	{ WHOLE(FRESH), "{'created':0,'id':'cmpl-1','choices':[{'text':'a'}]}",
	    "{'created':" SECONDS ",'id':'cmpl-7f3a','choices':[{'text':'a'}]}" },
	{ WHOLE(FRESH), " {\r\n\t'id' : 'msg_01Xy' , 'type':'message', 'usage':{'a':1}\r\n} ",
	    " {\r\n\t'id' : 'msg_7f3a' , 'type':'message', 'usage':{'a':1}\r\n} " },
	{ WHOLE(FRESH), "{'id':'resp_1','created_at':1741476542}",
	    "{'id':'resp_7f3a','created_at':" SECONDS "}" },
	{ WHOLE(FRESH), "{'created_at':'2024-01-01T00:00:00.123456789Z','response':'a'}",
	    "{'created_at':'" DATE "','response':'a'}" },
	{ WHOLE(FRESH), "{'id':'8f'}", "{'id':'7f3a'}" },
	{ WHOLE(FRESH), "{'id':'a\\u002db\\'-c'}", "{'id':'a\\u002db\\'-7f3a'}" },
	{ WHOLE(FRESH), "{'id':'x_'}", "{'id':'x_7f3a'}" },
	{ WHOLE(FRESH), "{'id':'a-1','id':'b-2'}", "{'id':'a-7f3a','id':'b-7f3a'}" },
	{ WHOLE(FRESH), "{'created':-12,'created':99999999999999999999}",
	    "{'created':" SECONDS ",'created':" SECONDS "}" },
	/* Of other types, elsewhere, under other names, of no object: they stay. */
	{ WHOLE(FRESH), "{'id':'','id':1,'id':null,'id':['x-1'],'id':{'id':'x-1'}}", NULL },
	{ WHOLE(FRESH), "{'created':1.0,'created':1e5,'created':'1','created':null,"
	    "'created_at':1.5,'created_at':[1]}", NULL },
	{ WHOLE(FRESH), "{'\\u0069d':'x-1','ID':'x-1','ids':'x-1','':{'id':'x-1'},'message':"
	    "[{'id':'x-1'},'x'],'message':{'created':1,'x':{'id':'x-1'}}}", NULL },
	{ WHOLE(FRESH, ZERO), "[{'id':'x-1','created':1,'usage':{'a':1}}]", NULL },
	{ WHOLE(FRESH, ZERO), "'id'", NULL },
	{ WHOLE(FRESH, ZERO), "", NULL },
	/* No JSON. */
	{ WHOLE(FRESH, ZERO), "{'id':'x-1','created':1,'usage':{'a':1}", NULL },
	{ WHOLE(FRESH, ZERO), "{'id':'x-1'}{'id':'x-1'}", NULL },
	{ WHOLE(FRESH, ZERO), "\xef\xbb\xbf{'id':'x-1'}", NULL },
	{ WHOLE(FRESH, ZERO), "id: x-1\n", NULL },

	/* Counts, in whole answers; drops_usage is of events alone. */
	{ WHOLE(ZERO), "{'id':'x-1','created':1,'choices':[{'n':1}]" USAGE ",'timings':{'n':1}}",
	    "{'id':'x-1','created':1,'choices':[{'n':1}]" ZEROED ",'timings':{'n':1}}" },
	{ WHOLE(ZERO, DROP), "{'usage':null,'choices':[],'usage':{'a':-1.5}}",
	    "{'usage':null,'choices':[],'usage':{'a':0}}" },
	{ WHOLE(ZERO), "{'usage':{},'usage':[1],'usage':1,'usage':'1','x':{'usage':{'a':1}},"
	    "'details':{'x':{'generated_tokens':1}},'generated_tokens':1}", NULL },
	{ WHOLE(ZERO), "{'generated_text':'a','details':{'finish_reason':'length',"
	    "'generated_tokens':20,'seed':7,'tokens':[{'id':1}]}}",
	    "{'generated_text':'a','details':{'finish_reason':'length',"
	    "'generated_tokens':0,'seed':7,'tokens':[{'id':1}]}}" },
	{ WHOLE(FRESH, ZERO), LAST("2024-01-01T00:00:00Z", "12", ""), LAST(DATE, "0", "") },
	{ WHOLE(FRESH, ZERO), "{'object':'list','data':[{'embedding':[0.5,1]}],'usage':"
	    "{'prompt_tokens':8,'total_tokens':8}}", "{'object':'list','data':[{'embedding':"
	    "[0.5,1]}],'usage':{'prompt_tokens':0,'total_tokens':0}}" },

	/* A stream of a chat. */
	{ EVENTS(FRESH), ": hi\n\n" E(C("chatcmpl-1", "1", DELTA, ""))
	    E(C("chatcmpl-1", "1", STOP, "")) E(C("chatcmpl-1", "1", "", USAGE)) DONE,
	    ": hi\n\n" E(C("chatcmpl-7f3a", SECONDS, DELTA, ""))
	    E(C("chatcmpl-7f3a", SECONDS, STOP, ""))
	    E(C("chatcmpl-7f3a", SECONDS, "", USAGE)) DONE },
	{ EVENTS(ZERO), E(C("c-1", "1", DELTA, ",'usage':null")) E(C("c-1", "1", STOP, USAGE))
	    E(C("c-1", "1", "", USAGE)) DONE,
	    E(C("c-1", "1", DELTA, ",'usage':null")) E(C("c-1", "1", STOP, ZEROED))
	    E(C("c-1", "1", "", ZEROED)) DONE },
	{ EVENTS(DROP), E(C("c-1", "1", DELTA, ",'usage':null"))
	    E(C("c-1", "1", STOP, ",'usage':null")) E(C("c-1", "1", "", USAGE)) DONE,
	    E(C("c-1", "1", DELTA, "")) E(C("c-1", "1", STOP, "")) DONE },
	{ EVENTS(FRESH, ZERO, DROP), E(C("c-1", "1", DELTA, ",'usage':null,'x':1"))
	    E(C("c-1", "1", STOP, USAGE ",'timings':{'n':1}")) E(C("c-1", "1", "", USAGE)) DONE,
	    E(C("c-7f3a", SECONDS, DELTA, ",'x':1"))
	    E(C("c-7f3a", SECONDS, STOP, ",'timings':{'n':1}")) DONE },
	{ EVENTS(FRESH, DROP),
	    E("{'id':'cmpl-1','created':1,'choices':[{'text':'a'}],'usage':null}")
	    E("{'id':'cmpl-1','created':1,'choices':[],'usage':{'a':1}}") DONE,
	    E("{'id':'cmpl-7f3a','created':" SECONDS ",'choices':[{'text':'a'}]}") DONE },
	/* Wherever the usage stands among the members, it goes with one comma. */
	{ EVENTS(DROP), E("{'usage':null}") E("{ 'usage' : null }") E("{'usage':null,'a':1}")
	    E("{'a':1 , 'usage' : null , 'b':2 }") E("{'a':1, 'usage':null }"),
	    E("{}") E("{  }") E("{'a':1}") E("{'a':1 , 'b':2 }") E("{'a':1 }") },
	{ EVENTS(DROP), E("{'usage':null,'usage':null}") E("{'usage':null , 'usage':null, 'a':1}")
	    E("{'a':1,'usage':null,'usage':null}") E("{'a':1,'usage':null,'usage':null,'b':2}"),
	    E("{}") E("{ 'a':1}") E("{'a':1}") E("{'a':1,'b':2}") },
	{ EVENTS(DROP), E("{'usage':{'a':[{'b':{}}],'usage':{}},'choices':[{}]}")
	    E("{'choices':[1],'usage':{}}"), E("{'choices':[{}]}") E("{'choices':[1]}") },
	{ EVENTS(DROP), E("{'choices':[],'x':{'y':[]},'usage':{}}") ": a\ndata:{'usage':{'b':1},"
	    "'choices':[ ]}\nid: 1\n\n\n" E("1"), "\n" E("1") },
	/* No usage of theirs. */
	{ EVENTS(DROP), E("{'usage':{'a':1}}") E("{'choices':null,'usage':{'a':1}}")
	    E("{'choices':[],'usage':0}") E("{'choices':[{}],'usage':[]}") E("{'choices':[]}")
	    E("{'x':{'usage':null},'y':['usage',null]}") E("{'choices':{'a':1},'usage':{}}")
	    E("[{'choices':[],'usage':{}}]") E("{'choices':[],'usage':{}"), NULL },
	/* A filter's first chunk says no id. */
	{ EVENTS(FRESH, DROP), E("{'id':'','created':0,'choices':[],'usage':null}"),
	    E("{'id':'','created':" SECONDS ",'choices':[]}") },

	/* Whatever ends the lines, and what else is in an event. */
	{ EVENTS(FRESH, DROP), "data:{'id':'a-1'}\r\n\r\ndata: {'usage':{},'choices':[]}\r\n\r\n"
	    "data: {'id':'a-1'}\r\n\r\n", "data:{'id':'a-7f3a'}\r\n\r\ndata: {'id':'a-7f3a'}"
	    "\r\n\r\n" },
	{ EVENTS(FRESH, DROP), "data:{'id':'a-1'}\r\rdata: {'usage':{},'choices':[]}\r\r"
	    "data: {'id':'a-1'}\r\r", "data:{'id':'a-7f3a'}\r\rdata: {'id':'a-7f3a'}\r\r" },
	{ EVENTS(FRESH, DROP), "data:{'id':'a-1'}\n\r\ndata: {'usage':{},'choices':[]}\r\n\r\n"
	    "\r\ndata: {'usage':{},'choices':[]}\r\r\ndata: {'usage':{},'choices':[]}\r\r",
	    "data:{'id':'a-7f3a'}\n\r\n\r\n" },
	{ EVENTS(FRESH, DROP), "data: {'usage':{},'choices':[]}\n\r", "" },
	{ EVENTS(FRESH, DROP), "data: {'usage':{},'choices':[]}\n\n\rdata: 1\n\n",
	    "\rdata: 1\n\n" },
	{ EVENTS(FRESH), "\xef\xbb\xbf" "data: {'id':'a-1'}\n\n\xef\xbb\xbf\n\n",
	    "\xef\xbb\xbf" "data: {'id':'a-7f3a'}\n\n\xef\xbb\xbf\n\n" },
	{ EVENTS(FRESH), "event: x\nretry: 1\ndata:  \t{'id':'a-1'}\t \n: c\nid: a-1\n\n",
	    "event: x\nretry: 1\ndata:  \t{'id':'a-7f3a'}\t \n: c\nid: a-1\n\n" },
	{ EVENTS(FRESH, ZERO, DROP), "\n\n: c\n\n" DONE "data\n\ndata:\n\ndata: \n\nevent: x\n\n"
	    "error: {'id':'a-1'}\n\nx: {'id':'a-1'}\n\ndatax: {'id':'a-1'}\n\n"
	    " data: {'id':'a-1'}\n\n{'id':'a-1'}\n\ndata: {'id':'a-1'\n\n", NULL },
	/* JSON over several lines. */
	{ EVENTS(FRESH, ZERO, DROP), "data: {'id':'a-1'\ndata: }\n\ndata: {'id':'a-1'}\ndata\n\n"
	    "data: {'usage':{},'choices':[]}\ndata: \n\ndata: 1\ndata: {'id':'a-1'}\n\n", NULL },
	/* The end never came. */
	{ EVENTS(FRESH, DROP), "data: {'id':'a-1'}\n\ndata: {'id':'a-1'}",
	    "data: {'id':'a-7f3a'}\n\ndata: {'id':'a-1'}" },
	{ EVENTS(FRESH, DROP), "data: {'usage':{},'choices':[]}\r\n", NULL },

	/* A stream of a message, and TGI's. */
	{ EVENTS(FRESH, ZERO), MESSAGE("msg_01", "5", "9"), MESSAGE("msg_7f3a", "0", "0") },
	{ EVENTS(FRESH), MESSAGE("msg_01", "5", "9"), MESSAGE("msg_7f3a", "5", "9") },
	{ EVENTS(DROP), MESSAGE("msg_01", "5", "9"), NULL },
	{ EVENTS(FRESH, ZERO), E("{'index':1,'token':{'id':5,'text':'a'},'details':null}")
	    E("{'index':2,'token':{'id':5},'details':{'generated_tokens':2,'input_length':1}}"),
	    E("{'index':1,'token':{'id':5,'text':'a'},'details':null}")
	    E("{'index':2,'token':{'id':5},'details':{'generated_tokens':0,'input_length':1}}") },

	/* Lines. */
	{ LINES(FRESH, ZERO, DROP), LINE("t", "\n") LINE("", "\r\n") "\n\r\n x\n" LINE("t", " \n")
	    LAST("t", "12", "\n"), LINE(DATE, "\n") LINE(DATE, "\r\n") "\n\r\n x\n"
	    LINE(DATE, " \n") LAST(DATE, "0", "\n") },
	{ LINES(FRESH, ZERO), LINE("t", "\n") LAST("t", "1", ""), LINE(DATE, "\n")
	    LAST(DATE, "0", "") },
	{ LINES(FRESH, ZERO), LINE("t", "\n") "{'created_at':'t'",
	    LINE(DATE, "\n") "{'created_at':'t'" },
	{ LINES(DROP), "{'choices':[],'usage':{}}\n{'usage':null}\n", NULL },
};

/* What comes to OUT of IN, of which FIRST bytes arrive, then STEP at a time, then its end. */
static void
feed(const struct retouch *how, struct bytes in, size_t first, size_t step, struct buf *out)
{
	size_t used = 0, n;

	for (size_t len = first; len < in.len; len += step) {
		struct bytes held = bytes_skip(bytes_first(in, len), used);

		assert_int_equal(retouch(how, held, false, out, &n), 0);
		assert_true(n <= held.len);
		used += n;
	}
	assert_int_equal(retouch(how, bytes_skip(in, used), true, out, &n), 0);
	assert_int_equal(used + n, in.len);
}

/* Compare OUT with WANTED, and empty it. */
static void
check(struct buf *out, const char *wanted)
{
	if (!bytes_eq_str(buf_bytes(out), wanted))
		fail_msg("\n%.*s\nis not\n%s", BYTES_ARG(buf_bytes(out)), wanted);
	buf_consume(out, buf_len(out));
}

static void
answers_are_changed_as_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *in = quoted(rows[i].in);
		char *wanted = quoted(rows[i].out != NULL ? rows[i].out : rows[i].in);
		struct buf out;

		buf_init(&out, TEXT_MAX);
		feed(&rows[i].how, bytes_str(in), strlen(in), 1, &out);
		check(&out, wanted);
		xfree(wanted);
		xfree(in);
		buf_done(&out);
	}
}

static void
pieces_make_no_difference(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *in = quoted(rows[i].in);
		char *wanted = quoted(rows[i].out != NULL ? rows[i].out : rows[i].in);
		size_t len = rows[i].how.frame == RETOUCH_WHOLE ? 0 : strlen(in);
		struct buf out;

		buf_init(&out, TEXT_MAX);
		for (size_t first = 0; first < len; first++) {
			feed(&rows[i].how, bytes_str(in), first, len, &out);
			check(&out, wanted);
			feed(&rows[i].how, bytes_str(in), first, 1, &out);
			check(&out, wanted);
		}
		xfree(wanted);
		xfree(in);
		buf_done(&out);
	}
}

static void
nothing_is_changed_unasked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct retouch how = { .frame = rows[i].how.frame, .now = NOW };
		char *in = quoted(rows[i].in);
		struct buf out;

		buf_init(&out, TEXT_MAX);
		feed(&how, bytes_str(in), strlen(in), 1, &out);
		check(&out, in);
		xfree(in);
		buf_done(&out);
	}
}

static void
a_full_buffer_is_reported(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *in = quoted(rows[i].in);
		size_t len = strlen(rows[i].out != NULL ? rows[i].out : rows[i].in), used;

		for (size_t max = 0; max < len; max++) {
			struct buf out;

			buf_init(&out, max);
			assert_int_equal(retouch(&rows[i].how, bytes_str(in), true, &out, &used),
			    -E2BIG);
			buf_done(&out);
		}
		xfree(in);
	}
}

/* An event is passed on with the CR that ends it; only one that goes waits for an LF. */
static void
what_has_ended_does_not_wait(void **state)
{
	const struct retouch how = EVENTS(DROP);
	struct buf out;
	size_t used;

	(void)state;
	buf_init(&out, TEXT_MAX);
	assert_int_equal(retouch(&how, BYTES_LIT("data: 1\r\n\r"), false, &out, &used), 0);
	assert_int_equal(used, 10);
	check(&out, "data: 1\r\n\r");
	assert_int_equal(retouch(&how, BYTES_LIT("\ndata: 2\n"), false, &out, &used), 0);
	assert_int_equal(used, 1);
	check(&out, "\n");
	assert_int_equal(retouch(&how, BYTES_LIT("data: 2\n\n"
	    "data: {\"choices\":[],\"usage\":{}}\r\r"), false, &out, &used), 0);
	assert_int_equal(used, 9);
	check(&out, "data: 2\n\n");
	buf_done(&out);
}

/* What is deeper than is walked passes as it came. */
static void
depth_is_no_trouble(void **state)
{
	const struct retouch how = WHOLE(FRESH, ZERO);

	(void)state;
	for (size_t n = JSON_WALK_DEPTH_MAX - 2; n < JSON_WALK_DEPTH_MAX + 2; n++) {
		bool is_walked = n + 2 <= JSON_WALK_DEPTH_MAX;
		char deep[2 * JSON_WALK_DEPTH_MAX + 8] = "", in[sizeof(deep) + 64];
		char wanted[sizeof(in)];
		struct buf out;

		memset(deep, '[', n);
		deep[n] = '1';
		memset(deep + n + 1, ']', n);
		snprintf(in, sizeof(in), "{\"id\":\"a-1\",\"usage\":{\"x\":%s}}", deep);
		deep[n] = '0';
		snprintf(wanted, sizeof(wanted), "{\"id\":\"a-7f3a\",\"usage\":{\"x\":%s}}", deep);
		buf_init(&out, TEXT_MAX);
		feed(&how, bytes_str(in), SIZE_MAX, 1, &out);
		check(&out, is_walked ? wanted : in);
		buf_done(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_changed_as_asked),
		cmocka_unit_test(pieces_make_no_difference),
		cmocka_unit_test(nothing_is_changed_unasked),
		cmocka_unit_test(a_full_buffer_is_reported),
		cmocka_unit_test(what_has_ended_does_not_wait),
		cmocka_unit_test(depth_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
