/* SPDX-License-Identifier: MIT */
/*
 * cli.c - serve, check, schema; help and version.
 */
#include "proxy/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/schema.h"
#include "proxy/server.h"
#include "proxy/version.h"

enum {
	EXIT_FINE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

struct arguments {
	const char	*file;		/* -c */
	char		*listen;	/* --listen */
};

typedef int command_fn(const struct arguments *args);

static command_fn serve, check, schema;

static const struct {
	const char	*name;
	command_fn	*run;
	const char	*options;	/* for getopt_long */
	const char	*synopsis;
	const char	*text;
} commands[] = {
	{ "serve", serve, "c:l:", "serve [-c FILE] [--listen ADDR]", "run in the foreground" },
	{ "check", check, "c:", "check [-c FILE]", "validate the configuration" },
	{ "schema", schema, "", "schema", "print its JSON Schema, for editors" },
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "listen", required_argument, NULL, 'l' },
	{ 0 },
};

static void
complain(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s\n", line);
}

static struct config *
load(const struct arguments *args)
{
	const char *file = args->file != NULL ? args->file : config_default_file();
	struct config *config;

	return config_load(file, complain, NULL, &config) == 0 ? config : NULL;
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

static void
listen_only_on(struct config *config, const char *address)
{
	for (char **p = config->listen; *p != NULL; p++)
		xfree(*p);
	config->listen = xreallocarray(config->listen, 2, sizeof(char *));
	config->listen[0] = xstrdup(address);
	config->listen[1] = NULL;
}

static int
serve(const struct arguments *args)
{
	struct config *config = load(args);
	int r;

	if (config == NULL)
		return EXIT_USAGE;
	if (args->listen != NULL)
		listen_only_on(config, args->listen);
	log_set_level(log_level_of(config));
	r = server_run(config);
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

static int
check(const struct arguments *args)
{
	struct config *config = load(args);

	if (config == NULL)
		return EXIT_USAGE;
	config_unref(config);
	puts("the configuration is fine");
	return EXIT_FINE;
}

static int
schema(const struct arguments *args)
{
	char *text = schema_text();

	(void)args;
	puts(text);
	xfree(text);
	return EXIT_FINE;
}

static void
print_help(FILE *out)
{
	fputs("A caching reverse proxy for inference APIs.\n\nusage:\n", out);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(out, "  reprise %-34s%s\n", commands[i].synopsis, commands[i].text);
	fputs("  reprise --help | --version\n\n"
	    "Without -c: $REPRISE_CONFIG, /etc/reprise/reprise.yaml, else built-in defaults\n"
	    "(127.0.0.1:8080, the Hugging Face router, its token from HF_TOKEN).\n", out);
}

static int
usage(const char *what, const char *word)
{
	fprintf(stderr, "reprise: %s \"%s\"; see reprise --help\n", what, word);
	return EXIT_USAGE;
}

static int
run_command(size_t i, int argc, char **argv)
{
	struct arguments args = { 0 };
	int c;

	while ((c = getopt_long(argc, argv, commands[i].options, long_options, NULL)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		if (strchr(commands[i].options, c) == NULL)
			return usage("this option is not for", commands[i].name);
		if (c == 'c')
			args.file = optarg;
		else
			args.listen = optarg;
	}
	if (optind < argc)
		return usage("unexpected argument", argv[optind]);
	return commands[i].run(&args);
}

int
cli_run(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		print_help(stdout);
		return EXIT_FINE;
	}
	if (strcmp(word, "--version") == 0) {
		version_print();
		return EXIT_FINE;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(word, commands[i].name) == 0)
			return run_command(i, argc - 1, argv + 1);
	if (word[0] != '\0')
		return usage("unknown command", word);
	print_help(stderr);
	return EXIT_USAGE;
}
