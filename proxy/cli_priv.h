/* SPDX-License-Identifier: MIT */
/*
 * cli_priv.h - what the commands share: cli.c (the table of them, arguments),
 * cli_cache.c (looking at a cache and purging it), cli_transfer.c (export,
 * import), cli_explain.c, cli_help.c, cli_key.c, cli_reload.c, cli_warm.c.  For them
 * alone.
 */
#ifndef PROXY_CLI_PRIV_H
#define PROXY_CLI_PRIV_H

#include <stdio.h>

#include "base/clock.h"
#include "cache/store.h"
#include "config/config.h"

enum {
	EXIT_FINE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

/* The command line, read.  Texts are borrowed from it. */
struct arguments {
	const char	*file;		/* -c */
	const char	*listen;
	const char	*path;
	const char	*model;
	const char	*team;
	const char	*key;
	const char	*url;
	const char	*operand;	/* what stands behind the options, or NULL */
	usec_t		 older_than;	/* 0: not given */
	uint64_t	 limit;		/* 0: not given, as the next one */
	uint64_t	 jobs;
	bool		 all;
	bool		 dry_run;
	bool		 json;
	bool		 man;
	bool		 takeover;
};

typedef int command_fn(const struct arguments *args);

/* A command of two words stands with both. */
struct command {
	const char	*name;
	command_fn	*run;
	const char	*options;	/* the letters of those that it takes */
	const char	*operand;	/* its name, in capitals if it is needed; or NULL */
	const char	*synopsis;
	const char	*text;
	const char	*example;
};

extern command_fn cli_cache_stats, cli_cache_ls, cli_cache_show, cli_cache_purge,
    cli_cache_verify, cli_cache_compact, cli_cache_export, cli_cache_import, cli_cache_warm,
    cli_explain, cli_key_new, cli_reload;

/* What --help says, of all N commands and of one. */
void	cli_help(FILE *out, const struct command *commands, size_t n);
void	cli_help_command(FILE *out, const struct command *command);

/* The configuration that the arguments name, to look at; or NULL, having said why not. */
struct config	*cli_load(const struct arguments *args);

/* A cache and its configuration, opened beside whoever serves from it. */
struct cli_cache {
	struct config		*config;
	struct store		*store;
	struct store_reader	*reader;
};

/* EXIT_FINE, or the exit code, having said why. */
int	cli_cache_open(const struct arguments *args, bool writes, struct cli_cache *ret_cache);
void	cli_cache_close(struct cli_cache *cache);

/* Say why something failed; returns EXIT_FAILED. */
int	cli_cache_say_failed(const struct cli_cache *cache, int r);

/* Has ENTRY expired by NOW, or been purged? */
bool	cli_cache_is_void(const struct cli_cache *cache, const struct entry *entry, usec_t now);

/* "2026-11-25 01:35:37 UTC", "2h", "1.5 MB". */
#define CLI_TEXT_SIZE	32
const char	*cli_format_time(usec_t wall, char text[CLI_TEXT_SIZE]);
const char	*cli_format_duration(usec_t duration, char text[CLI_TEXT_SIZE]);
const char	*cli_format_size(uint64_t bytes, char text[CLI_TEXT_SIZE]);

/* TEXT, which may hold anything, on one line of at most WIDTH characters. */
void	cli_print_line(struct bytes text, size_t width);

/* TEXT as JSON over several lines if it is JSON and a person looks, else as it is. */
void	cli_print_body(struct bytes text);

/* How far a long command is, on a terminal; nothing elsewhere. */
void	cli_progress(const char *what, uint64_t n, uint64_t total);
void	cli_progress_end(void);

#endif
