/* SPDX-License-Identifier: MIT */
/*
 * manual.c - the table of options as mdoc(7): a subsection for each place, an
 * item for each option, with what it takes and what it is unless set.
 */
#include "config/manual.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "config/option.h"

#define PATH_SIZE	128
#define WORD_MAX	64
#define WIDTH		78

/* What stands behind the colon; "text" for the types that are not here. */
static const char *const kinds[] = {
	[OPTION_BOOL] = "true | false",
	[OPTION_ACCESS] = "true | false | list",
	[OPTION_COUNT] = "number",
	[OPTION_SIZE] = "size",
	[OPTION_DURATION] = "duration",
	[OPTION_RATE] = "rate",
	[OPTION_BUDGET] = "budget",
	[OPTION_PRICE] = "dollars",
	[OPTION_DATE] = "date",
	[OPTION_PATH] = "path",
	[OPTION_REVISION] = "text or what follows",
	[OPTION_HEALTH] = "path every duration",
	[OPTION_URL] = "URL",
	[OPTION_FIELD_NAME] = "field name",
	[OPTION_MODEL] = "model",
	[OPTION_ADDRESS] = "address",
	[OPTION_FILE_MODE] = "mode",
	[OPTION_FILE_GROUP] = "group",
	[OPTION_NETS] = "address, net or list",
	[OPTION_LISTEN] = "address, what follows, or list",
	[OPTION_GLOBS] = "glob or list",
	[OPTION_POINTERS] = "pointer or list",
	[OPTION_TOKEN] = "see TOKENS",
	[OPTION_TOKENS] = "list of tokens",
	[OPTION_KEY] = "key",
	[OPTION_KEYS] = "list of keys",
	[OPTION_TO] = "upstream or list",
	[OPTION_OF_TEAM] = "team or list",
	[OPTION_MEMBERS] = "map of members",
	[OPTION_MEMBER_NAMES] = "name or list",
	[OPTION_SWITCH] = "false or what follows",
	[OPTION_TLS] = "what follows or list",
};

/* What stands between the name of OPTION and those inside it. */
static const char *
suffix_of(const struct option *option)
{
	switch (option->type) {
	case OPTION_UPSTREAMS:
	case OPTION_TEAMS:
		return ".NAME";
	case OPTION_ROUTES:
	case OPTION_PRICES:
		return "[N]";
	default:
		return "";
	}
}

/* All but those that only hold others. */
static bool
has_value(const struct option *option)
{
	return option->type != OPTION_GROUP && suffix_of(option)[0] == '\0';
}

static const char *
kind_of(const struct option *option)
{
	if ((size_t)option->type < ARRAY_LEN(kinds) && kinds[option->type] != NULL)
		return kinds[option->type];
	return "text";
}

/* Words of mdoc: none that begins a line is a request, no backslash an escape. */
static void
print_word(FILE *out, const char *word, size_t len, bool begins)
{
	if (begins && (word[0] == '.' || word[0] == '\''))
		fputs("\\&", out);
	for (size_t i = 0; i < len; i++)
		if (word[i] == '\\')
			fputs("\\e", out);
		else
			putc(word[i], out);
}

/* TEXT in lines; a sentence begins one. */
static void
print_text(FILE *out, const char *text)
{
	size_t column = 0;
	bool ends = false;	/* a sentence */

	while (*text != '\0') {
		size_t len = strcspn(text, " ");
		bool begins = column == 0 || ends || column + 1 + len > WIDTH;

		if (column > 0)
			putc(begins ? '\n' : ' ', out);
		print_word(out, text, len, begins);
		column = begins ? len : column + 1 + len;
		ends = text[len - 1] == '.';
		text += len + strspn(text + len, " ");
	}
	putc('\n', out);
}

static void
print_value(FILE *out, const struct option *option)
{
	const char *rest = option->choices, *between = "";
	char word[WORD_MAX];

	if (option->type != OPTION_CHOICE) {
		fputs(kind_of(option), out);
		return;
	}
	while (option_next_choice(&rest, word, sizeof(word))) {
		fprintf(out, "%s%s", between, word);
		between = " | ";
	}
}

static void
print_option(FILE *out, const struct option *option)
{
	fprintf(out, ".It Cm %s :", option->name);
	if (has_value(option)) {
		fputs(" Ar ", out);
		print_value(out, option);
	}
	putc('\n', out);
	print_text(out, option->text);
	if (option->is_needed)
		fputs("Must be set.\n", out);
	if (option->def != NULL && has_value(option))
		fprintf(out, "Unless set:\n.Ql %s .\n", option->def);
	if (option->min != NULL && option->max != NULL)
		fprintf(out, "From %s to %s.\n", option->min, option->max);
}

/* The places inside PLACE follow it, each with its own behind it. */
static void
print_place(FILE *out, enum option_place place, const char *path)
{
	const struct option *option = NULL;
	char inner[PATH_SIZE];

	/* The mark is nothing to see: a title must not seem to end in punctuation. */
	fprintf(out, ".Ss %s\\&\n", path[0] != '\0' ? path : "Top level");
	fputs(".Bl -tag -width Ds\n", out);
	while ((option = option_next(place, option)) != NULL)
		print_option(out, option);
	fputs(".El\n", out);
	while ((option = option_next(place, option)) != NULL) {
		if (option->inside == PLACE_TOP)
			continue;
		snprintf(inner, sizeof(inner), "%s%s%s%s", path, path[0] != '\0' ? "." : "",
		    option->name, suffix_of(option));
		print_place(out, option->inside, inner);
	}
}

void
manual_print(FILE *out)
{
	print_place(out, PLACE_TOP, "");
}
