/* SPDX-License-Identifier: MIT */
/*
 * demo_engine.c - a stand-in for an inference engine.  It is no model: it knows
 * a handful of phrases, takes its time over them as a model would, and marks
 * everything else it says as made up.  It speaks the Hugging Face shapes of
 * translation and question answering, and OpenAI chat and embeddings, whole and
 * streamed.
 *
 * It uses evhttp, which is unfit for anything that listens to strangers
 * (HAZARDS.md, finding 3); here it listens on loopback, to a demo.
 *
 * A job is a request that waits for its delay; a stream is a job whose words
 * leave one per tick of the same timer.  Whoever's connection closes first
 * loses its job, so that no timer outlives its request.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <jansson.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

#define MARK		"[demo engine, no model]"
#define BODY_MAX	(8 << 20)
#define N_DIMENSIONS	8
#define STREAM_TICK	(20 * USEC_PER_MSEC)
#define PATH_MAX_LEN	512
#define HOST_SIZE	64
#define DELAY_MAX	(3600 * USEC_PER_SEC)

enum {
	EXIT_FINE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

struct engine {
	struct event_base	*base;
	struct evhttp		*http;
	usec_t			 delay;		/* before an answer */
	char			 host[HOST_SIZE];
	uint16_t		 port;
};

/* One answer under way.  Owned by its timer; ended by the last word or a closed connection. */
struct job {
	struct engine		*engine;
	struct evhttp_request	*http;		/* NULL once its connection closed */
	struct evhttp_connection *conn;
	struct event		*timer;
	json_t			*answer;
	char			*words;		/* of a stream: what is still to be sent */
	bool			 has_begun;	/* the head of the stream is out */
};

typedef json_t *answer_fn(const char *path, const json_t *body);

static const struct {
	const char	*asked;
	const char	*answer;
} phrasebook[] = {
	{ "My name is Wolfgang.", "Mein Name ist Wolfgang." },
	{ "My name is Sarah and I live in London.", "Mein Name ist Sarah und ich lebe in London." },
	{ "Good morning.", "Guten Morgen." },
	{ "Thank you.", "Danke." },
	{ "How are you?", "Wie geht es Ihnen?" },
};

static const struct timeval *
as_timeval(usec_t usec, struct timeval *tv)
{
	tv->tv_sec = usec / USEC_PER_SEC;
	tv->tv_usec = usec % USEC_PER_SEC;
	return tv;
}

/* FNV-1a: the same text gives the same numbers on every machine. */
static uint32_t
hash_text(const char *text, uint32_t salt)
{
	uint32_t hash = 2166136261u ^ salt;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash;
}

/* What TEXT is in German, or that we don't know.  T5's task prefix is no part of the text. */
static json_t *
translate(const char *text)
{
	static const char prefix[] = "translate English to German: ";

	if (strncasecmp(text, prefix, strlen(prefix)) == 0)
		text += strlen(prefix);
	for (size_t i = 0; i < ARRAY_LEN(phrasebook); i++)
		if (strcmp(text, phrasebook[i].asked) == 0)
			return json_string(phrasebook[i].answer);
	return json_sprintf("%s %08" PRIx32, MARK, hash_text(text, 0));
}

static void
send_json(struct evhttp_request *http, int status, json_t *take_body)
{
	char *text = json_dumps(take_body, JSON_COMPACT);
	struct evbuffer *out = evhttp_request_get_output_buffer(http);

	evhttp_add_header(evhttp_request_get_output_headers(http), "Content-Type",
	    "application/json");
	evbuffer_add(out, text, strlen(text));
	evhttp_send_reply(http, status, NULL, NULL);
	free(text);
	json_decref(take_body);
}

/* OpenAI errors are objects, those of Hugging Face are strings. */
static void
send_error(struct evhttp_request *http, const char *path, int status, const char *message)
{
	bool is_openai = strstr(path, "/v1/") != NULL;
	json_t *body = is_openai ?
	    json_pack("{s:{s:s,s:s,s:n,s:n}}", "error", "message", message,
	    "type", status == 404 ? "not_found_error" : "invalid_request_error", "param", "code") :
	    json_pack("{s:s}", "error", message);

	send_json(http, status, body);
}

static json_t *
answer_question(const json_t *inputs)
{
	const char *context = json_string_value(json_object_get(inputs, "context"));
	const char *word = context != NULL ? strstr(context, "Wolfgang") : NULL;

	if (context == NULL || json_string_value(json_object_get(inputs, "question")) == NULL)
		return NULL;
	if (word == NULL)
		return json_pack("{s:f,s:i,s:i,s:s}", "score", 0.0, "start", 0, "end", 0,
		    "answer", MARK);
	return json_pack("{s:f,s:i,s:i,s:s}", "score", 0.97, "start", (int)(word - context),
	    "end", (int)(word - context + (long)strlen("Wolfgang")), "answer", "Wolfgang");
}

/* `inputs` is a text, a list of texts, or a question with its context. */
static json_t *
answer_hf(const char *path, const json_t *body)
{
	const json_t *inputs = json_object_get(body, "inputs"), *text;
	json_t *list;
	size_t i;

	(void)path;
	if (json_is_object(inputs))
		return answer_question(inputs);
	list = json_array();
	if (json_is_string(inputs))
		json_array_append_new(list, json_pack("{s:o}", "translation_text",
		    translate(json_string_value(inputs))));
	json_array_foreach(inputs, i, text)
		if (json_is_string(text))
			json_array_append_new(list, json_pack("{s:o}", "translation_text",
			    translate(json_string_value(text))));
	if (json_array_size(list) > 0)
		return list;
	json_decref(list);
	return NULL;
}

static const char *
last_message(const json_t *body)
{
	const json_t *messages = json_object_get(body, "messages");
	const json_t *last = json_array_get(messages, json_array_size(messages) - 1);

	return json_string_value(json_object_get(last, "content"));
}

static json_t *
answer_chat(const char *path, const json_t *body)
{
	const char *asked = json_array_size(json_object_get(body, "messages")) > 0 ?
	    last_message(body) : NULL;
	const char *model = json_string_value(json_object_get(body, "model"));

	(void)path;
	if (asked == NULL)
		return NULL;
	return json_pack("{s:o,s:s,s:i,s:s,s:[{s:i,s:{s:s,s:o},s:s}],s:{s:i,s:i,s:i}}",
	    "id", json_sprintf("demo-%08" PRIx32, hash_text(asked, 1)),
	    "object", "chat.completion", "created", 0, "model", model != NULL ? model : "demo",
	    "choices", "index", 0, "message", "role", "assistant", "content", translate(asked),
	    "finish_reason", "stop",
	    "usage", "prompt_tokens", 1, "completion_tokens", 1, "total_tokens", 2);
}

static json_t *
embedding_of(const char *text, size_t index)
{
	json_t *vector = json_array();

	for (uint32_t i = 0; i < N_DIMENSIONS; i++)
		json_array_append_new(vector,
		    json_real(((double)hash_text(text, i + 1) - 2147483648.0) / 2147483648.0));
	return json_pack("{s:s,s:i,s:o}", "object", "embedding", "index", (int)index,
	    "embedding", vector);
}

static json_t *
answer_embeddings(const char *path, const json_t *body)
{
	const json_t *input = json_object_get(body, "input"), *text;
	const char *model = json_string_value(json_object_get(body, "model"));
	json_t *data = json_array();
	size_t i;

	(void)path;
	if (json_is_string(input))
		json_array_append_new(data, embedding_of(json_string_value(input), 0));
	json_array_foreach(input, i, text)
		if (json_is_string(text))
			json_array_append_new(data, embedding_of(json_string_value(text), i));
	if (json_array_size(data) == 0) {
		json_decref(data);
		return NULL;
	}
	return json_pack("{s:s,s:o,s:s,s:{s:i,s:i}}", "object", "list", "data", data,
	    "model", model != NULL ? model : "demo", "usage", "prompt_tokens", 1,
	    "total_tokens", 1);
}

static void
send_models(struct evhttp_request *http)
{
	send_json(http, 200, json_pack("{s:s,s:[{s:s,s:s,s:i,s:s},{s:s,s:s,s:i,s:s}]}",
	    "object", "list", "data",
	    "id", "t5-base", "object", "model", "created", 0, "owned_by", "demo engine, no model",
	    "id", "demo", "object", "model", "created", 0, "owned_by", "demo engine, no model"));
}

static void
job_free(struct job *job)
{
	if (job->http != NULL)
		evhttp_connection_set_closecb(job->conn, NULL, NULL);
	event_free(job->timer);
	json_decref(job->answer);
	xfree(job->words);
	xfree(job);
}

static void
on_closed(struct evhttp_connection *conn, void *arg)
{
	struct job *job = arg;

	(void)conn;
	job->http = NULL;
	job_free(job);
}

static void
add_compute_fields(struct job *job)
{
	struct evkeyvalq *fields = evhttp_request_get_output_headers(job->http);
	char seconds[32];

	snprintf(seconds, sizeof(seconds), "%.3f", (double)job->engine->delay / USEC_PER_SEC);
	evhttp_add_header(fields, "x-compute-type", "cpu");
	evhttp_add_header(fields, "x-compute-time", seconds);
}

static void
send_event(struct job *job, const char *text)
{
	struct evbuffer *out = evbuffer_new();

	evbuffer_add_printf(out, "data: %s\n\n", text);
	evhttp_send_reply_chunk(job->http, out);
	evbuffer_free(out);
}

static void
send_delta(struct job *job, json_t *take_delta, const char *finish)
{
	json_t *chunk = json_pack("{s:O,s:s,s:i,s:O,s:[{s:i,s:o,s:o}]}",
	    "id", json_object_get(job->answer, "id"), "object", "chat.completion.chunk",
	    "created", 0, "model", json_object_get(job->answer, "model"),
	    "choices", "index", 0, "delta", take_delta,
	    "finish_reason", finish != NULL ? json_string(finish) : json_null());
	char *text = json_dumps(chunk, JSON_COMPACT);

	send_event(job, text);
	free(text);
	json_decref(chunk);
}

/* The next word of WORDS, with the space behind it, moved out of it. */
static json_t *
take_word(char *words)
{
	size_t len = strcspn(words, " ");
	json_t *word;

	len += strspn(words + len, " ");
	word = json_stringn(words, len);
	memmove(words, words + len, strlen(words + len) + 1);
	return word;
}

static void
stream_begin(struct job *job)
{
	evhttp_add_header(evhttp_request_get_output_headers(job->http), "Content-Type",
	    "text/event-stream");
	evhttp_send_reply_start(job->http, 200, "OK");
	send_delta(job, json_pack("{s:s,s:s}", "role", "assistant", "content", ""), NULL);
	job->has_begun = true;
}

static void
stream_step(struct job *job)
{
	struct timeval tv;

	if (!job->has_begun)
		stream_begin(job);
	if (job->words[0] != '\0') {
		send_delta(job, json_pack("{s:o}", "content", take_word(job->words)), NULL);
		evtimer_add(job->timer, as_timeval(STREAM_TICK, &tv));
		return;
	}
	send_delta(job, json_object(), "stop");
	send_event(job, "[DONE]");
	evhttp_connection_set_closecb(job->conn, NULL, NULL);
	evhttp_send_reply_end(job->http);
	job->http = NULL;
	job_free(job);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct job *job = arg;

	(void)fd;
	(void)what;
	if (!job->has_begun)
		add_compute_fields(job);
	if (job->words != NULL) {
		stream_step(job);
		return;
	}
	evhttp_connection_set_closecb(job->conn, NULL, NULL);
	send_json(job->http, 200, json_incref(job->answer));
	job->http = NULL;
	job_free(job);
}

static void
job_start(struct engine *engine, struct evhttp_request *http, json_t *take_answer, bool streams)
{
	struct job *job = xcalloc(1, sizeof(*job));
	const json_t *choice = json_array_get(json_object_get(take_answer, "choices"), 0);
	struct timeval tv;

	*job = (struct job){
		.engine = engine,
		.http = http,
		.conn = evhttp_request_get_connection(http),
		.answer = take_answer,
	};
	if (streams)
		job->words = xstrdup(json_string_value(json_object_get(
		    json_object_get(choice, "message"), "content")));
	job->timer = evtimer_new(engine->base, on_timer, job);
	evhttp_connection_set_closecb(job->conn, on_closed, job);
	evtimer_add(job->timer, as_timeval(engine->delay, &tv));
}

static json_t *
read_body(struct evhttp_request *http)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(http);
	size_t len = evbuffer_get_length(in);

	if (len == 0)
		return NULL;
	return json_loadb((const char *)evbuffer_pullup(in, -1), len, 0, NULL);
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static answer_fn *
find_answer(const char *path)
{
	if (ends_with(path, "/v1/chat/completions"))
		return answer_chat;
	if (ends_with(path, "/v1/embeddings"))
		return answer_embeddings;
	if (strncmp(path, "/hf-inference/", strlen("/hf-inference/")) == 0)
		path += strlen("/hf-inference");
	if (strncmp(path, "/models/", strlen("/models/")) == 0 ||
	    strncmp(path, "/pipeline/", strlen("/pipeline/")) == 0)
		return answer_hf;
	return NULL;
}

static void
on_post(struct engine *engine, struct evhttp_request *http, const char *path)
{
	answer_fn *find = find_answer(path);
	json_t *body, *answer;

	if (find == NULL) {
		send_error(http, path, 404, "the demo engine does not know this path");
		return;
	}
	body = read_body(http);
	if (!json_is_object(body)) {
		json_decref(body);
		send_error(http, path, 400, "the body is no JSON object");
		return;
	}
	answer = find(path, body);
	if (answer == NULL)
		send_error(http, path, 400, "the body asks nothing that the demo engine knows: "
		    "it needs `inputs`, `messages` or `input`");
	else
		job_start(engine, http, answer, find == answer_chat &&
		    json_is_true(json_object_get(body, "stream")));
	json_decref(body);
}

static void
on_request(struct evhttp_request *http, void *arg)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(http);
	char path[PATH_MAX_LEN];

	snprintf(path, sizeof(path), "%s", evhttp_uri_get_path(uri));
	if (evhttp_request_get_command(http) == EVHTTP_REQ_POST)
		on_post(arg, http, path);
	else if (strcmp(path, "/health") == 0)
		send_json(http, 200, json_pack("{s:s}", "status", "ok"));
	else if (strcmp(path, "/v1/models") == 0)
		send_models(http);
	else
		send_error(http, path, 404, "the demo engine does not know this path");
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

static int
listen_and_say(struct engine *engine)
{
	struct evhttp_bound_socket *sock;
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	sock = evhttp_bind_socket_with_handle(engine->http, engine->host, engine->port);
	if (sock == NULL) {
		fprintf(stderr, "demo-engine: cannot listen on %s:%u: %s\n", engine->host,
		    engine->port, strerror(errno));
		return -1;
	}
	if (getsockname(evhttp_bound_socket_get_fd(sock), (struct sockaddr *)&addr, &len) < 0)
		return -1;
	printf("listening on %s:%u\n", engine->host, ntohs(addr.sin_port));
	return fflush(stdout);
}

static int
run(struct engine *engine)
{
	struct event *term, *interrupt;
	int r;

	engine->base = event_base_new();
	engine->http = evhttp_new(engine->base);
	evhttp_set_max_body_size(engine->http, BODY_MAX);
	evhttp_set_gencb(engine->http, on_request, engine);
	term = evsignal_new(engine->base, SIGTERM, on_signal, engine->base);
	interrupt = evsignal_new(engine->base, SIGINT, on_signal, engine->base);
	event_add(term, NULL);
	event_add(interrupt, NULL);

	r = listen_and_say(engine);
	if (r == 0)
		event_base_dispatch(engine->base);
	event_free(interrupt);
	event_free(term);
	evhttp_free(engine->http);
	event_base_free(engine->base);
	return r == 0 ? EXIT_FINE : EXIT_FAILED;
}

static bool
parse_delay(const char *text, struct engine *engine)
{
	usec_t delay;

	if (num_parse_duration(bytes_str(text), &delay) != 0 || delay > DELAY_MAX)
		return false;
	engine->delay = delay;
	return true;
}

static bool
parse_address(const char *text, struct engine *engine)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	if (colon == NULL || colon - text >= HOST_SIZE)
		return false;
	if (num_parse_u64(bytes_str(colon + 1), &port) != 0 || port > UINT16_MAX)
		return false;
	snprintf(engine->host, sizeof(engine->host), "%.*s", (int)(colon - text), text);
	engine->port = (uint16_t)port;
	return true;
}

static int
help(FILE *out, int status)
{
	fputs("demo-engine: a stand-in for an inference engine. It is no model: it knows a few\n"
	    "phrases, and marks everything else it says as made up.\n\n"
	    "usage: demo-engine [--listen HOST:PORT] [--delay 650ms]\n\n"
	    "Port 0, the default, takes any free one; which, is said on standard output.\n", out);
	return status;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "delay", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct engine engine = { .delay = 650 * USEC_PER_MSEC, .host = "127.0.0.1" };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h')
			return help(stdout, EXIT_FINE);
		if (c == 'l' && parse_address(optarg, &engine))
			continue;
		if (c == 'd' && parse_delay(optarg, &engine))
			continue;
		return help(stderr, EXIT_USAGE);
	}
	if (optind < argc)
		return help(stderr, EXIT_USAGE);
	signal(SIGPIPE, SIG_IGN);
	return run(&engine);
}
