/* SPDX-License-Identifier: MIT */
/*
 * option.c - text into fields, type by type.
 */
#include "config/option.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "config/config.h"

#define WORD_MAX	64
#define NEAR_ENOUGH	3	/* edits; and less than half of the word */

static const struct option options[] = {
#include "config/option_tbl.h"
};

const struct option *
option_next(enum option_place place, const struct option *previous)
{
	const struct option *o = previous != NULL ? previous + 1 : options;

	for (; o < options + ARRAY_LEN(options); o++)
		if (o->place == place)
			return o;
	return NULL;
}

const struct option *
option_find(enum option_place place, const char *name)
{
	const struct option *o = NULL;

	while ((o = option_next(place, o)) != NULL)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

bool
option_is_scalar(const struct option *option)
{
	return option->type < OPTION_ADDRESSES;
}

bool
option_is_list(const struct option *option)
{
	return option->type == OPTION_ADDRESSES || option->type == OPTION_GLOBS;
}

bool
option_next_choice(const char **rest, char *ret_word, size_t size)
{
	size_t len = strcspn(*rest, " ");

	if (len == 0 || len >= size)
		return false;
	memcpy(ret_word, *rest, len);
	ret_word[len] = '\0';
	*rest += len + ((*rest)[len] == ' ');
	return true;
}

/* Full buffers cut the message, not the program. */
#define SAY(why, ...)	((void)!buf_addf(why, __VA_ARGS__), OPTION_E_WRONG)

static int
set_bool(const char *text, bool *field, struct buf *why)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return SAY(why, "must be true or false");
	*field = text[0] == 't';
	return 0;
}

typedef int parse_fn(struct bytes text, uint64_t *ret_value);

static int
parse_count(struct bytes text, uint64_t *ret_value)
{
	return num_parse_u64(text, ret_value);
}

static int
parse_size(struct bytes text, uint64_t *ret_value)
{
	return num_parse_size(text, ret_value);
}

static int
parse_duration(struct bytes text, uint64_t *ret_value)
{
	usec_t value;
	int r = num_parse_duration(text, &value);

	if (r == 0)
		*ret_value = (uint64_t)value;
	return r;
}

static int
parse_in_range(const struct option *option, const char *text, parse_fn *parse, const char *what,
    uint64_t *ret_value, struct buf *why)
{
	uint64_t value, min, max;
	int r = parse(bytes_str(text), &value);

	if (r == NUM_E_BAD)
		return SAY(why, "\"%s\" is not %s", text, what);
	if (r != 0 || parse(bytes_str(option->min), &min) != 0 ||
	    parse(bytes_str(option->max), &max) != 0 || value < min || value > max)
		return SAY(why, "must be from %s to %s", option->min, option->max);
	*ret_value = value;
	return 0;
}

static int
set_number(const struct option *option, const char *text, char *field, struct buf *why)
{
	uint64_t value;
	int r;

	switch (option->type) {
	case OPTION_COUNT:
		r = parse_in_range(option, text, parse_count, "a number", &value, why);
		if (r == 0)
			*(unsigned *)(void *)field = (unsigned)value;
		return r;
	case OPTION_SIZE:
		r = parse_in_range(option, text, parse_size, "a size such as 64MB", &value, why);
		if (r == 0)
			*(uint64_t *)(void *)field = value;
		return r;
	default:
		r = parse_in_range(option, text, parse_duration, "a duration such as 30s or 7d",
		    &value, why);
		if (r == 0)
			*(usec_t *)(void *)field = (usec_t)value;
		return r;
	}
}

static int
check_choice(const struct option *option, const char *text, struct buf *why)
{
	const char *rest = option->choices;
	char word[WORD_MAX];

	while (option_next_choice(&rest, word, sizeof(word)))
		if (strcmp(word, text) == 0)
			return 0;
	return SAY(why, "\"%s\" is none of: %s", text, option->choices);
}

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= 0x20 || *text == 0x7f)
			return true;
	return false;
}

static int
check_url(const char *text, struct buf *why)
{
	const char *host = strstr(text, "://");

	if (strncmp(text, "unix:/", 6) == 0)
		return 0;
	if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
		return SAY(why, "must begin with http://, https:// or unix:/");
	host += 3;
	if (has_control(text) || strchr(text, '?') != NULL || strchr(text, '#') != NULL)
		return SAY(why, "must be scheme://host[:port][/path] and nothing more");
	if (memchr(host, '@', strcspn(host, "/")) != NULL)
		return SAY(why, "must not hold a user or password; see token");
	if (strcspn(host, "/:") == 0)
		return SAY(why, "names no host");
	return 0;
}

static bool
is_port(const char *text)
{
	uint64_t port;

	return num_parse_u64(bytes_str(text), &port) == 0 && port <= UINT16_MAX;
}

static int
check_address(const char *text, struct buf *why)
{
	const char *colon = strrchr(text, ':');
	size_t len;

	if (strncmp(text, "unix:/", 6) == 0)
		return 0;
	if (colon == NULL || !is_port(colon + 1) || has_control(text))
		return SAY(why, "\"%s\" is not host:port, [v6]:port or unix:/path", text);
	len = (size_t)(colon - text);
	if (memchr(text, ':', len) != NULL && (text[0] != '[' || text[len - 1] != ']'))
		return SAY(why, "write an IPv6 address in brackets: [::1]:8080");
	return 0;
}

/* RFC 9110, 5.1 and 5.5; what is looked at here goes into every request or answer. */
static int
check_field(const char *text, bool is_name, struct buf *why)
{
	bool is_bad = text[0] == '\0';

	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;
		bool is_word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || c == '-' || c == '_';

		is_bad = is_bad || (is_name ? !is_word : c < 0x20 || c >= 0x7f);
	}
	if (is_bad)
		return SAY(why, "is no header field %s", is_name ? "name" : "value");
	return 0;
}

static int
check_text(const struct option *option, const char *text, struct buf *why)
{
	switch (option->type) {
	case OPTION_CHOICE:
		return check_choice(option, text, why);
	case OPTION_URL:
		return check_url(text, why);
	case OPTION_ADDRESSES:
		return check_address(text, why);
	case OPTION_FIELD_NAME:
		return check_field(text, true, why);
	case OPTION_FIELD_VALUE:
		return check_field(text, false, why);
	default:
		return text[0] != '\0' ? 0 : SAY(why, "must not be empty");
	}
}

static char *
field_of(const struct option *option, void *base)
{
	return (char *)base + option->offset;
}

int
option_set(const struct option *option, const char *text, void *base, struct buf *why)
{
	char *field = field_of(option, base), **p;
	int r;

	switch (option->type) {
	case OPTION_BOOL:
	case OPTION_SWITCH:
		return set_bool(text, (bool *)(void *)field, why);
	case OPTION_COUNT:
	case OPTION_SIZE:
	case OPTION_DURATION:
		return set_number(option, text, field, why);
	default:
		assert(option_is_scalar(option));
		r = check_text(option, text, why);
		if (r != 0)
			return r;
		p = (char **)(void *)field;
		xfree(*p);
		*p = xstrdup(text);
		return 0;
	}
}

int
option_add(const struct option *option, const char *text, void *base, struct buf *why)
{
	char ***list = (char ***)(void *)field_of(option, base);
	size_t n = 0;
	int r = check_text(option, text, why);

	if (r != 0)
		return r;
	while (*list != NULL && (*list)[n] != NULL)
		n++;
	*list = xreallocarray(*list, n + 2, sizeof(char *));
	(*list)[n] = xstrdup(text);
	(*list)[n + 1] = NULL;
	return 0;
}

void
option_set_defaults(enum option_place place, void *base)
{
	const struct option *o = NULL;
	struct buf why;
	int r = 0;

	buf_init(&why, 1024);
	while ((o = option_next(place, o)) != NULL) {
		if (o->type == OPTION_GROUP || o->type == OPTION_SWITCH)
			option_set_defaults(o->inside, base);
		if (o->def == NULL)
			continue;
		r = option_is_list(o) ? option_add(o, o->def, base, &why) :
		    option_set(o, o->def, base, &why);
		assert(r == 0);
	}
	buf_done(&why);
}

static void
free_list(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		xfree(list[i]);
	xfree(list);
}

void
option_free_all(enum option_place place, void *base)
{
	const struct option *o = NULL;

	while ((o = option_next(place, o)) != NULL) {
		char *field = field_of(o, base);

		if (o->type == OPTION_GROUP || o->type == OPTION_SWITCH)
			option_free_all(o->inside, base);
		else if (option_is_list(o))
			free_list(*(char ***)(void *)field);
		else if (option_is_scalar(o) && o->type >= OPTION_TEXT)
			xfree(*(char **)(void *)field);
	}
}

static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's distance, a row at a time. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], len = strlen(b);

	if (len > WORD_MAX || strlen(a) > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < len; j++) {
			size_t above = row[j + 1];

			row[j + 1] = min3(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[len];
}

const char *
option_suggest(const char *word, const char *const *words, size_t n)
{
	const char *best = NULL;
	size_t best_distance = NEAR_ENOUGH + 1;

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(word, words[i]);

		if (d < best_distance && d * 2 <= strlen(words[i])) {
			best = words[i];
			best_distance = d;
		}
	}
	return best;
}
