/* SPDX-License-Identifier: MIT */
/*
 * cli_help.c - what --help says.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "proxy/cli_priv.h"

#define COLUMN		46	/* where texts begin */
#define OPTION_WIDTH	20

static const struct {
	char		 letter;
	const char	*name;
	const char	*text;
} options[] = {
	{ 'c', "-c, --config FILE", "the configuration" },
	{ 'l', "--listen ADDR", "listen there, and nowhere else" },
	{ 'T', "--takeover", "in the place of the server that serves already" },
	{ 'p', "--path P", "the path it is sent to, if it says none itself" },
	{ 'j', "--json", "for programs" },
	{ 'm', "--model GLOB", "those of these models" },
	{ 'n', "--limit N", "at most so many" },
	{ 't', "--team T", "of this team" },
	{ 'o', "--older-than D", "those older than 30s, 10m, 24h or 7d" },
	{ 'k', "--key K", "the one with this key" },
	{ 'a', "--all", "all there are" },
	{ 'd', "--dry-run", "only count them" },
	{ 'J', "--jobs N", "so many at once" },
	{ 'u', "--url URL", "where the proxy is; unless given, where it listens" },
	{ 'M', "--man", "all options as a manual page has them" },
};

static void
print_row(FILE *out, const struct command *c)
{
	int len = fprintf(out, "  %s%s%s", c->name, c->synopsis[0] != '\0' ? " " : "",
	    c->synopsis);

	fprintf(out, len > COLUMN - 2 ? "\n%*s%s\n" : "%*s%s\n",
	    len > COLUMN - 2 ? COLUMN : COLUMN - len, "", c->text);
}

void
cli_help(FILE *out, const struct command *commands, size_t n)
{
	fputs("A caching reverse proxy for inference APIs.\n\nusage: reprise COMMAND\n\n", out);
	for (size_t i = 0; i < n; i++)
		print_row(out, &commands[i]);
	fputs("  COMMAND --help                              what it takes, with an example\n"
	    "  --help | --version\n\n"
	    "All but schema and key new take -c FILE.  Without it: $REPRISE_CONFIG,\n"
	    "/etc/reprise/reprise.yaml, else built-in defaults (127.0.0.1:8080, the Hugging\n"
	    "Face router, its token from HF_TOKEN).\n\n"
	    "  HF_TOKEN=hf_... reprise serve\n"
	    "  reprise cache purge --model 't5-*' --older-than 7d --dry-run\n"
	    "  reprise explain --path /v1/chat/completions request.json\n\n"
	    "Exit codes: 0 fine, 1 failed, 2 usage or configuration.\n", out);
}

void
cli_help_command(FILE *out, const struct command *command)
{
	bool says_config = strstr(command->synopsis, "-c FILE") != NULL;
	bool takes_config = strchr(command->options, 'c') != NULL;

	fprintf(out, "usage: reprise %s%s%s%s\n%s\n", command->name,
	    takes_config && !says_config ? " [-c FILE]" : "",
	    command->synopsis[0] != '\0' ? " " : "", command->synopsis, command->text);
	if (command->options[0] != '\0')
		putc('\n', out);
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strchr(command->options, options[i].letter) != NULL)
			fprintf(out, "  %-*s%s\n", OPTION_WIDTH, options[i].name,
			    options[i].text);
	fprintf(out, "\nexample:\n  %s\n", command->example);
}
