/* SPDX-License-Identifier: MIT */
/*
 * canon.c - the canonical form of request bodies against jansson, which has to
 * parse them into a tree and dump that sorted and compact to say the same.
 *
 *	bench-canon
 *
 * Rounds of the two alternate, so that what else the machine does falls on both
 * alike; each run has its memory anew, as a request has.  Rates are those of the
 * median round, and of the slowest.  Exits 1 when one is less than it must be.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "cache/canon.h"

#define N_ROUNDS	41
#define ROUND_NSEC	UINT64_C(5000000)
#define ARENA_MAX	((size_t)64 << 20)
#define RATIO_MIN	25
#define KEPT		((size_t)16 << 20)

/* As proxy/dialect/openai.c and dialect.c have them. */
static const char *const neutral[] = {
	"/model", "/stream", "/stream_options", "/user", "/safety_identifier", "/metadata",
	"/store", "/prompt_cache_key", "/prompt_cache_options", "/prompt_cache_retention",
	"/service_tier", "/request_id", "/session_id", "/priority", NULL,
};
static const char *const real[] = {
	"/temperature", "/top_p", "/min_p", "/frequency_penalty", "/presence_penalty",
	"/repetition_penalty", "/length_penalty", "/logit_bias/*", NULL,
};
static const char *const watched[] = {
	"/model", "/stream", "/options/use_cache", "/store", "/previous_response_id",
	"/conversation", "/background", "/web_search_options", "/kv_transfer_params",
	"/t_max_predict_ms", "/audio", "/_debug_render_only", NULL,
};
static const struct canon_rules rules = { neutral, real, watched };

/* A generator that is the same everywhere (Steele, Lea and Flood's splitmix). */
static uint64_t seed;

static unsigned int
draw(unsigned int n)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned int)((z ^ z >> 31) % n);
}

static void	add(struct buf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
add(struct buf *out, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert(buf_add_str(out, text) == 0);
}

/* About LEN bytes of prose in lines, of which one word in thirty is not ASCII. */
static void
add_prose(struct buf *out, size_t len)
{
	static const char *const words[] = {
		"the", "of", "to", "a", "and", "that", "request", "is", "answered", "from",
		"which", "model", "an", "with", "considerable", "in", "after", "translation",
		"it", "was", "be", "please", "summarise", "following", "document", "for", "we",
	};
	static const char *const others[] = {
		"caf\303\251", "\342\200\234so\342\200\235", "\342\200\224", "M\303\274nchen",
		"\346\235\261\344\272\254", "\360\237\231\202", "it\342\200\231s", "\\\"quoted\\\"",
	};
	size_t end = buf_len(out) + len, line = buf_len(out);

	while (buf_len(out) < end) {
		add(out, "%s", draw(30) == 0 ? others[draw(ARRAY_LEN(others))] :
		    words[draw(ARRAY_LEN(words))]);
		if (buf_len(out) - line > 50 + draw(60)) {
			add(out, "%s", draw(4) == 0 ? ".\\n\\n" : "\\n");
			line = buf_len(out);
		} else {
			add(out, "%s", draw(12) == 0 ? ", " : " ");
		}
	}
}

/* As JavaScript writes it: a few messages of many lines. */
static void
make_long(struct buf *out)
{
	static const size_t lengths[] = { 3000, 17000, 9000, 14000, 8000, 14000 };

	add(out, "{\"model\":\"gpt-4o-mini\",\"messages\":[");
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		add(out, "%s{\"role\":\"%s\",\"content\":\"", i > 0 ? "," : "",
		    i == 0 ? "system" : i % 2 == 1 ? "user" : "assistant");
		add_prose(out, lengths[i]);
		add(out, "\"}");
	}
	add(out, "],\"temperature\":0.7,\"max_tokens\":1024,\"stream\":true}");
}

static void
add_tool(struct buf *out, size_t i)
{
	static const char *const types[] = { "string", "number", "integer", "boolean" };

	add(out, "{\"type\": \"function\", \"function\": {\"name\": \"tool_%zu\", "
	    "\"description\": \"", i);
	add_prose(out, 120);
	add(out, "\", \"parameters\": {\"type\": \"object\", \"properties\": {");
	for (size_t n = 0; n < 4; n++) {
		add(out, "%s\"%s_%zu\": {\"type\": \"%s\", \"description\": \"",
		    n > 0 ? ", " : "", n % 2 == 0 ? "location" : "amount", n,
		    types[draw(ARRAY_LEN(types))]);
		add_prose(out, 40);
		add(out, "\"}");
	}
	add(out, "}, \"required\": [\"location_0\", \"amount_1\"], "
	    "\"additionalProperties\": false}, \"strict\": true}}");
}

static void
add_turn(struct buf *out, size_t i)
{
	if (i % 8 == 5) {
		add(out, "{\"role\": \"assistant\", \"content\": null, \"tool_calls\": "
		    "[{\"id\": \"call_%08x\", \"type\": \"function\", \"function\": "
		    "{\"name\": \"tool_%zu\", \"arguments\": \"{\\\"location_0\\\": "
		    "\\\"Paris\\\", \\\"amount_1\\\": %zu}\"}}]}", draw(1U << 31), i / 8, i);
		return;
	}
	if (i % 8 == 6)
		add(out, "{\"role\": \"tool\", \"tool_call_id\": \"call_%08x\", "
		    "\"content\": \"", draw(1U << 31));
	else
		add(out, "{\"role\": \"%s\", \"content\": \"", i == 0 ? "system" :
		    i % 2 == 1 ? "user" : "assistant");
	add_prose(out, 40 + draw(400));
	add(out, "\"}");
}

/* As Python writes it: many turns, some with tools. */
static void
make_history(struct buf *out)
{
	add(out, "{\"model\": \"gpt-4o-mini\", \"messages\": [");
	for (size_t i = 0; i < 40; i++) {
		add(out, "%s", i > 0 ? ", " : "");
		add_turn(out, i);
	}
	add(out, "], \"tools\": [");
	for (size_t i = 0; i < 6; i++) {
		add(out, "%s", i > 0 ? ", " : "");
		add_tool(out, i);
	}
	add(out, "], \"tool_choice\": \"auto\", \"temperature\": 0, \"top_p\": 1.0, "
	    "\"max_tokens\": 512, \"user\": \"u-1234\", \"stream\": true}");
}

/* Token ids, then vectors of single and of double precision. */
static void
make_numbers(struct buf *out)
{
	add(out, "{\"model\":\"text-embedding-3-small\",\"input\":[[0");
	while (buf_len(out) < 500000)
		add(out, "%s%u", draw(512) == 0 ? "],[" : ",",
		    (1 + draw(100)) * (1 + draw(1000)));
	add(out, "]],\"embeddings\":[[0.5");
	for (unsigned int n = 0; buf_len(out) < 1000000; n++) {
		add(out, "%s", n % 1024 == 1023 ? "],[" : ",");
		add(out, "%s", draw(2) == 0 ? "-" : "");
		add(out, "0.%04u", draw(1000));
		add(out, "%06u", draw(1000000));
		if (n % 2048 < 1024)
			add(out, "%08u", draw(100000000));
	}
	add(out, "]]}");
}

static const struct document {
	const char	*name;
	void		(*make)(struct buf *out);
	double		 rate_min;	/* MB/s */
} documents[] = {
	{ "chat, long strings", make_long, 1000 },
	{ "chat, 40 messages and tools", make_history, 500 },
	{ "token ids and embeddings", make_numbers, 200 },
};

static void
run_canon(struct bytes body)
{
	struct arena *arena = arena_new(ARENA_MAX);
	struct canon canon;

	assert(canon_make(body, &rules, arena, &canon) == 0);
	arena_free(arena);
}

static void
run_jansson(struct bytes body)
{
	json_t *tree = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, NULL);
	char *text = json_dumps(tree, JSON_SORT_KEYS | JSON_COMPACT);

	assert(text != NULL);
	xfree(text);
	json_decref(tree);
}

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* MB/s of one round, which is not to pay for what the one before left in malloc. */
static double
measure(void (*run)(struct bytes body), struct bytes body)
{
	uint64_t begin, spent = 0, n = 0;

	run(body);
	begin = now();
	while (spent < ROUND_NSEC) {
		run(body);
		n++;
		spent = now() - begin;
	}
	return (double)body.len * (double)n * 1000 / (double)spent;
}

static int
by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Measure both over DOCUMENT and print its row; false if it is too slow. */
static bool
compare(const struct document *document)
{
	double ours[N_ROUNDS], theirs[N_ROUNDS], rate, ratio;
	struct buf body;
	bool is_fine;

	seed = 1;
	buf_init(&body, 4 << 20);
	document->make(&body);
	for (size_t i = 0; i < N_ROUNDS; i++) {
		ours[i] = measure(run_canon, buf_bytes(&body));
		theirs[i] = measure(run_jansson, buf_bytes(&body));
	}
	qsort(ours, N_ROUNDS, sizeof(*ours), by_size);
	qsort(theirs, N_ROUNDS, sizeof(*theirs), by_size);
	rate = ours[N_ROUNDS / 2];
	ratio = rate / theirs[N_ROUNDS / 2];
	is_fine = rate >= document->rate_min && ratio >= RATIO_MIN;
	printf("| %s | %zu | %.0f MB/s (min %.0f) | %.0f MB/s (min %.0f) | %.1f | "
	    "%.0f MB/s, %d times: %s |\n", document->name, buf_len(&body), rate, ours[0],
	    theirs[N_ROUNDS / 2], theirs[0], ratio, document->rate_min, RATIO_MIN,
	    is_fine ? "fine" : "too slow");
	buf_done(&body);
	return is_fine;
}

int
main(void)
{
	int r = 0;

	/* What malloc was once given back it keeps from then on; a server's soon does. */
	xfree(xcalloc(1, KEPT));
	puts("| document | bytes | canonical form | jansson | ratio | must reach |");
	puts("|---|---:|---:|---:|---:|---|");
	for (size_t i = 0; i < ARRAY_LEN(documents); i++)
		if (!compare(&documents[i]))
			r = 1;
	return r;
}
