/* SPDX-License-Identifier: MIT */
/*
 * cli_cache.c - looking into a cache and purging it, beside a server or without
 * one: stats, ls, show, purge, verify, compact.
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
#include "cache/ledger.h"
#include "base/err.h"
#include "base/glob.h"
#include "base/mem.h"
#include "cache/tally.h"
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

static int
say_failed(const struct cli_cache *cache, int r)
{
	fprintf(stderr, "reprise: cache %s: %s\n", cache->config->cache.path,
	    r == STORE_E_FULL ? "full" : strerror(-r));
	return EXIT_FAILED;
}

/* stats */

struct counts {
	struct cli_cache *cache;
	struct tally	*entries;
	struct tally	*bytes;
	struct tally	*hits;
	uint64_t	 n_void;	/* expired or purged */
	usec_t		 now;
};

static bool
is_void(const struct cli_cache *cache, const struct entry *entry, usec_t now)
{
	return entry->made <= now - entry->ttl || store_is_purged(cache->reader, entry);
}

static bool
count_entry(void *arg, uint64_t seq, struct bytes encoded)
{
	struct counts *counts = arg;
	struct entry entry;

	(void)seq;
	if (entry_peek(encoded, &entry) != 0)
		return true;
	if (is_void(counts->cache, &entry, counts->now)) {
		counts->n_void++;
		return true;
	}
	tally_add(counts->entries, entry.model, 1);
	tally_add(counts->bytes, entry.model, encoded.len);
	return true;
}

static void
add_model_row(void *arg, struct bytes model, uint64_t n)
{
	json_t *models = arg, *row;
	char *name = xstrndup(model.len > 0 ? model.ptr : "", model.len);

	(void)n;
	row = json_object_get(models, name);
	if (row == NULL)
		json_object_set_new(models, name, json_object());
	xfree(name);
}

static json_t *
stats_json(struct counts *counts, const struct store_stat *stat)
{
	json_t *models = json_object(), *row;
	const char *name;

	tally_each(counts->entries, add_model_row, models);
	tally_each(counts->hits, add_model_row, models);
	json_object_foreach(models, name, row) {
		struct bytes model = bytes_str(name);

		json_object_set_new(row, "entries",
		    json_integer((json_int_t)tally_get(counts->entries, model)));
		json_object_set_new(row, "bytes",
		    json_integer((json_int_t)tally_get(counts->bytes, model)));
		json_object_set_new(row, "hits",
		    json_integer((json_int_t)tally_get(counts->hits, model)));
	}
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:o}",
	    "path", counts->cache->config->cache.path,
	    "entries", (json_int_t)tally_total(counts->entries),
	    "void", (json_int_t)counts->n_void, "used_bytes", (json_int_t)stat->used_bytes,
	    "file_bytes", (json_int_t)stat->file_bytes,
	    "size", (json_int_t)counts->cache->config->cache.size,
	    "hits", (json_int_t)tally_total(counts->hits), "models", models);
}

static json_t *
dollars(uint64_t pico)
{
	return json_real((double)pico / (double)PICO);
}

struct team_rows {
	struct ledger	*ledger;
	json_t		*teams;
	usec_t		 now;
};

static void
add_team_row(void *arg, const struct account *account)
{
	struct team_rows *rows = arg;
	struct spending s = ledger_get(rows->ledger, account, rows->now);

	json_object_set_new(rows->teams, account->name, json_pack("{s:I,s:I,s:o,s:o,s:o}",
	    "input_tokens", (json_int_t)s.input, "output_tokens", (json_int_t)s.output,
	    "spent", dollars(s.spent), "today", dollars(s.today),
	    "this_month", dollars(s.this_month)));
}

/* What the teams have used, as last written down; none where nothing was. */
static json_t *
teams_json(struct store_reader *reader, usec_t now)
{
	struct team_rows rows = {
		.ledger = ledger_new(), .teams = json_object(), .now = now,
	};
	struct bytes text;

	if (store_get_value(reader, LEDGER_NAME, &text) == 0)
		ledger_read(rows.ledger, text);
	ledger_each(rows.ledger, add_team_row, &rows);
	ledger_free(rows.ledger);
	return rows.teams;
}

static json_int_t
get_integer(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static double
get_dollars(const json_t *object, const char *name)
{
	return json_real_value(json_object_get(object, name));
}

static void
print_teams(const json_t *stats)
{
	json_t *teams = json_object_get(stats, "teams"), *row;
	const char *name;

	if (json_object_size(teams) == 0)
		return;
	printf("\n%12s %12s %12s %12s  %s\n", "input tokens", "output", "USD today",
	    "this month", "team");
	json_object_foreach(teams, name, row)
		printf("%12" JSON_INTEGER_FORMAT " %12" JSON_INTEGER_FORMAT " %12.4f %12.4f  %s\n",
		    get_integer(row, "input_tokens"), get_integer(row, "output_tokens"),
		    get_dollars(row, "today"), get_dollars(row, "this_month"), name);
}

static void
print_stats(const json_t *stats)
{
	char used[CLI_TEXT_SIZE], file[CLI_TEXT_SIZE], size[CLI_TEXT_SIZE];
	const char *name;
	json_t *row;

	printf("%s\n%" JSON_INTEGER_FORMAT " entries, %" JSON_INTEGER_FORMAT
	    " more expired or purged; %s used of %s, file %s; %" JSON_INTEGER_FORMAT " hits\n",
	    json_string_value(json_object_get(stats, "path")), get_integer(stats, "entries"),
	    get_integer(stats, "void"),
	    cli_format_size((uint64_t)get_integer(stats, "used_bytes"), used),
	    cli_format_size((uint64_t)get_integer(stats, "size"), size),
	    cli_format_size((uint64_t)get_integer(stats, "file_bytes"), file),
	    get_integer(stats, "hits"));
	printf("\n%10s %10s %10s  %s\n", "entries", "bytes", "hits", "model");
	json_object_foreach(json_object_get(stats, "models"), name, row)
		printf("%10" JSON_INTEGER_FORMAT " %10s %10" JSON_INTEGER_FORMAT "  %s\n",
		    get_integer(row, "entries"),
		    cli_format_size((uint64_t)get_integer(row, "bytes"), used),
		    get_integer(row, "hits"), name[0] != '\0' ? name : "-");
	print_teams(stats);
}

static void
print_json(const json_t *stats)
{
	json_dumpf(stats, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int
make_stats(struct counts *counts, json_t **ret_stats)
{
	struct store_stat stat;
	struct bytes hits;
	int r = store_walk(counts->cache->reader, false, count_entry, counts);

	if (r == 0)
		r = store_get_stat(counts->cache->store, &stat);
	if (r != 0)
		return r;
	if (store_get_value(counts->cache->reader, TALLY_NAME, &hits) == 0)
		tally_read(counts->hits, hits);
	*ret_stats = stats_json(counts, &stat);
	json_object_set_new(*ret_stats, "teams",
	    teams_json(counts->cache->reader, counts->now));
	return 0;
}

int
cli_cache_stats(const struct arguments *args)
{
	struct cli_cache cache;
	struct counts counts = { .cache = &cache, .now = clock_wall() };
	json_t *stats = NULL;
	int r = cli_cache_open(args, false, &cache);

	if (r != EXIT_FINE)
		return r;
	counts.entries = tally_new();
	counts.bytes = tally_new();
	counts.hits = tally_new();
	r = make_stats(&counts, &stats);
	if (r != 0)
		r = say_failed(&cache, r);
	else if (args->json)
		print_json(stats);
	else
		print_stats(stats);
	json_decref(stats);
	tally_free(counts.entries);
	tally_free(counts.bytes);
	tally_free(counts.hits);
	cli_cache_close(&cache);
	return r;
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
	    is_void(listing->cache, &entry, listing->now))
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
		r = say_failed(&cache, r);
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
		r = say_failed(&cache, r);
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
		r = say_failed(&cache, r);
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
		r = say_failed(&cache, r);
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
