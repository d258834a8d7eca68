/* SPDX-License-Identifier: MIT */
/*
 * fill.c - a store of many answers in little time: entries as the proxy would
 * make them, put straight into the file.
 *
 *	bench-fill DIRECTORY PATH QUESTION ANSWER N
 *
 * QUESTION is a request body with ten '#' in it, in whose place the numbers 0
 * to N - 1 go; every question gets the same ANSWER.
 *
 * Keys come at random, and a small batch at random places dirties a page of
 * the index for nearly every entry.  So entries come in chunks, and those of a
 * chunk in the order of their keys; the chunks together are as random as ever.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "cache/entry.h"
#include "cache/key.h"
#include "cache/store.h"
#include "proxy/dialect/dialect.h"

#define MARK		"##########"
#define STORE_SIZE	((uint64_t)64 << 30)	/* never reached: nothing is to go */
#define ARENA_MAX	((size_t)1 << 30)
#define SCRATCH_MAX	((size_t)1 << 20)
#define CHUNK		((size_t)512 << 10)
#define BATCH		((size_t)16 << 10)
#define LIFETIME	(30 * 24 * 3600 * USEC_PER_SEC)

struct filling {
	struct store	*store;
	struct bytes	 path;
	struct bytes	 answer;
	char		*question;
	char		*number;	/* ten digits in QUESTION */
	usec_t		 now;
};

/* As forward.c makes the question of a POST of JSON: the one place that must follow it. */
static int
make_entry(const struct filling *filling, struct arena *arena, struct entry *ret_entry)
{
	struct field type = { BYTES_LIT("content-type"), BYTES_LIT("application/json") };
	const struct request_head head = {
		.method = BYTES_LIT("POST"),
		.target = filling->path,
		.path = filling->path,
		.fields = { .list = &type, .n = 1 },
	};
	struct key_parts parts = { 0 };
	struct call call;
	int r;

	dialect_recognise(&head, &call);
	r = call_read_body(&call, &head, bytes_str(filling->question), NULL, arena);
	if (r == 0)
		r = arena_printf(arena, &parts.path_class, "%s %.*s?", call.path_class,
		    BYTES_ARG(call.path_detail));
	if (r == 0)
		r = field_key(&head, &call, arena, &parts.fields);
	parts.dialect = bytes_str(call.dialect->name);
	parts.model = call.model;
	parts.form = call.form;
	parts.body = call.canonical;
	if (r == 0)
		r = key_question(&parts, arena, &ret_entry->question);
	if (r == 0)
		ret_entry->key = key_make(ret_entry->question, store_secret(filling->store));
	ret_entry->model = call.model;	/* in PATH */
	return r;
}

/* The entry of a question; of what was needed to make it, ARENA keeps the question alone. */
static int
make_numbered(const struct filling *filling, uint64_t number, struct arena *arena,
    struct entry *ret_entry)
{
	struct arena *scratch = arena_new(SCRATCH_MAX);
	char digits[32];
	int r;

	snprintf(digits, sizeof(digits), "%010ju", (uintmax_t)number);
	memcpy(filling->number, digits, strlen(MARK));
	*ret_entry = (struct entry){
		.made = filling->now,
		.ttl = LIFETIME,
		.status = 200,
		.compute = BYTES_LIT("upstream"),
		.fields = BYTES_LIT("Content-Type: application/json\r\n"),
		.body = filling->answer,
	};
	r = make_entry(filling, scratch, ret_entry);
	if (r == 0)
		r = arena_copy(arena, ret_entry->question, &ret_entry->question);
	arena_free(scratch);
	return r;
}

static int
by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return memcmp(x->key.bytes, y->key.bytes, sizeof(x->key.bytes));
}

static int
put_chunk(const struct filling *filling, uint64_t first, size_t n)
{
	struct arena *arena = arena_new(ARENA_MAX);
	struct entry *entries = xcalloc(n, sizeof(*entries));
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = make_numbered(filling, first + i, arena, &entries[i]);
	qsort(entries, n, sizeof(*entries), by_key);
	for (size_t i = 0; r == 0 && i < n; i += BATCH)
		r = store_put(filling->store, entries + i, n - i < BATCH ? n - i : BATCH,
		    filling->now);
	xfree(entries);
	arena_free(arena);
	return r;
}

static int
fill(const struct filling *filling, uint64_t n)
{
	int r = 0;

	for (uint64_t i = 0; r == 0 && i < n; i += CHUNK)
		r = put_chunk(filling, i, n - i < CHUNK ? n - i : CHUNK);
	return r;
}

/* What went in is all there, and no more: nothing was evicted, no two were taken for one. */
static int
check(struct store *store, uint64_t n)
{
	struct store_stat stat;
	int r = store_get_stat(store, &stat);

	if (r == 0)
		printf("%ju entries, %ju bytes\n", (uintmax_t)stat.entries,
		    (uintmax_t)stat.used_bytes);
	return r == 0 && stat.entries != n ? -1 : r;
}

int
main(int argc, char **argv)
{
	struct store_options options = { .size = STORE_SIZE, .readers = 1 };
	struct filling filling = { .now = clock_wall() };
	const char *set_aside;
	uint64_t n;
	int r;

	if (argc != 6 || strstr(argv[3], MARK) == NULL ||
	    num_parse_u64(bytes_str(argv[5]), &n) != 0) {
		fputs("usage: bench-fill DIRECTORY PATH QUESTION ANSWER N\n", stderr);
		return 2;
	}
	options.path = argv[1];
	filling.path = bytes_str(argv[2]);
	filling.question = argv[3];
	filling.number = strstr(argv[3], MARK);
	filling.answer = bytes_str(argv[4]);
	r = store_open(&options, &filling.store, &set_aside);
	if (r == 0)
		r = fill(&filling, n);
	if (r == 0)
		r = check(filling.store, n);
	store_close(filling.store);
	if (r != 0)
		fprintf(stderr, "bench-fill: %s: %s\n", argv[1],
		    r < 0 ? strerror(-r) : "no room in it, or another serves from it");
	return r == 0 ? 0 : 1;
}
