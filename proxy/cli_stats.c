/* SPDX-License-Identifier: MIT */
/*
 * cli_stats.c - what is in a cache, how often it was asked for, what that saved, and what
 * the teams have used.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "cache/ledger.h"
#include "cache/tally.h"
#include "proxy/cli_priv.h"

struct counts {
	struct cli_cache *cache;
	struct tally	*entries;
	struct tally	*bytes;
	struct tally	*hits;
	uint64_t	 n_void;	/* expired or purged */
	usec_t		 now;
};

static bool
count_entry(void *arg, uint64_t seq, struct bytes encoded)
{
	struct counts *counts = arg;
	struct entry entry;

	(void)seq;
	if (entry_peek(encoded, &entry) != 0)
		return true;
	if (cli_cache_is_void(counts->cache, &entry, counts->now)) {
		counts->n_void++;
		return true;
	}
	tally_add(counts->entries, entry.model, 1);
	tally_add(counts->bytes, entry.model, encoded.len);
	return true;
}

static void
add_model_row(void *arg, struct bytes model, const struct saved *saved)
{
	json_t *models = arg, *row;
	char *name = xstrndup(model.len > 0 ? model.ptr : "", model.len);

	(void)saved;
	row = json_object_get(models, name);
	if (row == NULL)
		json_object_set_new(models, name, json_object());
	xfree(name);
}

static json_t *
dollars(uint64_t pico)
{
	return json_real((double)pico / (double)PICO);
}

static void
set_saved(json_t *object, const struct saved *saved)
{
	json_object_set_new(object, "hits", json_integer((json_int_t)saved->hits));
	json_object_set_new(object, "saved_input_tokens", json_integer((json_int_t)saved->input));
	json_object_set_new(object, "saved_output_tokens",
	    json_integer((json_int_t)saved->output));
	json_object_set_new(object, "saved", dollars(saved->cost));
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
		struct saved saved = tally_saved(counts->hits, model);

		json_object_set_new(row, "entries",
		    json_integer((json_int_t)tally_get(counts->entries, model)));
		json_object_set_new(row, "bytes",
		    json_integer((json_int_t)tally_get(counts->bytes, model)));
		set_saved(row, &saved);
	}
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:o}",
	    "path", counts->cache->config->cache.path,
	    "entries", (json_int_t)tally_total(counts->entries),
	    "void", (json_int_t)counts->n_void, "used_bytes", (json_int_t)stat->used_bytes,
	    "file_bytes", (json_int_t)stat->file_bytes,
	    "size", (json_int_t)counts->cache->config->cache.size,
	    "models", models);
}

struct team_rows {
	struct ledger	*ledger;
	json_t		*teams;
	struct saved	 total;		/* also of those who have no team */
	usec_t		 now;
};

static void
add_team_row(void *arg, const struct account *account)
{
	struct team_rows *rows = arg;
	struct spending s = ledger_get(rows->ledger, account, rows->now);
	struct saved saved = ledger_saved(rows->ledger, account);
	json_t *row;

	saved_add(&rows->total, &saved);
	if (strcmp(account->name, LEDGER_NOBODY) == 0)
		return;
	row = json_pack("{s:I,s:I,s:o,s:o,s:o}", "input_tokens", (json_int_t)s.input,
	    "output_tokens", (json_int_t)s.output, "spent", dollars(s.spent),
	    "today", dollars(s.today), "this_month", dollars(s.this_month));
	set_saved(row, &saved);
	json_object_set_new(rows->teams, account->name, row);
}

/* What the teams have used, and all have saved, as last written down. */
static void
add_ledger(json_t *stats, struct counts *counts)
{
	struct team_rows rows = {
		.ledger = ledger_new(), .teams = json_object(), .now = counts->now,
	};
	struct bytes text;

	if (store_get_value(counts->cache->reader, LEDGER_NAME, &text) == 0)
		ledger_read(rows.ledger, text);
	ledger_each(rows.ledger, add_team_row, &rows);
	ledger_free(rows.ledger);
	/* There were hits before they were written down there. */
	if (rows.total.hits < tally_total(counts->hits))
		rows.total.hits = tally_total(counts->hits);
	set_saved(stats, &rows.total);
	json_object_set_new(stats, "teams", rows.teams);
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
	printf("\n%12s %12s %12s %12s %12s %12s %12s  %s\n", "input tokens", "output",
	    "USD today", "this month", "saved input", "output", "USD", "team");
	json_object_foreach(teams, name, row)
		printf("%12" JSON_INTEGER_FORMAT " %12" JSON_INTEGER_FORMAT " %12.4f %12.4f %12"
		    JSON_INTEGER_FORMAT " %12" JSON_INTEGER_FORMAT " %12.4f  %s\n",
		    get_integer(row, "input_tokens"), get_integer(row, "output_tokens"),
		    get_dollars(row, "today"), get_dollars(row, "this_month"),
		    get_integer(row, "saved_input_tokens"),
		    get_integer(row, "saved_output_tokens"), get_dollars(row, "saved"), name);
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
	printf("saved: %" JSON_INTEGER_FORMAT " tokens of input, %" JSON_INTEGER_FORMAT
	    " of output, %.4f USD\n", get_integer(stats, "saved_input_tokens"),
	    get_integer(stats, "saved_output_tokens"), get_dollars(stats, "saved"));
	printf("\n%10s %10s %10s %12s  %s\n", "entries", "bytes", "hits", "saved USD",
	    "model");
	json_object_foreach(json_object_get(stats, "models"), name, row)
		printf("%10" JSON_INTEGER_FORMAT " %10s %10" JSON_INTEGER_FORMAT " %12.4f  %s\n",
		    get_integer(row, "entries"),
		    cli_format_size((uint64_t)get_integer(row, "bytes"), used),
		    get_integer(row, "hits"), get_dollars(row, "saved"),
		    name[0] != '\0' ? name : "-");
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
	else if (store_get_value(counts->cache->reader, TALLY_OLD_NAME, &hits) == 0)
		tally_read_old(counts->hits, hits);
	*ret_stats = stats_json(counts, &stat);
	add_ledger(*ret_stats, counts);
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
		r = cli_cache_say_failed(&cache, r);
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
