/* SPDX-License-Identifier: MIT */
/*
 * cli.c - the table of commands, and the reading of their arguments.
 */
#include "proxy/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "config/manual.h"
#include "config/schema.h"
#include "proxy/certificates.h"
#include "proxy/cli_priv.h"
#include "proxy/net/tls_context.h"
#include "proxy/server.h"
#include "proxy/version.h"

static command_fn serve, check, schema;

static const struct command commands[] = {
	{ "serve", serve, "clT", NULL, "[-c FILE] [--listen ADDR] [--takeover]",
	    "run in the foreground",
	    "HF_TOKEN=hf_... reprise serve" },
	{ "reload", cli_reload, "c", NULL, "", "have the running server read its file again",
	    "reprise check && reprise reload" },
	{ "check", check, "c", NULL, "[-c FILE]", "validate the configuration",
	    "reprise check -c reprise.yaml" },
	{ "schema", schema, "M", NULL, "[--man]", "print its JSON Schema, for editors",
	    "reprise schema >reprise.schema.json" },
	{ "key new", cli_key_new, "", "NAME", "NAME", "make a key for the team NAME",
	    "reprise key new search" },
	{ "explain", cli_explain, "cpt", "REQUEST.json", "[--path P] [--team T] REQUEST.json",
	    "why a request is a hit or a miss",
	    "reprise explain --path /v1/chat/completions request.json" },
	{ "cache stats", cli_cache_stats, "cj", NULL, "[--json]",
	    "entries, bytes and hits, by model", "reprise cache stats --json" },
	{ "cache ls", cli_cache_ls, "cmn", NULL, "[--model GLOB] [--limit N]",
	    "entries, the newest first", "reprise cache ls --model 't5-*' --limit 20" },
	{ "cache show", cli_cache_show, "c", "KEY", "KEY",
	    "one entry, by its key or how it begins", "reprise cache show 4c120785" },
	{ "cache purge", cli_cache_purge, "cmtokad", NULL,
	    "[--model GLOB] [--team T] [--older-than D] [--key K] [--all] [--dry-run]",
	    "make entries void, at once",
	    "reprise cache purge --model 't5-*' --older-than 7d --dry-run" },
	{ "cache export", cli_cache_export, "cm", "file", "[--model GLOB] [FILE]",
	    "as JSON Lines; gzip if FILE ends in .gz", "reprise cache export answers.jsonl.gz" },
	{ "cache import", cli_cache_import, "c", "FILE", "FILE", "the newer of two answers stays",
	    "reprise cache import answers.jsonl.gz" },
	{ "cache warm", cli_cache_warm, "cJu", "FILE", "[--jobs N] [--url URL] FILE",
	    "send requests through a running proxy", "reprise cache warm --jobs 8 requests.jsonl" },
	{ "cache verify", cli_cache_verify, "c", NULL, "", "read everything, check everything",
	    "reprise cache verify" },
	{ "cache compact", cli_cache_compact, "c", NULL, "", "give free space back",
	    "systemctl stop reprise; reprise cache compact" },
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "listen", required_argument, NULL, 'l' },
	{ "path", required_argument, NULL, 'p' },
	{ "json", no_argument, NULL, 'j' },
	{ "model", required_argument, NULL, 'm' },
	{ "limit", required_argument, NULL, 'n' },
	{ "team", required_argument, NULL, 't' },
	{ "older-than", required_argument, NULL, 'o' },
	{ "key", required_argument, NULL, 'k' },
	{ "all", no_argument, NULL, 'a' },
	{ "dry-run", no_argument, NULL, 'd' },
	{ "jobs", required_argument, NULL, 'J' },
	{ "url", required_argument, NULL, 'u' },
	{ "man", no_argument, NULL, 'M' },
	{ "takeover", no_argument, NULL, 'T' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void
complain(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s\n", line);
}

static const char *
file_of(const struct arguments *args)
{
	return args->file != NULL ? args->file : config_default_file();
}

struct config *
cli_load(const struct arguments *args)
{
	struct config *config;

	return config_load_aside(file_of(args), complain, NULL, &config) == 0 ? config : NULL;
}

static enum log_level
log_level_of(const struct config *config)
{
	static const struct {
		const char	*name;
		enum log_level	 level;
	} levels[] = {
		{ "error", LOG_LEVEL_ERR },
		{ "warn", LOG_LEVEL_WARN },
		{ "info", LOG_LEVEL_INFO },
		{ "debug", LOG_LEVEL_DEBUG },
	};

	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (strcmp(levels[i].name, config->log.level) == 0)
			return levels[i].level;
	unreachable("the option table knows the levels");
}

/* As the command line said it at the start. */
static int
load_to_serve(void *arg, config_complain_fn *complain_fn, void *complain_arg,
    struct config **ret_config)
{
	const struct arguments *args = arg;
	int r;

	r = config_load(file_of(args), complain_fn, complain_arg, ret_config);
	if (r == 0 && args->listen != NULL) {
		config_clear_listen(*ret_config);
		config_add_listen(*ret_config, args->listen);
	}
	return r;
}

static void
adopt(const struct config *config)
{
	log_set_level(log_level_of(config));
	log_set_json(strcmp(config->log.format, "json") == 0);
}

static int
serve(const struct arguments *args)
{
	const struct server_source source = {
		.load = load_to_serve, .adopt = adopt, .arg = (void *)(uintptr_t)args,
		.takes_over = args->takeover,
	};
	struct config *config;
	int r;

	if (load_to_serve(source.arg, complain, NULL, &config) != 0)
		return EXIT_USAGE;
	adopt(config);
	r = server_run(config, &source);
	config_unref(config);
	switch (r) {
	case 0:
		return EXIT_FINE;
	case SERVER_E_CONFIG:
		return EXIT_USAGE;
	default:
		return EXIT_FAILED;
	}
}

static void
warn_of_open_doors(const struct config *config)
{
	for (size_t i = 0; i < config->peers.n_listen; i++)
		if (config_is_open(config, config->peers.listen[i].address))
			fprintf(stderr, "warning: listen: %s is open to whoever reaches it; teams "
			    "would say who may ask\n", config->peers.listen[i].address);
}

static void
warn_of_bodies(const struct config *config)
{
	for (size_t i = 0; i < config->n_routes; i++)
		if (config->routes[i].log_bodies != NULL)
			fprintf(stderr, "warning: routes[%zu].log_bodies: its questions and "
			    "answers are written to %s\n", i, config->routes[i].log_bodies);
}

static void
say_of_certificates(void *arg, bool is_wrong, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s%s\n", is_wrong ? "" : "warning: ", line);
}

static int
check(const struct arguments *args)
{
	struct config *config = cli_load(args);
	struct tls_context *tls;
	int r;

	if (config == NULL)
		return EXIT_USAGE;
	r = certificates_load(config, NULL, say_of_certificates, NULL, &tls);
	if (r == 0) {
		tls_context_unref(tls);
		warn_of_open_doors(config);
		warn_of_bodies(config);
	}
	if (config->n_unread > 0)
		fprintf(stderr, "warning: credentials were not looked at: they are given to the "
		    "service alone\n");
	config_unref(config);
	if (r != 0)
		return EXIT_USAGE;
	puts("the configuration is fine");
	return EXIT_FINE;
}

static int
schema(const struct arguments *args)
{
	char *text;

	if (args->man) {
		manual_print(stdout);
		return EXIT_FINE;
	}
	text = schema_text();
	puts(text);
	xfree(text);
	return EXIT_FINE;
}

static int
usage(const char *what, const char *word)
{
	fprintf(stderr, "reprise: %s \"%s\"; see reprise --help\n", what, word);
	return EXIT_USAGE;
}

/* The text of an option, where it goes; false for those that are not a text. */
static bool
set_text(struct arguments *args, int option)
{
	const char **field = option == 'c' ? &args->file : option == 'l' ? &args->listen :
	    option == 'p' ? &args->path : option == 'm' ? &args->model :
	    option == 't' ? &args->team : option == 'k' ? &args->key :
	    option == 'u' ? &args->url : NULL;

	if (field != NULL)
		*field = optarg;
	return field != NULL;
}

/* What is wrong with the option's value, or NULL. */
static const char *
set_option(struct arguments *args, int option)
{
	struct bytes value = bytes_str(optarg);

	if (set_text(args, option))
		return NULL;
	switch (option) {
	case 'a':
		args->all = true;
		return NULL;
	case 'd':
		args->dry_run = true;
		return NULL;
	case 'T':
		args->takeover = true;
		return NULL;
	case 'j':
		args->json = true;
		return NULL;
	case 'M':
		args->man = true;
		return NULL;
	case 'n':
		return num_parse_u64(value, &args->limit) == 0 && args->limit > 0 ? NULL :
		    "--limit takes a number above 0, not";
	case 'J':
		return num_parse_u64(value, &args->jobs) == 0 && args->jobs > 0 &&
		    args->jobs <= 1000 ? NULL : "--jobs takes a number from 1 to 1000, not";
	default:
		return num_parse_duration(value, &args->older_than) == 0 ? NULL :
		    "--older-than takes a duration such as 7d, not";
	}
}

static int
read_operand(const struct command *command, int argc, char **argv, struct arguments *args)
{
	bool is_needed = command->operand != NULL && command->operand[0] < 'a';

	if (command->operand != NULL && optind < argc)
		args->operand = argv[optind++];
	if (optind < argc)
		return usage("unexpected argument", argv[optind]);
	if (is_needed && args->operand == NULL)
		return usage("an argument is missing:", command->operand);
	return EXIT_FINE;
}

static int
run_command(const struct command *command, int argc, char **argv)
{
	struct arguments args = { 0 };
	int c, r;

	while ((c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
		const char *wrong;

		if (c == '?')
			return EXIT_USAGE;
		if (c == 'h') {
			cli_help_command(stdout, command);
			return EXIT_FINE;
		}
		if (strchr(command->options, c) == NULL)
			return usage("this option is not for", command->name);
		wrong = set_option(&args, c);
		if (wrong != NULL)
			return usage(wrong, optarg);
	}
	r = read_operand(command, argc, argv, &args);
	return r == EXIT_FINE ? command->run(&args) : r;
}

/* How many words of the command line name COMMAND; 0 if they do not. */
static int
words_of(const struct command *command, int argc, char **argv)
{
	const char *space = strchr(command->name, ' ');

	if (space == NULL)
		return strcmp(argv[1], command->name) == 0 ? 1 : 0;
	if (argc < 3 || strlen(argv[1]) != (size_t)(space - command->name) ||
	    strncmp(argv[1], command->name, strlen(argv[1])) != 0)
		return 0;
	return strcmp(argv[2], space + 1) == 0 ? 2 : 0;
}

static bool
is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int
help(void)
{
	cli_help(stdout, commands, ARRAY_LEN(commands));
	return EXIT_FINE;
}

static int
find_and_run(int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		int n = words_of(&commands[i], argc, argv);

		if (n > 0)
			return run_command(&commands[i], argc - n, argv + n);
	}
	if (strcmp(argv[1], "cache") != 0 && strcmp(argv[1], "key") != 0)
		return usage("unknown command", argv[1]);
	if (argc > 2 && is_help(argv[2]))
		return help();
	return usage(argv[1][0] == 'c' ? "unknown cache command" : "unknown key command",
	    argc > 2 ? argv[2] : "");
}

int
cli_run(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (is_help(word))
		return help();
	if (strcmp(word, "--version") == 0) {
		version_print();
		return EXIT_FINE;
	}
	if (word[0] != '\0')
		return find_and_run(argc, argv);
	cli_help(stderr, commands, ARRAY_LEN(commands));
	return EXIT_USAGE;
}
