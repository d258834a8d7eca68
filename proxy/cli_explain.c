/* SPDX-License-Identifier: MIT */
/*
 * cli_explain.c - why a request is a hit, or a miss: what it is to the cache, by
 * the same steps as in the server, and what of the stored comes nearest.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/mem.h"
#include "proxy/admit.h"
#include "proxy/cli_priv.h"
#include "proxy/diff.h"
#include "proxy/form.h"
#include "proxy/question.h"
#include "proxy/request_priv.h"
#include "proxy/worker.h"

#define BODY_MAX	((size_t)64 << 20)
#define ARENA_MAX	((size_t)1 << 30)
#define DIFFS_MAX	20
#define NEAREST_LOOKS	10000

static int
read_body(const char *name, struct buf *body)
{
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
	char *space;
	size_t n;
	int r = 0;

	if (file == NULL)
		return -errno;
	do {
		r = buf_space(body, 65536, &space);
		n = r == 0 ? fread(space, 1, 65536, file) : 0;
		if (r == 0)
			buf_fill(body, n);
	} while (n > 0);
	if (file != stdin)
		fclose(file);
	return r;
}

/* Which path such a body would be sent to, if nobody says. */
static const char *
guess_path(struct bytes body)
{
	static const struct {
		const char	*member;
		const char	*path;
	} rows[] = {
		{ "messages", "/v1/chat/completions" }, { "input", "/v1/embeddings" },
		{ "prompt", "/v1/completions" }, { "inputs", "/" },
	};
	json_t *root = json_loadb(body.ptr, body.len, 0, NULL);
	const char *path = "/v1/chat/completions";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (json_object_get(root, rows[i].member) != NULL) {
			path = rows[i].path;
			break;
		}
	json_decref(root);
	return path;
}

static void
print_left_out(void *arg, enum diff diff, const char *path)
{
	bool *has_any = arg;

	if (diff != DIFF_ONLY_A)
		return;
	printf("%s%s", *has_any ? " " : "left out   ", path);
	*has_any = true;
}

static void
print_difference(void *arg, enum diff diff, const char *path)
{
	static const char *const words[] = {
		[DIFF_ONLY_A] = "only here", [DIFF_ONLY_B] = "only there", [DIFF_OTHER] = "differs",
	};

	(void)arg;
	printf("  %-11s%s\n", words[diff], path[0] != '\0' ? path : "all of it");
}

/* The stored question of the same model and kind that differs in the fewest places. */
struct nearest {
	const struct request	*req;
	unsigned		 n_looked;
	int			 n_differences;
	struct key		 key;
	struct buf		 body;
};

static bool
is_of_a_kind(const struct request *req, const struct entry *entry, struct key_parts *parts)
{
	struct key_parts own;

	return (entry->flags & ENTRY_HASHED) == 0 && bytes_eq(entry->model, req->model) &&
	    key_read_question(entry->question, parts) &&
	    key_read_question(req->question.text, &own) && parts->form == KEY_JSON &&
	    bytes_eq(parts->dialect, own.dialect) && bytes_eq(parts->path_class, own.path_class);
}

static bool
compare_entry(void *arg, uint64_t seq, struct bytes encoded)
{
	struct nearest *nearest = arg;
	struct key_parts parts;
	struct entry entry;
	int n;

	(void)seq;
	if (entry_decode(encoded, &entry) != 0 || !is_of_a_kind(nearest->req, &entry, &parts))
		return ++nearest->n_looked < NEAREST_LOOKS;
	n = diff_json(nearest->req->call.canonical, parts.body, 0, NULL, NULL);
	if (n >= 0 && n < nearest->n_differences) {
		buf_consume(&nearest->body, buf_len(&nearest->body));
		if (buf_add(&nearest->body, parts.body) == 0) {
			nearest->n_differences = n;
			nearest->key = entry.key;
		}
	}
	return ++nearest->n_looked < NEAREST_LOOKS;
}

static void
print_nearest(struct request *req)
{
	struct nearest nearest = { .req = req, .n_differences = INT32_MAX };
	char key[33];

	buf_init(&nearest.body, BODY_MAX);
	if (store_walk(req->worker->reader, true, compare_entry, &nearest) != 0 ||
	    nearest.n_differences == INT32_MAX) {
		puts("nearest    no stored question of this model and kind");
	} else if (nearest.n_differences == 0) {
		puts("nearest    one of the same body, but of another scope or other fields");
	} else {
		key_format(&nearest.key, key);
		printf("nearest    %.16s, which differs in %d place%s:\n", key,
		    nearest.n_differences, nearest.n_differences > 1 ? "s" : "");
		diff_json(req->call.canonical, buf_bytes(&nearest.body), DIFFS_MAX,
		    print_difference, NULL);
	}
	buf_done(&nearest.body);
}

static void
print_entry_state(const struct entry *entry, bool is_purged)
{
	char made[CLI_TEXT_SIZE], left_text[CLI_TEXT_SIZE];
	usec_t left = entry->made + entry->ttl - clock_wall();

	printf("entry      made %s by %.*s; ", cli_format_time(entry->made, made),
	    BYTES_ARG(entry->compute));
	if (is_purged)
		puts("purged: a miss");
	else if (left <= 0)
		puts("expired: a miss");
	else
		printf("good for %s: a hit\n", cli_format_duration(left, left_text));
}

static void
print_verdict(struct request *req)
{
	struct store_reader *reader = req->worker->reader;
	struct entry entry;

	if (reader == NULL) {
		puts("entry      there is no cache yet: a miss");
		return;
	}
	if (store_get_any(reader, &req->question.key, &entry) == 0 &&
	    entry_answers(&entry, req->question.text)) {
		print_entry_state(&entry, store_is_purged(reader, &entry));
		return;
	}
	puts("entry      none: a miss");
	store_reader_reset(reader);
	print_nearest(req);
}

static const char *
why_not_storable(const struct request *req)
{
	if (!req->call.is_inference)
		return "it is no question, or its answer depends on more than its body";
	if (!req->route->cache.is_used)
		return "its route has cache: false";
	if (!form_is_known(&req->call))
		return "it asks for a stream, and how those of its API look is not known";
	if (req->question.revision_state == REVISION_UNKNOWN)
		return "its upstream is asked for its revision, which only a server does; send it "
		    "x-reprise-explain: 1";
	if (req->call.is_sampled)
		return "its answer is drawn by chance, which its route does not store";
	return "no API is known by its path, and its route names no path or dialect";
}

/* What the route changed in the body, a line for each way. */
static void
print_edits(const struct request *req)
{
	const struct config_edits *edits = &req->route->edits;
	int last = -1;

	for (size_t i = 0; i < edits->n; i++) {
		int kind = (int)edits->list[i].kind;

		if ((req->question.edits_made >> i & 1) == 0)
			continue;
		if (kind != last)
			printf("%s%-10s", last >= 0 ? "\n" : "", edit_word(edits->list[i].kind));
		printf(" %s", edits->list[i].name);
		last = kind;
	}
	if (last >= 0)
		putchar('\n');
}

static void
print_question(struct request *req)
{
	bool has_any = false;
	char key[33];

	key_format(&req->question.key, key);
	diff_json(req->body, req->call.canonical, INT32_MAX, print_left_out, &has_any);
	if (has_any)
		putchar('\n');
	if (req->question.scope.len > 0)
		printf("scope      %.*s\n", BYTES_ARG(req->question.scope));
	printf("sampled    %s\n", req->call.is_sampled ? "yes" : "no");
	printf("canonical  %.*s\nkey        %s\n", BYTES_ARG(req->call.canonical), key);
	print_verdict(req);
}

static int
understand(struct request *req)
{
	int r = call_read_body(&req->call, req->head, req->body, NULL, req->arena);

	if (r < 0)
		return r;
	req->route = config_route_find(req->config, req->admission.team, req->call.model,
	    req->head->path, req->call.dialect->name);
	return req->route != NULL ? question_make(req) : 0;
}

/* What keeps the request from being asked at all, or NULL. */
static const char *
why_not_asked(const struct request *req)
{
	if (admit_model(req) != NULL)
		return "team       may not use this model: 403";
	return req->route == NULL ? "route      none: 404" : NULL;
}

/* What becomes of it on its route. */
static void
print_treatment(struct request *req)
{
	print_edits(req);
	if (req->question.is_storable)
		print_question(req);
	else
		printf("cache      passed by: %s\n", why_not_storable(req));
}

static int
explain(struct request *req)
{
	const char *why_not;
	bool is_uneditable;
	int r = understand(req);

	if (r < 0) {
		fprintf(stderr, "reprise: %s\n", strerror(-r));
		return EXIT_FAILED;
	}
	is_uneditable = r == QUESTION_E_UNEDITABLE;
	printf("dialect    %s\nmodel      %.*s\n", req->call.dialect->name,
	    BYTES_ARG(req->call.model));
	why_not = why_not_asked(req);
	if (why_not != NULL) {
		puts(why_not);
		return EXIT_FINE;
	}
	printf("route      routes[%td] to %s\n", req->route - req->config->routes,
	    req->config->upstreams[req->route->to[0]].name);
	if (is_uneditable)
		puts("body       not one strict JSON object, which the route could edit: 400");
	else
		print_treatment(req);
	return EXIT_FINE;
}

/* The team that the request would be of; false if there is none of that name. */
static bool
find_team(const struct config *config, const char *name, const struct config_team **ret_team)
{
	if (name == NULL)
		return true;
	for (size_t i = 0; i < config->n_teams; i++)
		if (strcmp(config->teams[i].name, name) == 0) {
			*ret_team = &config->teams[i];
			return true;
		}
	fprintf(stderr, "reprise: there is no team \"%s\"\n", name);
	return false;
}

/* As if it had come from a client: only what the cache looks at is there. */
static int
explain_body(const struct arguments *args, struct cli_cache *cache, struct bytes body)
{
	struct worker worker = { .store = cache->store, .reader = cache->reader };
	struct request_head head = {
		.method = BYTES_LIT("POST"),
		.target = bytes_str(args->path != NULL ? args->path : guess_path(body)),
	};
	struct request req = {
		.worker = &worker, .config = cache->config, .head = &head, .body = body,
	};
	int r;

	if (!find_team(cache->config, args->team, &req.admission.team))
		return EXIT_USAGE;
	head.query = head.target;
	head.path = bytes_cut(&head.query, '?');
	req.arena = arena_new(ARENA_MAX);
	dialect_recognise(&head, &req.call);
	printf("path       %.*s\n", BYTES_ARG(head.target));
	r = explain(&req);
	arena_free(req.arena);
	return r;
}

int
cli_explain(const struct arguments *args)
{
	struct cli_cache cache = { 0 };
	struct buf body;
	int r;

	buf_init(&body, BODY_MAX);
	r = read_body(args->operand, &body);
	if (r < 0) {
		fprintf(stderr, "reprise: %s: %s\n", args->operand, strerror(-r));
		buf_done(&body);
		return EXIT_FAILED;
	}
	r = cli_cache_open(args, false, &cache);
	if (r == EXIT_FAILED) {	/* said why: without a cache the rest can be told all the same */
		cache = (struct cli_cache){ .config = cli_load(args) };
		r = EXIT_FINE;
	}
	if (r == EXIT_FINE)
		r = explain_body(args, &cache, buf_bytes(&body));
	if (cache.config != NULL)
		cli_cache_close(&cache);
	buf_done(&body);
	return r;
}
