/* SPDX-License-Identifier: MIT */
/*
 * option.c - text into fields, type by type.
 */
#include "config/option.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <grp.h>
#include <sys/un.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/ip.h"
#include "base/mem.h"
#include "base/money.h"
#include "base/num.h"
#include "base/rate.h"
#include "config/access.h"
#include "config/config.h"
#include "config/tls.h"

#define WORD_MAX	64
#define NEAR_ENOUGH	3	/* edits; and less than half of the word */

static const struct option options[] = {
#include "config/option_tbl.h"
#include "config/option_listen_tbl.h"
#include "config/option_upstream_tbl.h"
#include "config/option_team_tbl.h"
#include "config/option_route_tbl.h"
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
	return option->type < OPTION_NETS;
}

bool
option_is_list(const struct option *option)
{
	return option->type == OPTION_NETS || option->type == OPTION_GLOBS ||
	    option->type == OPTION_POINTERS;
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

static const struct {
	int		(*parse)(struct bytes text, uint64_t *ret_value);
	const char	*what;
} numbers[] = {
	[OPTION_COUNT] = { parse_count, "a number" },
	[OPTION_SIZE] = { parse_size, "a size such as 64MB" },
	[OPTION_DURATION] = { parse_duration, "a duration such as 30s or 7d" },
};

static int
parse_in_range(const struct option *option, const char *text, uint64_t *ret_value,
    struct buf *why)
{
	int (*parse)(struct bytes, uint64_t *) = numbers[option->type].parse;
	uint64_t value, min, max;
	int r = parse(bytes_str(text), &value);

	if (r == NUM_E_BAD)
		return SAY(why, "\"%.60s\" is not %s", text, numbers[option->type].what);
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
	int r = parse_in_range(option, text, &value, why);

	if (r != 0)
		return r;
	if (option->type == OPTION_COUNT)
		*(unsigned *)(void *)field = (unsigned)value;
	else if (option->type == OPTION_SIZE)
		*(uint64_t *)(void *)field = value;
	else
		*(usec_t *)(void *)field = (usec_t)value;
	return 0;
}

/* One that is asked for by GET, without a query (H-29). */
static int
check_path(const char *text, struct buf *why)
{
	for (const char *p = text; *p != '\0'; p++)
		if (!isgraph((unsigned char)*p) || strchr("?#\\", *p) != NULL)
			return SAY(why, "must be a path such as /health and nothing more");
	return text[0] == '/' ? 0 : SAY(why, "must begin with a slash, as in /health");
}

#define EVERY		" every "
#define EVERY_DEFAULT	(10 * USEC_PER_SEC)

/* PATH, or PATH every DURATION. */
static int
set_health(const struct option *option, const char *text, struct config_probe *field,
    struct buf *why)
{
	const struct option every = {
		.type = OPTION_DURATION, .min = option->min, .max = option->max,
	};
	const char *time = strstr(text, EVERY);
	char *path = time != NULL ? xstrndup(text, (size_t)(time - text)) : xstrdup(text);
	uint64_t value = EVERY_DEFAULT;
	int r = check_path(path, why);

	if (r == 0 && time != NULL)
		r = parse_in_range(&every, time + strlen(EVERY), &value, why);
	if (r != 0) {
		xfree(path);
		return r;
	}
	xfree(field->path);
	*field = (struct config_probe){ .path = path, .every = (usec_t)value };
	return 0;
}

static int
set_rate(const struct option *option, const char *text, struct rate *field, struct buf *why)
{
	int r = rate_parse(bytes_str(text), field);

	if (r == 0 && option->min != NULL && field->n == 0)
		return SAY(why, "must be over 0");
	if (r == NUM_E_BAD)
		return SAY(why, "\"%.60s\" is not a rate such as 5/s or 600/min", text);
	return r == 0 ? 0 : SAY(why, "must be at most 1M/s");
}

static int
set_date(const char *text, usec_t *field, struct buf *why)
{
	if (date_parse_end(bytes_str(text), field) == 0)
		return 0;
	return SAY(why, "\"%.60s\" is not a date such as 2027-01-31 or 2027-01-31T12:00:00Z", text);
}

/* As chmod(1) takes it: in octal, with or without a 0 before it. */
static int
set_mode(const char *text, unsigned *field, struct buf *why)
{
	size_t len = strlen(text);
	unsigned mode = 0;

	for (size_t i = 0; i < len; i++)
		mode = mode * 8 + (unsigned)(text[i] - '0');
	if (len < 3 || len > 4 || strspn(text, "01234567") != len || mode == 0 || mode > 0777)
		return SAY(why, "\"%.60s\" is no mode such as \"0660\"", text);
	*field = mode;
	return 0;
}

static int
set_budget(const char *text, struct budget *field, struct buf *why)
{
	int r = budget_parse(bytes_str(text), field);

	return r == 0 ? 0 : SAY(why, r == NUM_E_RANGE ? "must be at most 1000000 USD" :
	    "\"%.60s\" is not a budget such as 50 USD/month or 2.50 USD/day", text);
}

/* Dollars per million tokens are microdollars, and so a million pico, for one. */
static int
set_price(const char *text, uint64_t *field, struct buf *why)
{
	uint64_t pico;

	if (money_parse(bytes_str(text), &pico) != 0)
		return SAY(why, "\"%.60s\" is not a price in dollars such as 2.50", text);
	*field = pico / 1000000;
	return 0;
}

static const uint64_t usual_access = 0
#define ACCESS(name, word, is_usual) | ((is_usual) ? ACCESS_BIT(name) : 0)
#include "config/access_tbl.h"
#undef ACCESS
    ;

static int
set_access(const char *text, uint64_t *field, struct buf *why)
{
	bool is_on;

	if (set_bool(text, &is_on, why) != 0)
		return SAY(why, ", or a list of fields");
	*field = is_on ? usual_access : 0;
	return 0;
}

static int
add_access(const struct option *option, const char *text, uint64_t *field, struct buf *why)
{
	const char *rest = option->choices;
	char word[WORD_MAX];

	for (int i = 0; option_next_choice(&rest, word, sizeof(word)); i++) {
		if (strcmp(word, text) != 0)
			continue;
		*field |= ACCESS_BIT(i);
		return 0;
	}
	return SAY(why, "\"%.60s\" is none of: %s", text, option->choices);
}

static int
check_choice(const struct option *option, const char *text, struct buf *why)
{
	const char *rest = option->choices;
	char word[WORD_MAX];

	while (option_next_choice(&rest, word, sizeof(word)))
		if (strcmp(word, text) == 0)
			return 0;
	return SAY(why, "\"%.60s\" is none of: %s", text, option->choices);
}

#define LETTERS		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define HOST_BYTES	LETTERS "0123456789.-_"
#define MODEL_BYTES	LETTERS "0123456789._-/:"
#define MODEL_MAX	200
#define UNIX_PREFIX	"unix:"

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

static int
check_unix(const char *path, struct buf *why)
{
	const size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	if (path[0] != '/' || path[1] == '\0' || has_control(path))
		return SAY(why, "must be unix: and an absolute path");
	if (strlen(path) > max)
		return SAY(why, "its path must be at most %zu bytes", max);
	return 0;
}

/* The length of the host or [v6] at the start of TEXT; 0 if there is none. */
static size_t
host_len(const char *text)
{
	char v6[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t len;

	if (text[0] != '[')
		return strspn(text, HOST_BYTES);
	len = strcspn(text, "]");
	if (text[len] == '\0' || len > sizeof(v6))
		return 0;
	memcpy(v6, text + 1, len - 1);
	v6[len - 1] = '\0';
	return inet_pton(AF_INET6, v6, &address) == 1 ? len + 1 : 0;
}

static bool
is_port(struct bytes text)
{
	uint64_t port;

	return num_parse_u64(text, &port) == 0 && port <= UINT16_MAX;
}

/* Port 0 is one to listen on, but nothing that can be called. */
static int
check_authority(struct bytes rest, size_t host, struct buf *why)
{
	if (host == 0)
		return SAY(why, "names no host");
	rest = bytes_skip(rest, host);
	if (rest.len > 0 && (rest.ptr[0] != ':' || !is_port(bytes_skip(rest, 1)) ||
	    bytes_eq_str(rest, ":0")))
		return SAY(why, "must be scheme://host[:port][/path] and nothing more");
	return 0;
}

static int
check_url(const char *text, struct buf *why)
{
	const char *host = strstr(text, "://");
	size_t len;

	if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return check_unix(text + strlen(UNIX_PREFIX), why);
	if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
		return SAY(why, "must begin with http://, https:// or unix:/");
	host += 3;
	len = strcspn(host, "/");
	if (memchr(host, '@', len) != NULL)
		return SAY(why, "must not hold a user or password; see token");
	for (const char *p = text; *p != '\0'; p++)
		if (!isgraph((unsigned char)*p) || strchr("?#\\", *p) != NULL)
			return SAY(why, "must be scheme://host[:port][/path] and nothing more");
	return check_authority((struct bytes){ host, len }, host_len(host), why);
}

/* Without a host: on all addresses. */
static int
check_address(const char *text, struct buf *why)
{
	size_t len = host_len(text);

	if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return check_unix(text + strlen(UNIX_PREFIX), why);
	if (text[len] == ':' && is_port(bytes_str(text + len + 1)))
		return 0;
	if (strchr(text, ':') != strrchr(text, ':') && text[0] != '[')
		return SAY(why, "write an IPv6 address in brackets: [::1]:8080");
	return SAY(why, "\"%.60s\" is not host:port, [v6]:port or unix:/path", text);
}

static int
check_net(const char *text, struct buf *why)
{
	struct ip_net net;

	if (strcmp(text, UNIX_PREFIX) == 0 || ip_net_parse(bytes_str(text), &net))
		return 0;
	return SAY(why, "\"%.60s\" is no address, nor a net such as 10.0.0.0/8", text);
}

static int
check_group(const char *text, struct buf *why)
{
	return getgrnam(text) != NULL ? 0 : SAY(why, "there is no group \"%.60s\"", text);
}

/* It may become part of a path (H-29). */
static int
check_model(const char *text, struct buf *why)
{
	struct bytes rest = bytes_str(text), part;

	if (rest.len > MODEL_MAX || text[strspn(text, MODEL_BYTES)] != '\0')
		return SAY(why, "is no model id");
	do {
		bool is_last = bytes_find_char(rest, '/') == rest.len;

		part = bytes_cut(&rest, '/');
		if (part.len == 0 || bytes_eq_str(part, ".") || bytes_eq_str(part, ".."))
			return SAY(why, "is no model id");
		if (is_last)
			return 0;
	} while (true);
}

/* RFC 6901, 3: begins with a slash; a tilde stands before 0 or 1 alone. */
static int
check_pointer(const char *text, struct buf *why)
{
	if (text[0] != '/')
		return SAY(why, "must be a JSON pointer such as /user or /messages/*/name");
	for (const char *p = text; *p != '\0'; p++)
		if (*p == '~' && p[1] != '0' && p[1] != '1')
			return SAY(why, "in a JSON pointer \"~\" is written ~0, and \"/\" ~1");
	return has_control(text) ? SAY(why, "must not hold control characters") : 0;
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
	case OPTION_ADDRESS:
		return check_address(text, why);
	case OPTION_NETS:
		return check_net(text, why);
	case OPTION_FILE_GROUP:
		return check_group(text, why);
	case OPTION_FIELD_NAME:
		return check_field(text, true, why);
	case OPTION_FIELD_VALUE:
		return check_field(text, false, why);
	case OPTION_MODEL:
		return check_model(text, why);
	case OPTION_PATH:
		return check_path(text, why);
	case OPTION_POINTERS:
		return check_pointer(text, why);
	default:
		if (text[0] == '\0')
			return SAY(why, "must not be empty");
		return has_control(text) ? SAY(why, "must not hold control characters") : 0;
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
	case OPTION_HEALTH:
		return set_health(option, text, (struct config_probe *)(void *)field, why);
	case OPTION_RATE:
		return set_rate(option, text, (struct rate *)(void *)field, why);
	case OPTION_BUDGET:
		return set_budget(text, (struct budget *)(void *)field, why);
	case OPTION_PRICE:
		return set_price(text, (uint64_t *)(void *)field, why);
	case OPTION_DATE:
		return set_date(text, (usec_t *)(void *)field, why);
	case OPTION_ACCESS:
		return set_access(text, (uint64_t *)(void *)field, why);
	case OPTION_FILE_MODE:
		return set_mode(text, (unsigned *)(void *)field, why);
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
	int r;

	if (option->type == OPTION_ACCESS)
		return add_access(option, text, (uint64_t *)(void *)list, why);
	r = check_text(option, text, why);
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
		else if (o->type == OPTION_REVISION)
			option_set_defaults(o->inside, field_of(o, base));
		if (o->def == NULL || o->type == OPTION_LISTEN)
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
		else if (o->type == OPTION_REVISION)
			option_free_all(o->inside, field);
		if (option_is_list(o))
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
