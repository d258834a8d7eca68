/* SPDX-License-Identifier: MIT */
/*
 * test_stream.c - streams of each API as their servers send them: whether they may be
 * stored, and what they say; and whole answers as streams, to the byte.
 */
#include "tests/unit/stream_fixture.h"

#define CHUNK(choices)	E("{'id':'c1','object':'chat.completion.chunk','created':1,'model':'m'," \
			    "'choices':[" choices "]}")
#define DELTA(i, delta)	CHUNK("{'index':" #i ",'delta':" delta ",'finish_reason':null}")
#define STOP(i, why)	CHUNK("{'index':" #i ",'delta':{},'finish_reason':" why "}")
#define WHOLE(choices)	"{'id':'c1','object':'chat.completion','created':1,'model':'m'," \
			    "'choices':[" choices "]}"
#define SAID(i, message, why) \
			"{'index':" #i ",'message':" message ",'finish_reason':" why "}"

#define PIECE(choices)	E("{'id':'c1','object':'text_completion','created':1,'model':'m'," \
			    "'choices':[" choices "]}")
#define WHOLE_TEXT(choices) "{'id':'c1','object':'text_completion','created':1,'model':'m'," \
			    "'choices':[" choices "]}"

/* An event of Anthropic's, and a stream of them around BLOCKS. */
#define N(type, members) "event: " type "\ndata: {'type':'" type "'" members "}\n\n"
#define BLOCK(i, block, deltas) \
	N("content_block_start", ",'index':" #i ",'content_block':" block) deltas \
	N("content_block_stop", ",'index':" #i)
#define ADDS(i, delta)	N("content_block_delta", ",'index':" #i ",'delta':" delta)
#define BEGINS		N("message_start", ",'message':{'id':'m1','type':'message','role':" \
			    "'assistant','model':'m','content':[],'stop_reason':null," \
			    "'stop_sequence':null,'usage':{'input_tokens':5,'output_tokens':0}}")
#define ENDS(why)	N("message_delta", ",'delta':{'stop_reason':" why "," \
			    "'stop_sequence':null},'usage':{'input_tokens':5,'output_tokens':9}") \
			N("message_stop", "")
#define MESSAGE(blocks, why) "{'id':'m1','type':'message','role':'assistant','model':'m'," \
			    "'content':[" blocks "],'stop_reason':" why ",'stop_sequence':null," \
			    "'usage':{'input_tokens':5,'output_tokens':9}}"

/* Text, thinking and a call of a tool, each in one delta. */
#define THREE_BLOCKS_AS_EVENTS \
	BLOCK(0, "{'type':'thinking','thinking':'','signature':''}", \
	    ADDS(0, "{'type':'thinking_delta','thinking':'hm'}") \
	    ADDS(0, "{'type':'signature_delta','signature':'s=='}")) \
	BLOCK(1, "{'type':'text','text':'','citations':[]}", \
	    ADDS(1, "{'type':'citations_delta','citation':{'start':0}}") \
	    ADDS(1, "{'type':'text_delta','text':'Hi \xc3\xa9'}")) \
	BLOCK(2, "{'type':'tool_use','id':'t1','name':'f','input':{}}", \
	    ADDS(2, "{'type':'input_json_delta','partial_json':'{\\'x\\':[1.50,-0]}'}"))
#define THREE_BLOCKS \
	"{'type':'thinking','thinking':'hm','signature':'s=='}," \
	"{'type':'text','text':'Hi \xc3\xa9','citations':[{'start':0}]}," \
	"{'type':'tool_use','id':'t1','name':'f','input':{'x':[1.50,-0]}}"

/* Lines of Ollama's, and their last one. */
#define LINE(members)	"{'model':'m','created_at':'t'," members ",'done':false}\n"
#define LAST(members)	"{'model':'m','created_at':'t'," members ",'done':true," \
			    "'done_reason':'stop','context':[1,2],'total_duration':5," \
			    "'eval_count':2}"
#define SPEAKS(members)	"'message':{'role':'assistant'," members "}"

/* An event of TGI's, and its last one. */
#define TOKEN(i, token, more) \
			E("{'index':" #i ",'token':" token more ",'generated_text':null," \
			    "'details':null}")
#define LAST_TOKEN(i, token, text, details) \
			E("{'index':" #i ",'token':" token ",'generated_text':" text "," \
			    "'details':" details "}")
#define TGI_DETAILS	"'finish_reason':'length','generated_tokens':2,'seed':7"

static const struct {
	enum stream_form	 form;
	const char		*stream;
	enum answer_verdict	 verdict;
	const char		*whole;		/* NULL: it cannot be folded */
} rows[] = {
	/* Text. */
	{ STREAM_CHAT, DELTA(0, "{'role':'assistant','content':''}") DELTA(0, "{'content':'Hel'}")
	    DELTA(0, "{'content':'lo'}") STOP(0, "'stop'") DONE, ANSWER_STORABLE,
	    WHOLE(SAID(0, "{'role':'assistant','content':'Hello'}", "'stop'")) },
	/* Without [DONE], with a role in each chunk: old TGI. */
	{ STREAM_CHAT, DELTA(0, "{'role':'assistant','content':'a'}")
	    DELTA(0, "{'role':'assistant','content':'b'}") STOP(0, "'eos_token'"), ANSWER_STORABLE,
	    WHOLE(SAID(0, "{'role':'assistant','content':'ab'}", "'eos_token'")) },
	/* A comment, another line end, an event without data. */
	{ STREAM_CHAT, ": ping\r\n\r\n" DELTA(0, "{'content':'a'}") "event: x\n\n"
	    STOP(0, "'stop'") DONE, ANSWER_STORABLE,
	    WHOLE(SAID(0, "{'role':'assistant','content':'a'}", "'stop'")) },
	/* Several choices, out of order. */
	{ STREAM_CHAT, DELTA(1, "{'role':'assistant','content':'b'}") DELTA(0, "{'content':'a'}")
	    STOP(1, "'length'") STOP(0, "'stop'") DONE, ANSWER_STORABLE,
	    WHOLE(SAID(0, "{'role':'assistant','content':'a'}", "'stop'") ","
		SAID(1, "{'role':'assistant','content':'b'}", "'length'")) },
	/* Reasoning under both its names. */
	{ STREAM_CHAT, DELTA(0, "{'role':'assistant','content':null,'reasoning_content':'h'}")
	    DELTA(0, "{'reasoning_content':'m'}") DELTA(0, "{'content':'4'}") STOP(0, "'stop'")
	    DONE, ANSWER_STORABLE, WHOLE(SAID(0,
		"{'role':'assistant','content':'4','reasoning_content':'hm'}", "'stop'")) },
	{ STREAM_CHAT, DELTA(0, "{'reasoning':'hm'}") STOP(0, "'stop'") DONE, ANSWER_STORABLE,
	    WHOLE(SAID(0, "{'role':'assistant','content':null,'reasoning':'hm'}", "'stop'")) },
	{ STREAM_CHAT, DELTA(0, "{'refusal':'no'}") STOP(0, "'stop'") DONE, ANSWER_STORABLE,
	    WHOLE(SAID(0, "{'role':'assistant','content':null,'refusal':'no'}", "'stop'")) },
	/* Calls of tools: two at once, the second without a type, and an old one. */
	{ STREAM_CHAT, DELTA(0, "{'role':'assistant','content':'','tool_calls':[{'index':0,"
		"'id':'t1','type':'function','function':{'name':'f','arguments':''}}]}")
	    DELTA(0, "{'tool_calls':[{'index':0,'function':{'arguments':'{\\'x\\':'}}]}")
	    DELTA(0, "{'tool_calls':[{'index':1,'id':'t2','function':{'name':'g','arguments':"
		"'{}'}},{'index':0,'function':{'arguments':'1}'}}]}") STOP(0, "'tool_calls'")
	    DONE, ANSWER_STORABLE, WHOLE(SAID(0, "{'role':'assistant','content':null,'tool_calls':["
		"{'id':'t1','type':'function','function':{'name':'f','arguments':'{\\'x\\':1}'}},"
		"{'id':'t2','type':'function','function':{'name':'g','arguments':'{}'}}]}",
		"'tool_calls'")) },
	{ STREAM_CHAT, DELTA(0, "{'tool_calls':[{'index':1,'id':'t','function':{'name':'f'}}]}")
	    STOP(0, "'tool_calls'"), ANSWER_STORABLE, WHOLE(SAID(0, "{'role':'assistant','content':"
		"null,'tool_calls':[{'id':'t','type':'function','function':{'name':'f',"
		"'arguments':''}}]}", "'tool_calls'")) },
	{ STREAM_CHAT, DELTA(0, "{'function_call':{'name':'f','arguments':'{'}}")
	    DELTA(0, "{'function_call':{'arguments':'}'}}") STOP(0, "'function_call'"),
	    ANSWER_STORABLE, WHOLE(SAID(0, "{'role':'assistant','content':null,'function_call':"
		"{'name':'f','arguments':'{}'}}", "'function_call'")) },
	/* Usage of any chunk, the last counts; what else there is. */
	{ STREAM_CHAT,
	    E("{'id':'','object':'','created':0,'model':'','choices':[],'obfuscation':'x'}")
	    E("{'id':'c1','created':1,'model':'m','choices':[{'index':0,'delta':{'content':'a'},"
		"'finish_reason':null}],'usage':{'n':1},'obfuscation':'xx'}")
	    E("{'id':'c1','created':1,'model':'m','choices':[{'index':0,'delta':{},"
		"'finish_reason':'stop','stop_reason':null,'seed':18446744073709551615}],"
		"'usage':null,'system_fingerprint':'f','timings':{'a':0.10}}")
	    E("{'choices':[],'usage':{'n':2}}") DONE, ANSWER_STORABLE,
	    "{'id':'c1','object':'chat.completion','created':1,'model':'m','choices':[{'index':0,"
	    "'message':{'role':'assistant','content':'a'},'finish_reason':'stop',"
	    "'stop_reason':null,'seed':18446744073709551615}],'usage':{'n':2},"
	    "'system_fingerprint':'f','timings':{'a':0.10}}" },
	/* Logprobs. */
	{ STREAM_CHAT, CHUNK("{'index':0,'delta':{'content':'a'},'logprobs':{'content':[{'token':"
		"'a','logprob':-0.10,'bytes':[97]}],'refusal':null},'finish_reason':null}")
	    CHUNK("{'index':0,'delta':{'content':'b'},'logprobs':{'content':[{'token':'b'}],"
		"'refusal':null},'finish_reason':null}")
	    CHUNK("{'index':0,'delta':{},'logprobs':null,'finish_reason':'stop'}") DONE,
	    ANSWER_STORABLE, WHOLE("{'index':0,'message':{'role':'assistant','content':'ab'},"
		"'logprobs':{'content':[{'token':'a','logprob':-0.10,'bytes':[97]},"
		"{'token':'b'}],'refusal':null},'finish_reason':'stop'}") },
	/* Whole, but for nobody to fold. */
	{ STREAM_CHAT, DELTA(0, "{'content':'a','audio':{'id':'x'}}") STOP(0, "'stop'") DONE,
	    ANSWER_STORABLE, NULL },
	{ STREAM_CHAT, DELTA(0, "{'content':'a','annotations':[{}]}") STOP(0, "'stop'") DONE,
	    ANSWER_STORABLE, NULL },
	{ STREAM_CHAT, DELTA(0, "{'content':'a','annotations':[],'audio':null}")
	    STOP(0, "'stop'") DONE, ANSWER_STORABLE,
	    WHOLE(SAID(0, "{'role':'assistant','content':'a'}", "'stop'")) },
	{ STREAM_CHAT, DELTA(0, "{'content':['a']}") STOP(0, "'stop'"), ANSWER_STORABLE, NULL },
	{ STREAM_CHAT, DELTA(0, "{'content':1.5}") STOP(0, "'stop'"), ANSWER_STORABLE, NULL },
	{ STREAM_CHAT, DELTA(1, "{'content':'a'}") STOP(1, "'stop'"), ANSWER_STORABLE, NULL },
	{ STREAM_CHAT, DELTA(0, "{'tool_calls':[{'index':0,'id':'a'}]}")
	    DELTA(0, "{'tool_calls':[{'index':0,'id':'b'}]}") STOP(0, "'stop'"),
	    ANSWER_STORABLE, NULL },
	/* Nothing said. */
	{ STREAM_CHAT, "", ANSWER_EMPTY, NULL },
	{ STREAM_CHAT, DONE, ANSWER_EMPTY, NULL },
	{ STREAM_CHAT, DELTA(0, "{'role':'assistant','content':''}") STOP(0, "'stop'") DONE,
	    ANSWER_EMPTY, WHOLE(SAID(0, "{'role':'assistant','content':''}", "'stop'")) },
	/* Not well ended. */
	{ STREAM_CHAT, DELTA(0, "{'content':'a'}"), ANSWER_NOT_WHOLE, NULL },
	{ STREAM_CHAT, DELTA(0, "{'content':'a'}") DONE, ANSWER_NOT_WHOLE, NULL },
	{ STREAM_CHAT, DELTA(0, "{'content':'a'}") DELTA(1, "{'content':'a'}") STOP(0, "'stop'")
	    DONE, ANSWER_NOT_WHOLE, NULL },
	{ STREAM_CHAT, DELTA(0, "{'content':'a'}") STOP(0, "''") DONE, ANSWER_NOT_WHOLE, NULL },
	{ STREAM_CHAT, STOP(0, "'stop'") DONE DELTA(0, "{}"), ANSWER_NOT_WHOLE, NULL },
	{ STREAM_CHAT, STOP(0, "'stop'") "data: [DONE]\n", ANSWER_NOT_WHOLE, NULL },
	{ STREAM_CHAT, STOP(0, "'stop'") "data: {'a'\n\n" DONE, ANSWER_NOT_WHOLE, NULL },
	{ STREAM_CHAT, STOP(0, "'stop'") E("[]") DONE, ANSWER_NOT_WHOLE, NULL },
	{ STREAM_CHAT, STOP(-1, "'stop'") DONE, ANSWER_NOT_WHOLE, NULL },
	/* Errors, in all the ways they come. */
	{ STREAM_CHAT, DELTA(0, "{'content':'a'}") E("{'error':{'message':'x'}}") DONE,
	    ANSWER_HOLDS_ERROR, NULL },
	{ STREAM_CHAT, DELTA(0, "{'content':'a'}") STOP(0, "'stop'") E("{'error':'x'}") DONE,
	    ANSWER_HOLDS_ERROR, NULL },
	{ STREAM_CHAT, DELTA(0, "{'content':'a'}") STOP(0, "'stop'") "error: {'code':500}\n\n",
	    ANSWER_HOLDS_ERROR, NULL },
	{ STREAM_CHAT, STOP(0, "'stop'") "event: error\ndata: {}\n\n", ANSWER_HOLDS_ERROR, NULL },
	{ STREAM_CHAT, E("{'error':null,'choices':[{'index':0,'delta':{'content':'a'},"
		"'finish_reason':'stop'}]}"), ANSWER_STORABLE, "{'object':'chat.completion',"
	    "'error':null,'choices':[{'index':0,'message':{'role':'assistant','content':'a'},"
	    "'finish_reason':'stop'}]}" },
	/* Completions. */
	{ STREAM_COMPLETIONS, PIECE("{'index':0,'text':'a','logprobs':null,'finish_reason':''}")
	    PIECE("{'index':1,'text':'c','logprobs':null,'finish_reason':'stop'}")
	    PIECE("{'index':0,'text':'b','logprobs':null,'finish_reason':'length'}") DONE,
	    ANSWER_STORABLE, WHOLE_TEXT(
		"{'index':0,'text':'ab','logprobs':null,'finish_reason':'length'},"
		"{'index':1,'text':'c','logprobs':null,'finish_reason':'stop'}") },
	{ STREAM_COMPLETIONS, PIECE("{'index':0,'text':'a','logprobs':{'tokens':['a'],"
		"'token_logprobs':[-1.50],'top_logprobs':null,'text_offset':[0]}}")
	    PIECE("{'index':0,'text':'b','logprobs':{'tokens':['b'],'token_logprobs':[null],"
		"'top_logprobs':null,'text_offset':[1]},'finish_reason':'stop'}") DONE,
	    ANSWER_STORABLE, WHOLE_TEXT("{'index':0,'text':'ab','logprobs':{'tokens':['a','b'],"
		"'token_logprobs':[-1.50,null],'top_logprobs':null,'text_offset':[0,1]},"
		"'finish_reason':'stop'}") },
	{ STREAM_COMPLETIONS, PIECE("{'index':0,'text':''}"), ANSWER_NOT_WHOLE, NULL },
	/* Anthropic. */
	{ STREAM_MESSAGES, BEGINS THREE_BLOCKS_AS_EVENTS ENDS("'tool_use'"), ANSWER_STORABLE,
	    MESSAGE(THREE_BLOCKS, "'tool_use'") },
	{ STREAM_MESSAGES, N("ping", "") BEGINS BLOCK(0, "{'type':'text','text':''}",
		ADDS(0, "{'type':'text_delta','text':'H'}") N("ping", "")
		ADDS(0, "{'type':'text_delta','text':'i'}")) ENDS("'end_turn'"), ANSWER_STORABLE,
	    MESSAGE("{'type':'text','text':'Hi'}", "'end_turn'") },
	{ STREAM_MESSAGES, BEGINS BLOCK(0, "{'type':'tool_use','id':'t','name':'f','input':{}}",
		ADDS(0, "{'type':'input_json_delta','partial_json':''}")
		ADDS(0, "{'type':'input_json_delta','partial_json':'{\\'a'}")
		ADDS(0, "{'type':'input_json_delta','partial_json':'\\':1}'}"))
	    BLOCK(1, "{'type':'tool_use','id':'u','name':'g','input':{}}", "")
	    BLOCK(2, "{'type':'redacted_thinking','data':'x'}", "") ENDS("'tool_use'"),
	    ANSWER_STORABLE, MESSAGE("{'type':'tool_use','id':'t','name':'f','input':{'a':1}},"
		"{'type':'tool_use','id':'u','name':'g','input':{}},"
		"{'type':'redacted_thinking','data':'x'}", "'tool_use'") },
	{ STREAM_MESSAGES, BEGINS BLOCK(0, "{'type':'text','text':'a'}", "") ENDS("'pause_turn'"),
	    ANSWER_PASSING, MESSAGE("{'type':'text','text':'a'}", "'pause_turn'") },
	{ STREAM_MESSAGES, BEGINS BLOCK(0, "{'type':'server_tool_use','name':'web_search'}", "")
	    ENDS("'end_turn'"), ANSWER_PASSING, NULL },
	{ STREAM_MESSAGES, BEGINS BLOCK(0, "{'type':'web_search_tool_result'}", "")
	    BLOCK(1, "{'type':'text','text':'a'}", "") ENDS("'end_turn'"), ANSWER_PASSING, NULL },
	{ STREAM_MESSAGES, BEGINS BLOCK(0, "{'type':'new'}", "")
	    BLOCK(1, "{'type':'text','text':'a'}", "") ENDS("'end_turn'"), ANSWER_STORABLE, NULL },
	{ STREAM_MESSAGES, BEGINS BLOCK(0, "{'type':'text','text':'a'}",
		ADDS(0, "{'type':'new_delta','new':'x'}")) ENDS("'end_turn'"),
	    ANSWER_STORABLE, NULL },
	{ STREAM_MESSAGES, BEGINS BLOCK(0, "{'type':'tool_use','input':{}}",
		ADDS(0, "{'type':'input_json_delta','partial_json':'{'}")) ENDS("'tool_use'"),
	    ANSWER_STORABLE, NULL },
	{ STREAM_MESSAGES, BEGINS ENDS("'end_turn'"), ANSWER_EMPTY, MESSAGE("", "'end_turn'") },
	{ STREAM_MESSAGES, "", ANSWER_NOT_WHOLE, NULL },
	{ STREAM_MESSAGES, BEGINS BLOCK(0, "{'type':'text','text':'a'}", ""), ANSWER_NOT_WHOLE,
	    NULL },
	{ STREAM_MESSAGES, BEGINS ENDS("null"), ANSWER_NOT_WHOLE, NULL },
	{ STREAM_MESSAGES, BEGINS BEGINS ENDS("'end_turn'"), ANSWER_NOT_WHOLE, NULL },
	{ STREAM_MESSAGES, BLOCK(0, "{'type':'text','text':'a'}", "") ENDS("'end_turn'"),
	    ANSWER_NOT_WHOLE, NULL },
	{ STREAM_MESSAGES, BEGINS N("content_block_start", ",'index':0,'content_block':{'type':"
		"'text','text':'a'}") ENDS("'end_turn'"), ANSWER_NOT_WHOLE, NULL },
	{ STREAM_MESSAGES, BEGINS BLOCK(0, "{'type':'text','text':'a'}", "")
	    N("content_block_stop", ",'index':0") ENDS("'end_turn'"), ANSWER_NOT_WHOLE, NULL },
	{ STREAM_MESSAGES, BEGINS N("error", ",'error':{'type':'overloaded_error'}"),
	    ANSWER_HOLDS_ERROR, NULL },
	{ STREAM_MESSAGES, BEGINS E("{'type':'error'}") ENDS("'end_turn'"), ANSWER_HOLDS_ERROR,
	    NULL },
	/* Ollama. */
	{ STREAM_GENERATE, LINE("'response':'H'") LINE("'response':'i'") LAST("'response':''") "\n",
	    ANSWER_STORABLE, LAST("'response':'Hi'") },
	{ STREAM_GENERATE, LINE("'response':'','thinking':'h'") LINE("'response':'','thinking':'m'")
	    "\r\n" LINE("'response':'4','logprobs':[{'logprob':-0.10}]")
	    LAST("'response':'!','logprobs':[{'logprob':-1}]") "\n", ANSWER_STORABLE,
	    LAST("'response':'4!','thinking':'hm','logprobs':[{'logprob':-0.10},{'logprob':-1}]") },
	{ STREAM_OLLAMA_CHAT, LINE(SPEAKS("'content':'H'")) LINE(SPEAKS("'content':'i'"))
	    LAST(SPEAKS("'content':''")) "\n", ANSWER_STORABLE, LAST(SPEAKS("'content':'Hi'")) },
	{ STREAM_OLLAMA_CHAT, LINE(SPEAKS("'content':'','thinking':'hm'"))
	    LINE(SPEAKS("'content':'','tool_calls':[{'function':{'name':'f','arguments':"
		"{'x':1.50}}}]"))
	    LINE(SPEAKS("'content':'','tool_calls':[{'function':{'name':'g','arguments':{}}}]"))
	    LAST(SPEAKS("'content':''")) "\n", ANSWER_STORABLE, LAST(SPEAKS("'content':'',"
		"'thinking':'hm','tool_calls':[{'function':{'name':'f','arguments':{'x':1.50}}},"
		"{'function':{'name':'g','arguments':{}}}]")) },
	{ STREAM_OLLAMA_CHAT, LINE(SPEAKS("'content':'a','images':['x']"))
	    LAST(SPEAKS("'content':''")) "\n", ANSWER_STORABLE, NULL },
	{ STREAM_GENERATE, LINE("'response':'a','new':1") LAST("'response':''") "\n",
	    ANSWER_STORABLE, NULL },
	{ STREAM_GENERATE, "{'response':'','done':true,'done_reason':'load'}\n", ANSWER_PASSING,
	    "{'response':'','done':true,'done_reason':'load'}" },
	{ STREAM_OLLAMA_CHAT, "{'message':{'content':''},'done':true,'done_reason':'unload'}\n",
	    ANSWER_PASSING, "{'message':{'content':''},'done':true,'done_reason':'unload'}" },
	{ STREAM_GENERATE, LAST("'response':''") "\n", ANSWER_EMPTY, LAST("'response':''") },
	{ STREAM_GENERATE, "", ANSWER_NOT_WHOLE, NULL },
	{ STREAM_GENERATE, LINE("'response':'a'"), ANSWER_NOT_WHOLE, NULL },
	{ STREAM_GENERATE, LINE("'response':'a'") LAST("'response':''"), ANSWER_NOT_WHOLE, NULL },
	{ STREAM_GENERATE, LAST("'response':'a'") "\n" LINE("'response':'a'"), ANSWER_NOT_WHOLE,
	    NULL },
	{ STREAM_GENERATE, "[DONE]\n" LAST("'response':'a'") "\n", ANSWER_NOT_WHOLE, NULL },
	{ STREAM_GENERATE, LINE("'response':'a'") "{'error':'x'}\n", ANSWER_HOLDS_ERROR, NULL },
	/* TGI. */
	{ STREAM_TGI, TOKEN(1, "{'id':1,'text':'H','logprob':-0.10,'special':false}", "")
	    LAST_TOKEN(2, "{'id':2,'text':'i'}", "'Hi'", "null"), ANSWER_STORABLE,
	    "{'generated_text':'Hi'}" },
	{ STREAM_TGI, "data:{'token':{'id':1,'text':'H'},'generated_text':'pH',"
		"'details':null}\n\n", ANSWER_STORABLE,
	    "{'generated_text':'pH'}" },
	{ STREAM_TGI, TOKEN(1, "{'id':1}", ",'top_tokens':[{'id':9}]")
	    LAST_TOKEN(2, "{'id':2}", "'Hi'", "{" TGI_DETAILS ",'input_length':3}"),
	    ANSWER_STORABLE,
	    "{'generated_text':'Hi','details':{" TGI_DETAILS ",'input_length':3,'prefill':[],"
	    "'tokens':[{'id':1},{'id':2}],'top_tokens':[[{'id':9}],[]]}}" },
	{ STREAM_TGI, LAST_TOKEN(1, "{'id':2}", "''", "null"), ANSWER_EMPTY,
	    "{'generated_text':''}" },
	{ STREAM_TGI, "", ANSWER_NOT_WHOLE, NULL },
	{ STREAM_TGI, TOKEN(1, "{'id':1}", ""), ANSWER_NOT_WHOLE, NULL },
	{ STREAM_TGI, E("{'generated_text':'x'}"), ANSWER_NOT_WHOLE, NULL },
	{ STREAM_TGI, E("{'error':'x','error_type':'validation'}"), ANSWER_HOLDS_ERROR, NULL },
	{ STREAM_TGI, E("{'error':{'message':'x','http_status_code':422}}"), ANSWER_HOLDS_ERROR,
	    NULL },
};

static void
streams_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes type = bytes_str(stream_content_type(rows[i].form));
		char *stream = quoted(rows[i].stream);
		enum answer_verdict verdict = stream_judge(rows[i].form, type, bytes_str(stream));

		if (verdict != rows[i].verdict)
			fail_msg("row %zu is %d: %s", i, verdict, stream);
		assert_int_equal(stream_judge(rows[i].form, BYTES_LIT("application/json"),
		    bytes_str(stream)), ANSWER_NOT_OF_TYPE);
		xfree(stream);
	}
	assert_int_equal(stream_judge(STREAM_CHAT, BYTES_LIT("Text/Event-Stream ; charset=utf-8"),
	    bytes_str(DONE)), ANSWER_EMPTY);
}

static void
streams_are_folded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *stream = quoted(rows[i].stream);
		char *whole = quoted(rows[i].whole != NULL ? rows[i].whole : "");
		struct buf out;
		int r;

		buf_init(&out, TEXT_MAX);
		r = stream_fold(rows[i].form, bytes_str(stream), &out);
		if (r != (rows[i].whole != NULL ? 0 : STREAM_E_CANNOT))
			fail_msg("row %zu gives %d: %s", i, r, stream);
		if (r == 0)
			assert_same_json(stream, buf_bytes(&out), bytes_str(whole));
		buf_done(&out);
		xfree(whole);
		xfree(stream);
	}
}

static const struct {
	enum stream_form	 form;
	bool			 include_usage;
	const char		*whole;
	const char		*stream;	/* NULL: it cannot be said so */
} unfolded[] = {
	/* As PROTOCOLS.md 7.1 has it. */
	{ STREAM_CHAT, true, "{'id':'c1','object':'chat.completion','created':1,'model':'m',"
	    "'choices':[{'index':0,'message':{'role':'assistant','content':'Hi \xe2\x80\xa8'},"
	    "'logprobs':null,'finish_reason':'stop'}],'usage':{'n':7}}",
	    E("{'id':'c1','created':1,'model':'m','object':'chat.completion.chunk','choices':[{"
		"'index':0,'delta':{'role':'assistant','content':''},'logprobs':null,"
		"'finish_reason':null}],'usage':null}")
	    E("{'id':'c1','created':1,'model':'m','object':'chat.completion.chunk','choices':[{"
		"'index':0,'delta':{'content':'Hi \\u2028'},'logprobs':null,"
		"'finish_reason':null}],'usage':null}")
	    E("{'id':'c1','created':1,'model':'m','object':'chat.completion.chunk','choices':[{"
		"'index':0,'delta':{},'logprobs':null,'finish_reason':'stop'}],'usage':null}")
	    E("{'id':'c1','created':1,'model':'m','object':'chat.completion.chunk','choices':[],"
		"'usage':{'n':7}}") DONE },
	{ STREAM_CHAT, false, "{'choices':[{'index':0,'message':{'content':null,'refusal':null,"
	    "'annotations':[],'tool_calls':[{'id':'t','type':'function','function':{'name':'f',"
	    "'arguments':'{}'}}]},'finish_reason':'tool_calls'}],'usage':{'n':7},'timings':0.10}",
	    E("{'object':'chat.completion.chunk','choices':[{'index':0,'delta':{"
		"'role':'assistant','content':null,'refusal':null},'finish_reason':null}]}")
	    E("{'object':'chat.completion.chunk','choices':[{'index':0,'delta':{'tool_calls':[{"
		"'index':0,'id':'t','type':'function','function':{'name':'f','arguments':''}}]},"
		"'finish_reason':null}]}")
	    E("{'object':'chat.completion.chunk','choices':[{'index':0,'delta':{'tool_calls':[{"
		"'index':0,'function':{'arguments':'{}'}}]},'finish_reason':null}]}")
	    E("{'object':'chat.completion.chunk','choices':[{'index':0,'delta':{},"
		"'finish_reason':'tool_calls'}],'timings':0.10}") DONE },
	{ STREAM_COMPLETIONS, false, "{'choices':[{'index':0,'text':'a','finish_reason':'stop'}]}",
	    E("{'object':'text_completion','choices':[{'index':0,'text':'a',"
		"'finish_reason':null}]}")
	    E("{'object':'text_completion','choices':[{'index':0,'text':'',"
		"'finish_reason':'stop'}]}") DONE },
	{ STREAM_MESSAGES, false, MESSAGE(THREE_BLOCKS, "'tool_use'"),
	    BEGINS THREE_BLOCKS_AS_EVENTS ENDS("'tool_use'") },
	{ STREAM_MESSAGES, false, MESSAGE("{'type':'web_search_tool_result'}", "'end_turn'"),
	    NULL },
	{ STREAM_MESSAGES, false, MESSAGE("{'type':'tool_use','input':1}", "'tool_use'"), NULL },
	{ STREAM_MESSAGES, false, MESSAGE("{'type':'text','text':'a'}", "null"), NULL },
	{ STREAM_MESSAGES, false, "{'content':[],'stop_reason':'end_turn'}", NULL },
	{ STREAM_GENERATE, false, LAST("'response':'Hi','thinking':'hm','logprobs':[0.10]"),
	    LINE("'response':'','thinking':'hm'")
	    "{'model':'m','created_at':'t','response':'Hi','done':false,'logprobs':[0.10]}\n"
	    LAST("'response':''") "\n" },
	{ STREAM_OLLAMA_CHAT, false, LAST(SPEAKS("'content':'Hi','tool_calls':[{'a':1.50}]")),
	    LINE(SPEAKS("'content':'Hi'")) LINE(SPEAKS("'content':'','tool_calls':[{'a':1.50}]"))
	    LAST(SPEAKS("'content':''")) "\n" },
	{ STREAM_OLLAMA_CHAT, false, LINE(SPEAKS("'content':'Hi'")), NULL },
	{ STREAM_OLLAMA_CHAT, false, LAST(SPEAKS("'content':'Hi','images':['x']")), NULL },
	{ STREAM_OLLAMA_CHAT, false, LAST("'response':'a'"), NULL },
	{ STREAM_TGI, false, "{'generated_text':'Hi','details':{" TGI_DETAILS ",'prefill':[],"
	    "'tokens':[{'id':1},{'id':2}],'top_tokens':[[{'id':9}],[]]}}",
	    E("{'index':1,'token':{'id':1},'top_tokens':[{'id':9}],'generated_text':null,"
		"'details':null}")
	    LAST_TOKEN(2, "{'id':2}", "'Hi'", "{" TGI_DETAILS "}") },
	{ STREAM_TGI, false, "{'generated_text':'Hi'}", NULL },
	{ STREAM_TGI, false, "{'generated_text':'Hi','details':{'tokens':[]}}", NULL },
	{ STREAM_TGI, false, "{'generated_text':'Hi','details':{'tokens':[{}],'prefill':[{}]}}",
	    NULL },
	{ STREAM_TGI, false, "[{'generated_text':'Hi'}]", NULL },
	{ STREAM_CHAT, true, WHOLE(SAID(0, "{'content':'a'}", "'stop'")), NULL },
	{ STREAM_CHAT, false, WHOLE(SAID(0, "{'content':'a'}", "null")), NULL },
	{ STREAM_CHAT, false, WHOLE(SAID(1, "{'content':'a'}", "'stop'")), NULL },
	{ STREAM_CHAT, false, WHOLE(SAID(0, "{'content':['a']}", "'stop'")), NULL },
	{ STREAM_CHAT, false, WHOLE(SAID(0, "{'audio':{'id':'a'}}", "'stop'")), NULL },
	{ STREAM_CHAT, false, WHOLE(SAID(0, "{'annotations':[1]}", "'stop'")), NULL },
	{ STREAM_CHAT, false, WHOLE(SAID(0, "{'tool_calls':[{'type':'custom'}]}", "'stop'")),
	    NULL },
	{ STREAM_CHAT, false, WHOLE(""), NULL },
	{ STREAM_CHAT, false, "{'error':'x'}", NULL },
	{ STREAM_CHAT, false, "[1]", NULL },
	{ STREAM_CHAT, false, "{", NULL },
	{ STREAM_CHAT, false, "", NULL },
};

static void
whole_answers_are_said_as_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unfolded); i++) {
		const struct unfold_options options = { unfolded[i].include_usage };
		char *whole = quoted(unfolded[i].whole);
		char *want = quoted(unfolded[i].stream != NULL ? unfolded[i].stream : "");
		struct buf out;
		int r;

		buf_init(&out, TEXT_MAX);
		r = stream_unfold(unfolded[i].form, bytes_str(whole), &options, &out);
		if (r != (unfolded[i].stream != NULL ? 0 : STREAM_E_CANNOT))
			fail_msg("%s gives %d", whole, r);
		if (r == 0 && !bytes_eq_str(buf_bytes(&out), want))
			fail_msg("%.*s\nand not\n%s", BYTES_ARG(buf_bytes(&out)), want);
		buf_done(&out);
		xfree(want);
		xfree(whole);
	}
}

static void
a_stream_is_cut_into_its_events(void **state)
{
	static const struct {
		enum stream_form	 form;
		const char		*stream;
		const char		*pieces[5];
	} cases[] = {
		{ STREAM_CHAT, "", { NULL } },
		{ STREAM_CHAT, "data: a\n\n: b\r\n\r\ndata: c\r\r\n\ndata: d",
		    { "data: a\n\n", ": b\r\n\r\n", "data: c\r\r\n", "\ndata: d" } },
		{ STREAM_CHAT, "event: a\ndata: b\n\n\n", { "event: a\ndata: b\n\n", "\n" } },
		{ STREAM_CHAT, "a\n\r", { "a\n\r" } },
		{ STREAM_GENERATE, "a\nb\r\n\nc", { "a\n", "b\r\n", "\nc" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes rest = bytes_str(cases[i].stream), piece;
		size_t n = 0;

		for (; stream_next_piece(cases[i].form, &rest, &piece); n++)
			assert_true(bytes_eq_str(piece, cases[i].pieces[n]));
		assert_null(cases[i].pieces[n]);
	}
}

static void
a_stream_says_itself_that_it_is_over(void **state)
{
	static const struct {
		enum stream_form	 form;
		const char		*stream;
		bool			 has_end;
	} cases[] = {
		{ STREAM_CHAT, STOP(0, "'stop'") DONE, true },
		{ STREAM_CHAT, STOP(0, "'stop'"), false },
		{ STREAM_CHAT, STOP(0, "'stop'") "data: [DONE]\n", false },
		{ STREAM_MESSAGES, BEGINS ENDS("'end_turn'"), true },
		{ STREAM_MESSAGES, BEGINS, false },
		{ STREAM_GENERATE, LAST("'response':''") "\n", true },
		{ STREAM_GENERATE, LAST("'response':''"), false },
		{ STREAM_TGI, LAST_TOKEN(1, "{}", "''", "null"), true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *stream = quoted(cases[i].stream);

		assert_int_equal(stream_has_end(cases[i].form, bytes_str(stream)),
		    cases[i].has_end);
		xfree(stream);
	}
}

static void
forms_are_known_by_their_paths(void **state)
{
	static const struct {
		const char		*path;
		enum stream_form	 form;
	} cases[] = {
		{ "/v1/chat/completions", STREAM_CHAT },
		{ "/models/m/v1/chat/completions", STREAM_CHAT },
		{ "/completions", STREAM_COMPLETIONS },
		{ "/v1/messages", STREAM_MESSAGES },
		{ "/v1/messages/count_tokens", STREAM_NONE },
		{ "/api/generate", STREAM_GENERATE },
		{ "/api/chat", STREAM_OLLAMA_CHAT },
		{ "/generate", STREAM_TGI },
		{ "/generate_stream", STREAM_TGI },
		{ "/v1/embeddings", STREAM_NONE },
		{ "/v1/responses", STREAM_NONE },
		{ "/completion", STREAM_NONE },
		{ "/models/m", STREAM_NONE },
		{ "/anything", STREAM_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct request_head head = {
			.method = BYTES_LIT("POST"), .path = bytes_str(cases[i].path),
		};
		struct call call;

		dialect_recognise(&head, &call);
		assert_int_equal(stream_form_of(&call), cases[i].form);
	}
}

/* Fed byte by byte: how far the whole events go, and whether what came so far rests there. */
static void
expect_marks(enum stream_form form, const char *text, const size_t *ends)
{
	struct stream_mark mark = { 0 };
	struct bytes all = bytes_str(text);

	for (size_t n = 1; n <= all.len; n++) {
		struct bytes body = bytes_first(all, n);
		size_t from = n > STREAM_TAIL_LEN ? n - STREAM_TAIL_LEN : 0;

		while (ends[1] != 0 && ends[1] <= n)
			ends++;
		stream_mark_events(form, body, &mark);
		assert_int_equal(mark.whole, ends[0] <= n ? ends[0] : 0);
		assert_int_equal(stream_is_at_rest(form, bytes_skip(body, from)),
		    mark.whole == n);
	}
}

static void
whole_events_are_told_from_half_ones(void **state)
{
	struct stream_mark mark = { 0 };

	(void)state;
	expect_marks(STREAM_CHAT, "data: 1\n\ndata: 2\ndata: 3\n\n: x\n\ndata",
	    (const size_t[]){ 9, 26, 31, 0 });
	expect_marks(STREAM_MESSAGES, "event: a\rdata: 1\r\rdata: 2",
	    (const size_t[]){ 18, 0 });
	expect_marks(STREAM_GENERATE, "{}\n{\"a\":1}\n{", (const size_t[]){ 3, 11, 0 });
	stream_mark_events(STREAM_TGI, BYTES_LIT("data: 1\r\n\r\ndata: 2\r\n"), &mark);
	assert_int_equal(mark.whole, 11);
	assert_true(stream_is_at_rest(STREAM_TGI, BYTES_LIT("\r\n\r\n")));
	assert_false(stream_is_at_rest(STREAM_TGI, BYTES_LIT(" 2\r\n")));
	assert_true(stream_is_at_rest(STREAM_TGI, BYTES_NONE));
}

static void
an_error_in_a_stream_is_what_its_api_calls_one(void **state)
{
	static const struct {
		enum stream_form	 form;
		const char		*want;
	} errors[] = {
		{ STREAM_CHAT, "data: {\"error\":{\"message\":\"No.\",\"type\":\"server_error\","
		    "\"param\":null,\"code\":\"gone\"}}\n\n" },
		{ STREAM_COMPLETIONS, "data: {\"error\":{\"message\":\"No.\",\"type\":"
		    "\"server_error\",\"param\":null,\"code\":\"gone\"}}\n\n" },
		{ STREAM_MESSAGES, "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
		    "\"api_error\",\"message\":\"No.\"}}\n\n" },
		{ STREAM_GENERATE, "{\"error\":\"No.\"}\n" },
		{ STREAM_OLLAMA_CHAT, "{\"error\":\"No.\"}\n" },
		{ STREAM_TGI, "data: {\"error\":\"No.\",\"error_type\":\"gone\"}\n\n" },
	};
	struct buf out;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		struct stream_mark mark = { 0 };

		buf_init(&out, 4096);
		assert_int_equal(stream_add_error(errors[i].form, 502, "gone", BYTES_LIT("No."),
		    &out), 0);
		assert_true(bytes_eq_str(buf_bytes(&out), errors[i].want));
		stream_mark_events(errors[i].form, buf_bytes(&out), &mark);
		assert_int_equal(mark.whole, buf_len(&out));
		assert_int_equal(stream_judge(errors[i].form,
		    bytes_str(stream_content_type(errors[i].form)), buf_bytes(&out)),
		    ANSWER_HOLDS_ERROR);
		buf_done(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_are_judged),
		cmocka_unit_test(streams_are_folded),
		cmocka_unit_test(whole_answers_are_said_as_streams),
		cmocka_unit_test(a_stream_is_cut_into_its_events),
		cmocka_unit_test(a_stream_says_itself_that_it_is_over),
		cmocka_unit_test(forms_are_known_by_their_paths),
		cmocka_unit_test(whole_events_are_told_from_half_ones),
		cmocka_unit_test(an_error_in_a_stream_is_what_its_api_calls_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
