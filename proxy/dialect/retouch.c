/* SPDX-License-Identifier: MIT */
/*
 * retouch.c - cut what came into JSON texts, find the places in each, write it anew.
 *
 * A text is walked twice: first it is looked at, which shows whether it is JSON at
 * all and what of its usage has to go; then it is written, and nothing can fail any
 * more but for want of room.
 *
 *	text	{"id":"chatcmpl-1","choices":[{...}],"usage":null}
 *	written	{"id":"chatcmpl-7f3a","choices":[{...}]}
 */
#include "proxy/dialect/retouch.h"

#include <string.h>
#include <time.h>

#include "base/num.h"
#include "proxy/dialect/json_walk.h"

#define BOM		"\xef\xbb\xbf"

/* What a look at a text shows.  Of a name that comes twice the last one counts. */
struct look {
	bool	is_object;		/* a JSON text, and that is what it is */
	bool	has_choices;		/* an array, of whatever length */
	bool	has_items;		/* and there are some in it */
	bool	has_usage;		/* an object */
};

/* A text that is being written. */
struct touch {
	const struct retouch	*how;
	const struct look	*look;
	struct buf		*out;
	const char		*done;		/* up to here it is written, or gone */
	struct bytes		 outer;		/* name of the last member of the text itself */
	size_t			 n_kept;	/* of these, that stayed */
	size_t			 usage_depth;	/* of the usage that we are in; 0: in none */
	bool			 takes_usage;
	bool			 is_taking;	/* we are in an object that is left out */
};

/* An event, or what there is of it. */
struct event {
	struct bytes	text;		/* all of it, the blank line included */
	struct bytes	data;		/* of its last line of data, within TEXT */
	size_t		n_data;		/* lines of data */
	bool		may_grow;	/* it ends in a CR, and an LF may follow */
};

/* *RET_IS_IN_CHOICES: what comes below ITEM are its items. */
static void
look_at_member(struct look *look, const struct json_item *item, bool *ret_is_in_choices)
{
	*ret_is_in_choices = false;
	if (bytes_eq_str(item->name, "choices")) {
		look->has_choices = *ret_is_in_choices = item->type == JSON_WALK_ARRAY;
		look->has_items = false;
	} else if (bytes_eq_str(item->name, "usage")) {
		look->has_usage = item->type == JSON_WALK_OBJECT;
	}
}

static void
look_at_item(struct look *look, const struct json_item *item, bool *is_in_choices)
{
	if (item->type == JSON_WALK_CLOSE)
		return;
	if (item->depth == 0)
		look->is_object = item->type == JSON_WALK_OBJECT;
	else if (item->depth == 1)
		look_at_member(look, item, is_in_choices);
	else if (item->depth == 2 && *is_in_choices)
		look->has_items = true;
}

static struct look
look_at(struct bytes text)
{
	struct look look = { 0 };
	bool is_in_choices = false;
	struct json_walk walk;
	struct json_item item;
	int r;

	json_walk_init(&walk, text);
	while ((r = json_walk_next(&walk, &item)) == 0)
		look_at_item(&look, &item, &is_in_choices);
	return r == JSON_WALK_E_END ? look : (struct look){ 0 };
}

/* Write what stands before FROM, then NEW for what stands from there to TO. */
static int
replace(struct touch *touch, const char *from, const char *to, struct bytes new)
{
	int r = buf_add(touch->out,
	    (struct bytes){ touch->done, (size_t)(from - touch->done) });

	touch->done = to;
	return r == 0 ? buf_add(touch->out, new) : r;
}

static int
leave_out(struct touch *touch, struct bytes range)
{
	return replace(touch, range.ptr, range.ptr + range.len, BYTES_NONE);
}

static int
replace_value(struct touch *touch, const struct json_item *item, struct bytes new)
{
	return replace(touch, item->raw.ptr, item->raw.ptr + item->raw.len, new);
}

/* What a change of a value is done by. */
typedef int change_fn(struct touch *touch, const struct json_item *item);

/* No escape has a '-' or '_' in it, so the prefix ends in none. */
static int
change_id(struct touch *touch, const struct json_item *item)
{
	const char *at = item->raw.ptr + 1, *end = item->raw.ptr + item->raw.len - 1;

	if (at == end)
		return 0;
	while (at < end && *at != '-' && *at != '_')
		at++;
	return replace(touch, at < end ? at + 1 : item->raw.ptr + 1, end, touch->how->id);
}

static int
change_seconds(struct touch *touch, const struct json_item *item)
{
	char digits[NUM_DIGITS_MAX], *end = digits + sizeof(digits), *start;

	for (size_t i = 0; i < item->raw.len; i++)
		if (strchr(".eE", item->raw.ptr[i]) != NULL)
			return 0;
	start = num_format_u64((uint64_t)(touch->how->now / USEC_PER_SEC), end);
	return replace_value(touch, item, (struct bytes){ start, (size_t)(end - start) });
}

/* As Ollama writes it, in microseconds where it has nanoseconds. */
static int
change_date(struct touch *touch, const struct json_item *item)
{
	time_t seconds = (time_t)(touch->how->now / USEC_PER_SEC);
	int r = replace_value(touch, item, BYTES_LIT("\""));
	char date[sizeof("-2147481748-12-31T23:59:59")] = "";
	struct tm tm = { 0 };

	if (r < 0)
		return r;
	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%FT%T", &tm);
	return buf_addf(touch->out, "%s.%06dZ\"", date, (int)(touch->how->now % USEC_PER_SEC));
}

static int
change_count(struct touch *touch, const struct json_item *item)
{
	return replace_value(touch, item, BYTES_LIT("0"));
}

/* The numbers in it are changed as they come. */
static int
enter_usage(struct touch *touch, const struct json_item *item)
{
	touch->usage_depth = item->depth;
	return 0;
}

static const struct place {
	const char		*outer;		/* member of the text in which it is, or NULL */
	const char		*name;
	enum json_walk_type	 type;
	bool			 is_usage;	/* else of id and time */
	change_fn		*change;
} places[] = {
	{ NULL, "id", JSON_WALK_STRING, false, change_id },
	{ "message", "id", JSON_WALK_STRING, false, change_id },
	{ NULL, "created", JSON_WALK_NUMBER, false, change_seconds },
	{ NULL, "created_at", JSON_WALK_NUMBER, false, change_seconds },
	{ NULL, "created_at", JSON_WALK_STRING, false, change_date },
	{ NULL, "usage", JSON_WALK_OBJECT, true, enter_usage },
	{ "message", "usage", JSON_WALK_OBJECT, true, enter_usage },
	{ NULL, "prompt_eval_count", JSON_WALK_NUMBER, true, change_count },
	{ NULL, "eval_count", JSON_WALK_NUMBER, true, change_count },
	{ "details", "generated_tokens", JSON_WALK_NUMBER, true, change_count },
};

static bool
is_at(const struct touch *touch, const struct json_item *item, const struct place *place)
{
	if (item->type != place->type || !bytes_eq_str(item->name, place->name))
		return false;
	if (place->outer == NULL)
		return item->depth == 1;
	return item->depth == 2 && bytes_eq_str(touch->outer, place->outer);
}

/* Change ITEM if it is in one of the places, and asked for. */
static int
change_item(struct touch *touch, const struct json_item *item)
{
	bool is_fresh = touch->how->id.len > 0;

	if (item->depth > 2)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (is_at(touch, item, &places[i]) &&
		    (places[i].is_usage ? touch->how->zeroes_usage : is_fresh))
			return places[i].change(touch, item);
	return 0;
}

/* Is ITEM, a member of the text itself, there only because of include_usage? */
static bool
is_added_usage(const struct touch *touch, const struct json_item *item)
{
	if (!touch->takes_usage || !bytes_eq_str(item->name, "usage"))
		return false;
	return item->type == JSON_WALK_NULL ||
	    (item->type == JSON_WALK_OBJECT && touch->look->has_items);
}

/* A member goes with the comma before it, and the first that stays has none. */
static int
begin_member(struct touch *touch, const struct json_item *item)
{
	const char *start = item->comma.len > 0 ? item->comma.ptr : item->start;
	int r = 0;

	touch->outer = item->name;
	if (is_added_usage(touch, item)) {
		touch->is_taking = item->type == JSON_WALK_OBJECT;
		return replace(touch, start, item->raw.ptr + item->raw.len, BYTES_NONE);
	}
	if (touch->n_kept++ == 0 && item->comma.len > 0)
		r = leave_out(touch, item->comma);
	return r == 0 ? change_item(touch, item) : r;
}

static int
write_item(struct touch *touch, const struct json_item *item)
{
	bool is_close = item->type == JSON_WALK_CLOSE;

	if (touch->is_taking) {
		touch->done = item->raw.ptr + item->raw.len;
		touch->is_taking = !is_close || item->depth > 1;
		return 0;
	}
	if (is_close && item->depth == touch->usage_depth)
		touch->usage_depth = 0;
	if (is_close)
		return 0;
	if (touch->usage_depth > 0)
		return item->type == JSON_WALK_NUMBER ? change_count(touch, item) : 0;
	return item->depth == 1 ? begin_member(touch, item) : change_item(touch, item);
}

/* Write TEXT, of which LOOK says what it is; TAKES_USAGE: without what was added to it. */
static int
write_text(const struct retouch *how, const struct look *look, struct bytes text,
    bool takes_usage, struct buf *out)
{
	struct touch touch = {
		.how = how, .look = look, .out = out, .done = text.ptr,
		.takes_usage = takes_usage,
	};
	struct json_walk walk;
	struct json_item item;
	int r = 0;

	if (!look->is_object)
		return buf_add(out, text);
	json_walk_init(&walk, text);
	while (r == 0 && json_walk_next(&walk, &item) == 0)
		r = write_item(&touch, &item);
	return r == 0 ? replace(&touch, text.ptr + text.len, text.ptr + text.len, BYTES_NONE) : r;
}

static int
retouch_text(const struct retouch *how, struct bytes text, struct buf *out)
{
	const struct look look = look_at(text);

	return write_text(how, &look, text, false, out);
}

/* Lines are JSON with white space at their end; the last one may have none. */
static int
retouch_lines(const struct retouch *how, struct bytes in, bool is_end, struct buf *out,
    size_t *ret_used)
{
	size_t used = 0;
	int r = 0;

	while (r == 0 && used < in.len) {
		struct bytes rest = bytes_skip(in, used);
		size_t n = bytes_find_char(rest, '\n');

		if (n == rest.len && !is_end)
			break;
		n += n < rest.len;
		r = retouch_text(how, bytes_first(rest, n), out);
		used += n;
	}
	if (r == 0)
		*ret_used = used;
	return r;
}

/* Cut a line off *REST, *RET_LINE without its end; false if that is not there. */
static bool
cut_line(struct bytes *rest, struct bytes *ret_line)
{
	struct bytes all = *rest;
	size_t n = 0;

	while (n < all.len && all.ptr[n] != '\n' && all.ptr[n] != '\r')
		n++;
	if (n == all.len)
		return false;
	*ret_line = bytes_first(all, n);
	*rest = bytes_skip(all, n + 1);
	if (all.ptr[n] == '\r' && bytes_has_prefix(*rest, "\n"))
		*rest = bytes_skip(*rest, 1);
	return true;
}

static void
note_line(struct event *event, struct bytes line)
{
	if (bytes_eq_str(line, "data") || bytes_has_prefix(line, "data:")) {
		event->data = bytes_skip(line, sizeof("data:") - 1);
		event->n_data++;
	}
}

/*
 * Cut an event off *REST.  A blank line where none has begun is one of its own: it may
 * be the LF of a CRLF whose CR has ended the event before.  False if it has not ended.
 */
static bool
cut_event(struct bytes *rest, struct event *ret_event)
{
	struct event event = { .text = *rest };
	struct bytes line, left = *rest;

	if (bytes_has_prefix(left, BOM))	/* only a stream's first event may have one */
		left = bytes_skip(left, sizeof(BOM) - 1);
	do {
		if (!cut_line(&left, &line))
			return false;
		note_line(&event, line);
	} while (line.len > 0);
	event.text.len -= left.len;
	event.may_grow = left.len == 0 && bytes_has_suffix(event.text, "\r");
	*rest = left;
	*ret_event = event;
	return true;
}

static int
write_event(const struct retouch *how, const struct look *look, const struct event *event,
    struct buf *out)
{
	const char *text = event->text.ptr, *data = event->data.ptr;
	size_t before = event->data.len > 0 ? (size_t)(data - text) : 0;
	int r = buf_add(out, bytes_first(event->text, before));

	if (r == 0)
		r = write_text(how, look, event->data, how->drops_usage, out);
	return r == 0 ? buf_add(out, bytes_skip(event->text, before + event->data.len)) : r;
}

/*
 * A CR at the end of IN ends an event at once, and what is behind it, if it is an LF,
 * passes like any blank line.  Only one that is left out has to wait for it.
 */
static int
retouch_events(const struct retouch *how, struct bytes in, bool is_end, struct buf *out,
    size_t *ret_used)
{
	struct bytes rest = in, next = in;
	struct event event;
	int r = 0;

	while (r == 0 && cut_event(&next, &event)) {
		const struct look look = event.n_data == 1 ? look_at(event.data) :
		    (struct look){ 0 };
		bool is_usage = look.has_choices && !look.has_items && look.has_usage;

		if (!how->drops_usage || !is_usage)
			r = write_event(how, &look, &event, out);
		else if (event.may_grow && !is_end)
			break;
		rest = next;
	}
	if (r == 0 && is_end) {
		r = buf_add(out, rest);
		rest = BYTES_NONE;
	}
	if (r == 0)
		*ret_used = in.len - rest.len;
	return r;
}

int
retouch(const struct retouch *how, struct bytes in, bool is_end, struct buf *out,
    size_t *ret_used)
{
	int r;

	switch (how->frame) {
	case RETOUCH_EVENTS:
		return retouch_events(how, in, is_end, out, ret_used);
	case RETOUCH_LINES:
		return retouch_lines(how, in, is_end, out, ret_used);
	default:
		r = retouch_text(how, in, out);
		if (r == 0)
			*ret_used = in.len;
		return r;
	}
}
