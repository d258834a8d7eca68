/* SPDX-License-Identifier: MIT */
/*
 * cli_cache.c - looking into a cache and purging it, beside a server or without
 * one: ls, show, purge, verify, compact.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/glob.h"
#include "base/mem.h"
#include "proxy/cli_priv.h"

#define LS_LIMIT	20
#define LINE_WIDTH	60
#define SCOPE_SIZE	256
#define PATH_SIZE	4096

int
cli_cache_open(const struct arguments *args, bool writes, struct cli_cache *ret_cache)
{
	struct cli_cache cache = { .config = cli_load(args) };
	struct store_options options = { .readers = 1 };
	int r;

	if (cache.config == NULL)
		return EXIT_USAGE;
	options.path = cache.config->cache.path;
	options.size = cache.config->cache.size;
	options.is_strict = strcmp(cache.config->cache.durability, "strict") == 0;
	options.grace = config_grace(cache.config);
	r = store_attach(&options, writes, &cache.store);
	if (r != 0) {
		fprintf(stderr, "reprise: cache %s: %s\n", options.path,
		    r == STORE_E_NONE ? "there is none yet" :
		    r == STORE_E_FOREIGN ? "damaged, or of another version; a server would set it "
		    "aside" : strerror(-r));
		config_unref(cache.config);
		return EXIT_FAILED;
	}
	cache.reader = store_reader_open(cache.store);
	*ret_cache = cache;
	return EXIT_FINE;
}

void
cli_cache_close(struct cli_cache *cache)
{
	store_reader_close(cache->reader);
	store_close(cache->store);
	config_unref(cache->config);
}

int
cli_cache_say_failed(const struct cli_cache *cache, int r)
{
	fprintf(stderr, "reprise: cache %s: %s\n", cache->config->cache.path,
	    r == STORE_E_FULL ? "full" : strerror(-r));
	return EXIT_FAILED;
}

bool
cli_cache_is_void(const struct cli_cache *cache, const struct entry *entry, usec_t now)
{
	return entry->made <= now - entry->ttl || store_is_purged(cache->reader, entry);
}

/* ls */

struct listing {
	struct cli_cache	*cache;
	const struct arguments	*args;
	uint64_t		 left;
	usec_t			 now;
};

/* What of a question a person would call the question. */
static struct bytes
gist_of_question(const json_t *root)
{
	static const char *const names[] = { "inputs", "input", "prompt", "text", "query" };
	const json_t *messages = json_object_get(root, "messages");
	const json_t *text = json_object_get(
	    json_array_get(messages, json_array_size(messages) - 1), "content");

	for (size_t i = 0; !json_is_string(text) && i < ARRAY_LEN(names); i++)
		text = json_object_get(root, names[i]);
	return (struct bytes){ json_string_value(text), json_string_length(text) };
}

static void
print_question(const struct entry *entry)
{
	struct key_parts parts;
	struct bytes text;
	json_t *root;

	if ((entry->flags & ENTRY_HASHED) != 0 || !key_read_question(entry->question, &parts)) {
		puts("(its question is not kept)");
		return;
	}
	root = json_loadb(parts.body.ptr, parts.body.len, JSON_DECODE_ANY, NULL);
	text = gist_of_question(root);
	cli_print_line(text.ptr != NULL ? text : parts.body, LINE_WIDTH);
	json_decref(root);
}

static bool
list_entry(void *arg, uint64_t seq, struct bytes encoded)
{
	struct listing *listing = arg;
	char key[33], age[CLI_TEXT_SIZE], size[CLI_TEXT_SIZE];
	struct entry entry;

	(void)seq;
	if (entry_peek(encoded, &entry) != 0 ||
	    (listing->args->model != NULL && !glob_match(listing->args->model, entry.model)) ||
	    cli_cache_is_void(listing->cache, &entry, listing->now))
		return true;
	key_format(&entry.key, key);
	printf("%.16s  %5s  %8s  %.*s  ", key,
	    cli_format_duration(listing->now - entry.made, age),
	    cli_format_size(entry.body.len, size), BYTES_ARG(entry.model));
	print_question(&entry);
	return --listing->left > 0;
}

int
cli_cache_ls(const struct arguments *args)
{
	struct cli_cache cache;
	struct listing listing = {
		.cache = &cache, .args = args, .now = clock_wall(),
		.left = args->limit != 0 ? args->limit : LS_LIMIT,
	};
	int r = cli_cache_open(args, false, &cache);

	if (r != EXIT_FINE)
		return r;
	r = store_walk(cache.reader, true, list_entry, &listing);
	if (r != 0)
		r = cli_cache_say_failed(&cache, r);
	cli_cache_close(&cache);
	return r;
}

/* show */

struct search {
	struct bytes	prefix;
	unsigned	n_found;
	struct key	key;
};

static bool
match_key(void *arg, uint64_t seq, struct bytes encoded)
{
	struct search *search = arg;
	struct entry entry;
	char key[33];

	(void)seq;
	if (entry_peek(encoded, &entry) != 0)
		return true;
	key_format(&entry.key, key);
	if (!bytes_eq(bytes_first(bytes_str(key), search->prefix.len), search->prefix))
		return true;
	search->key = entry.key;
	return ++search->n_found < 2;
}

static void
print_entry(const struct cli_cache *cache, const struct entry *entry)
{
	char key[33], made[CLI_TEXT_SIZE], text[CLI_TEXT_SIZE], size[CLI_TEXT_SIZE];
	struct key_parts parts = { 0 };
	usec_t left = entry->made + entry->ttl - clock_wall();

	key_format(&entry->key, key);
	printf("key      %s\nmodel    %.*s\nmade     %s by %.*s in %.3f s\n", key,
	    BYTES_ARG(entry->model), cli_format_time(entry->made, made),
	    BYTES_ARG(entry->compute), (double)entry->took / USEC_PER_SEC);
	printf("good     %s%s%s\n", left > 0 ? "for " : "no more: it has expired",
	    left > 0 ? cli_format_duration(left, text) : "",
	    store_is_purged(cache->reader, entry) ? ", but purged" : "");
	printf("answer   %d, %s\n%.*s", entry->status, cli_format_size(entry->body.len, size),
	    BYTES_ARG(entry->fields));
	if ((entry->flags & ENTRY_COUNTED) != 0)
		printf("tokens   %" PRIu32 " of input, %" PRIu32 " of output\n", entry->input,
		    entry->output);
	if (entry->scope.len > 0)
		printf("scope    %.*s\n", BYTES_ARG(entry->scope));
	if ((entry->flags & ENTRY_HASHED) == 0 && key_read_question(entry->question, &parts)) {
		printf("asked    %.*s, %.*s\n\nquestion:\n", BYTES_ARG(parts.dialect),
		    BYTES_ARG(parts.path_class));
		cli_print_body(parts.body);
	}
	printf("\nanswer:\n");
	cli_print_body(entry->body);
}

int
cli_cache_show(const struct arguments *args)
{
	struct search search = { .prefix = bytes_str(args->operand) };
	struct cli_cache cache;
	struct entry entry;
	int r = cli_cache_open(args, false, &cache);

	if (r != EXIT_FINE)
		return r;
	if (!key_parse(search.prefix, &search.key))
		r = store_walk(cache.reader, true, match_key, &search);
	else
		search.n_found = 1;
	if (r == 0 && search.n_found == 1)
		r = store_get_any(cache.reader, &search.key, &entry);
	if (r < 0) {
		r = cli_cache_say_failed(&cache, r);
	} else if (search.n_found != 1 || r != 0) {
		fprintf(stderr, "reprise: %s key begins with \"%s\"\n",
		    search.n_found > 1 ? "more than one" : "no", args->operand);
		r = EXIT_FAILED;
	} else {
		print_entry(&cache, &entry);
	}
	cli_cache_close(&cache);
	return r;
}

/* purge */

struct purging {
	const struct cli_cache	*cache;
	struct purge_mark	 mark;
	uint64_t		 n;
};

static bool
count_marked(void *arg, uint64_t seq, struct bytes encoded)
{
	struct purging *purging = arg;
	struct entry entry;

	(void)seq;
	if (entry_peek(encoded, &entry) == 0 && purge_mark_hits(&purging->mark, &entry) &&
	    !store_is_purged(purging->cache->reader, &entry))
		purging->n++;
	return true;
}

/* What is to be purged; false, having said so, if nothing was named. */
static bool
read_mark(const struct arguments *args, char scope[SCOPE_SIZE], struct purge_mark *mark)
{
	if (!args->all && args->model == NULL && args->team == NULL && args->key == NULL &&
	    args->older_than == 0) {
		fputs("reprise: say what to purge: --model, --team, --older-than, --key or --all\n",
		    stderr);
		return false;
	}
	mark->model = args->model;
	mark->before = clock_wall() - args->older_than;
	if (args->team != NULL) {
		snprintf(scope, SCOPE_SIZE, "team:%s", args->team);
		mark->scope = scope;
	}
	mark->has_key = args->key != NULL;
	if (mark->has_key && !key_parse(bytes_str(args->key), &mark->key)) {
		fprintf(stderr, "reprise: \"%s\" is no key of 32 digits\n", args->key);
		return false;
	}
	return true;
}

int
cli_cache_purge(const struct arguments *args)
{
	char scope[SCOPE_SIZE];
	struct cli_cache cache;
	struct purging purging = { .cache = &cache };
	int r;

	if (!read_mark(args, scope, &purging.mark))
		return EXIT_USAGE;
	r = cli_cache_open(args, !args->dry_run, &cache);
	if (r != EXIT_FINE)
		return r;
	if (args->dry_run)
		r = store_walk(cache.reader, false, count_marked, &purging);
	else
		r = store_purge(cache.store, &purging.mark);
	if (r == PURGE_E_FULL) {
		fputs("reprise: too many purges of single kinds are still in force; use --all or a "
		    "wider --model\n", stderr);
		r = EXIT_FAILED;
	} else if (r != 0) {
		r = cli_cache_say_failed(&cache, r);
	} else if (args->dry_run) {
		printf("%" PRIu64 " entries would be purged\n", purging.n);
	} else {
		puts("purged");
	}
	cli_cache_close(&cache);
	return r;
}

/* verify */

struct verification {
	struct cli_cache *cache;
	uint64_t	  total;
	uint64_t	  n;
	uint64_t	  n_bad;
};

static bool
verify_entry(void *arg, uint64_t seq, struct bytes encoded)
{
	struct verification *v = arg;
	struct entry entry;

	cli_progress("verify", ++v->n, v->total);
	if (entry_decode(encoded, &entry) == 0)
		return true;
	v->n_bad++;
	printf("entry %" PRIu64 ": damaged\n", seq);
	return true;
}

int
cli_cache_verify(const struct arguments *args)
{
	struct cli_cache cache;
	struct verification v = { .cache = &cache };
	struct store_stat stat;
	int r = cli_cache_open(args, false, &cache);

	if (r != EXIT_FINE)
		return r;
	if (store_get_stat(cache.store, &stat) == 0)
		v.total = stat.entries;
	r = store_walk(cache.reader, false, verify_entry, &v);
	cli_progress_end();
	if (r != 0)
		r = cli_cache_say_failed(&cache, r);
	else
		printf("%" PRIu64 " entries, %" PRIu64 " damaged\n", v.n, v.n_bad);
	cli_cache_close(&cache);
	return r == 0 && v.n_bad > 0 ? EXIT_FAILED : r;
}

/* compact */

/* The copy takes the place of the file; the lock file belongs to the old one. */
static int
take_place(const char *dir, const char *copy_dir)
{
	char from[2 * PATH_SIZE], to[PATH_SIZE], lock[PATH_SIZE];

	snprintf(from, sizeof(from), "%s/data.mdb", copy_dir);
	snprintf(to, sizeof(to), "%s/data.mdb", dir);
	snprintf(lock, sizeof(lock), "%s/lock.mdb", dir);
	if (rename(from, to) < 0)
		return -errno;
	unlink(lock);
	return rmdir(copy_dir) < 0 ? -errno : 0;
}

static int
compact(struct store *store, const char *dir)
{
	char copy_dir[PATH_SIZE];
	int r;

	snprintf(copy_dir, sizeof(copy_dir), "%s/compact-XXXXXX", dir);
	if (mkdtemp(copy_dir) == NULL)
		return -errno;
	r = store_copy_compact(store, copy_dir);
	return r == 0 ? take_place(dir, copy_dir) : r;
}

static uint64_t
file_size(const char *dir)
{
	char path[PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

int
cli_cache_compact(const struct arguments *args)
{
	struct config *config = cli_load(args);
	char before[CLI_TEXT_SIZE], after[CLI_TEXT_SIZE];
	struct store_options options = { .readers = 1 };
	const char *set_aside;
	struct store *store;
	uint64_t size;
	int r;

	if (config == NULL)
		return EXIT_USAGE;
	options.path = config->cache.path;
	options.size = config->cache.size;
	size = file_size(options.path);
	if (size == 0) {
		fprintf(stderr, "reprise: cache %s: there is none yet\n", options.path);
		config_unref(config);
		return EXIT_FAILED;
	}
	r = store_open(&options, &store, &set_aside);
	if (r == STORE_E_LOCKED) {
		fprintf(stderr, "reprise: cache %s: a server serves from it; stop it first\n",
		    options.path);
	} else if (r == 0) {
		r = compact(store, options.path);
		store_close(store);
	}
	if (r < 0)
		fprintf(stderr, "reprise: cache %s: %s\n", options.path, strerror(-r));
	if (r == 0)
		printf("%s before, %s now\n", cli_format_size(size, before),
		    cli_format_size(file_size(options.path), after));
	config_unref(config);
	return r == 0 ? EXIT_FINE : EXIT_FAILED;
}
