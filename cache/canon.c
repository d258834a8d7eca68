/* SPDX-License-Identifier: MIT */
/*
 * canon.c - one scan that checks, respells and filters.
 *
 * Values are written in their canonical spelling as they are read, members in
 * the order of the body.  An object whose names do not come sorted is put on a
 * list when it ends; if there are any, the text is copied once more with their
 * members in order (shuffle.h).  So a byte moves twice at most.
 *
 *	body		{"b": [{"d": 1, "c": 2}], "a": 3}
 *	written		{"b":[{"d":1,"c":2}],"a":3}
 *	text		{"a":3,"b":[{"c":2,"d":1}]}
 *
 * A member that is left out is written too, then cut off when it ends: what
 * is in it has to be JSON all the same.
 */
#include "cache/canon.h"

#include <errno.h>
#include <string.h>

#include "base/list.h"
#include "cache/place.h"
#include "cache/shuffle.h"
#include "cache/spell.h"

/* An array or object not yet ended. */
struct frame {
	struct place	 place;
	const char	*raw;			/* where it starts in the body */
	uint32_t	 start;			/* where it starts as written */
	uint32_t	 first_shuffled;
	size_t		 first_member;
	size_t		 n;			/* members or elements so far */
	size_t		 n_kept;		/* of these, ended and not left out */
	bool		 is_object;
	bool		 is_sorted;
	bool		 is_neutral;		/* the member now read */
};

struct scan {
	struct arena		*arena;
	struct spell		 spell;		/* the body, and what is written */
	struct place_stack	 places;
	struct shuffle		 shuffle;
	struct list		 frames;	/* of struct frame */
	struct list		 members;	/* of struct member, of all frames */
	struct place		 place;		/* of the value now read */
	struct canon_value	 watched[CANON_WATCHED_MAX];
};

static const struct place nowhere;

/* Of a value, by its first byte. */
static const enum canon_type types[256] = {
	['n'] = CANON_NULL,
	['f'] = CANON_FALSE,
	['t'] = CANON_TRUE,
	['-'] = CANON_NUMBER,
	['0' ... '9'] = CANON_NUMBER,
	['"'] = CANON_STRING,
	['['] = CANON_ARRAY,
	['{'] = CANON_OBJECT,
};

static const struct bytes words[] = {
	[CANON_NULL] = { "null", 4 }, [CANON_FALSE] = { "false", 5 }, [CANON_TRUE] = { "true", 4 },
};

static struct frame *
top_frame(const struct scan *s)
{
	return (struct frame *)s->frames.mem + s->frames.n - 1;
}

static struct member *
member_at(const struct scan *s, size_t n)
{
	return (struct member *)s->members.mem + n;
}

/* Report the value RAW to the rules in WHO; of several values the first counts. */
static int
report(struct scan *s, uint32_t who, enum canon_type type, struct bytes raw)
{
	for (; who != 0; who &= who - 1) {
		struct canon_value *value = &s->watched[__builtin_ctz(who)];
		struct bytes text = raw;
		int r = 0;

		if (value->type != CANON_ABSENT)
			continue;
		if (type == CANON_STRING)
			r = spell_unescape((struct bytes){ raw.ptr + 1, raw.len - 2 }, true,
			    s->arena, &text);
		if (r < 0)
			return r;
		*value = (struct canon_value){ type, raw, text };
	}
	return 0;
}

static int
open_container(struct scan *s)
{
	struct frame *frame;

	if (s->frames.n == CANON_DEPTH_MAX)
		return CANON_E_TOO_DEEP;
	frame = list_add(&s->frames, sizeof(*frame), s->arena);
	if (frame == NULL)
		return -E2BIG;
	*frame = (struct frame){
		.place = s->place,
		.raw = s->spell.at,
		.start = spell_written(&s->spell),
		.first_shuffled = (uint32_t)s->shuffle.objects.n,
		.first_member = s->members.n,
		.is_object = *s->spell.at == '{',
		.is_sorted = true,
	};
	spell_past(&s->spell, *s->spell.at);
	return 0;
}

static int
scan_scalar(struct scan *s, enum canon_type type)
{
	switch (type) {
	case CANON_STRING:
		return spell_string(&s->spell);
	case CANON_NUMBER:
		return spell_number(&s->spell, s->place.is_real);
	case CANON_ABSENT:
		return SPELL_E_BAD;
	default:
		return spell_word(&s->spell, words[type]);
	}
}

/* Read the value that starts with C, of an array or object its opening alone. */
static int
scan_value(struct scan *s, char c)
{
	const char *start = s->spell.at;
	enum canon_type type = types[(unsigned char)c];
	int r;

	if (type == CANON_ARRAY || type == CANON_OBJECT)
		return open_container(s);
	r = scan_scalar(s, type);
	if (r != 0)
		return r > 0 ? CANON_E_NOT_JSON : r;
	place_leave(&s->places, &s->place);
	if (s->place.watched == 0)
		return 0;
	return report(s, s->place.watched, type,
	    (struct bytes){ start, (size_t)(s->spell.at - start) });
}

/* Put the object of FRAME, just written to its end, on the list of the shuffled. */
static int
add_shuffled(struct scan *s, const struct frame *frame)
{
	const struct range range = {
		.start = frame->start,
		.end = spell_written(&s->spell),
		.first = frame->first_shuffled,
	};
	int r = shuffle_add(&s->shuffle, &range, member_at(s, frame->first_member), frame->n);

	return r > 0 ? CANON_E_NOT_JSON : r;
}

static int
close_container(struct scan *s, const struct frame *frame)
{
	const char *end = s->spell.at + 1;
	int r = 0;

	spell_past(&s->spell, frame->is_object ? '}' : ']');
	if (!frame->is_sorted)
		r = add_shuffled(s, frame);
	if (r != 0)
		return r;
	s->members.n = frame->first_member;
	s->frames.n--;
	place_leave(&s->places, &frame->place);
	return report(s, frame->place.watched, frame->is_object ? CANON_OBJECT : CANON_ARRAY,
	    (struct bytes){ frame->raw, (size_t)(end - frame->raw) });
}

/* The value of the last member of FRAME has been read. */
static void
end_member(struct scan *s, struct frame *frame)
{
	struct range *range = &member_at(s, s->members.n - 1)->range;

	if (frame->is_neutral) {
		s->spell.to = s->spell.out + range->start - (frame->n_kept > 0);
		s->shuffle.objects.n = range->first;
		range->end = range->start;
		return;
	}
	range->end = spell_written(&s->spell);
	range->past = (uint32_t)s->shuffle.objects.n;
	frame->n_kept++;
}

/* The name of the member that was read from START on. */
static int
take_name(struct scan *s, const char *start, struct member *member)
{
	struct bytes name = { start + 1, (size_t)(s->spell.at - start) - 2 };
	const char *end = s->spell.end;

	if (!s->spell.is_plain) {
		int r = spell_unescape(name, false, s->arena, &name);

		if (r != 0)
			return r;
		end = name.ptr + name.len;
	}
	member->name = name.ptr;
	member->name_len = (uint32_t)name.len;
	member->key = member_key(name, 0, end);
	return 0;
}

/* Remember a member of FRAME that starts here, and read its name. */
static int
scan_name(struct scan *s, struct frame *frame)
{
	struct member *member = list_add(&s->members, sizeof(*member), s->arena);
	const char *start = s->spell.at;
	int r;

	if (member == NULL)
		return -E2BIG;
	member->range = (struct range){
		.start = spell_written(&s->spell), .first = (uint32_t)s->shuffle.objects.n,
	};
	r = spell_string(&s->spell);
	if (r != 0)
		return CANON_E_NOT_JSON;
	r = take_name(s, start, member);
	if (r != 0)
		return r;
	if (frame->n > 0 && frame->is_sorted)
		frame->is_sorted = member_is_before(member - 1, member);
	s->place = nowhere;
	if (frame->place.first < frame->place.past)
		r = place_member(&s->places, &frame->place,
		    (struct bytes){ member->name, member->name_len }, &s->place);
	return r;
}

static int
scan_member(struct scan *s, struct frame *frame, char c)
{
	int r;

	if (c != '"')
		return CANON_E_NOT_JSON;
	r = scan_name(s, frame);
	if (r != 0)
		return r;
	frame->is_neutral = s->place.is_neutral;
	frame->n++;
	if (spell_next(&s->spell) != ':')
		return CANON_E_NOT_JSON;
	return scan_value(s, spell_past(&s->spell, ':'));
}

/* Read an element of FRAME, of numbers that no rule speaks of as many as come. */
static int
scan_elements(struct scan *s, struct frame *frame, char c)
{
	int r;

	s->place = nowhere;
	if (frame->place.first < frame->place.past) {
		r = place_element(&s->places, &frame->place, frame->n, &s->place);
		if (r != 0)
			return r;
	} else if (types[(unsigned char)c] == CANON_NUMBER) {
		r = spell_numbers(&s->spell, &frame->n);
		return r > 0 ? CANON_E_NOT_JSON : r;
	}
	frame->n++;
	return scan_value(s, c);
}

/* Read what comes next in the innermost array or object: an item or its end. */
static int
scan_next(struct scan *s)
{
	struct frame *frame = top_frame(s);
	char c;

	if (frame->is_object && frame->n > 0)
		end_member(s, frame);
	c = spell_next(&s->spell);
	if (c == (frame->is_object ? '}' : ']'))
		return close_container(s, frame);
	if (frame->n > 0) {
		if (c != ',')
			return CANON_E_NOT_JSON;
		c = spell_past(&s->spell, ',');
		s->spell.to -= frame->is_object && frame->n_kept == 0;
	}
	return frame->is_object ? scan_member(s, frame, c) : scan_elements(s, frame, c);
}

/* Read the whole body; *RET_TYPE is the type of its value. */
static int
scan_body(struct scan *s, const struct canon_rules *rules, enum canon_type *ret_type)
{
	int r = place_root(&s->places, rules, &s->place);
	char first = spell_next(&s->spell);

	if (r == 0)
		r = scan_value(s, first);
	while (r == 0 && s->frames.n > 0)
		r = scan_next(s);
	if (r != 0)
		return r;
	spell_next(&s->spell);
	if (s->spell.at < s->spell.end)
		return CANON_E_NOT_JSON;
	*ret_type = types[(unsigned char)first];
	return 0;
}

int
canon_make(struct bytes body, const struct canon_rules *rules, struct arena *arena,
    struct canon *ret_canon)
{
	struct scan s = { .arena = arena, .places.arena = arena, .shuffle.arena = arena };
	struct bytes text;
	enum canon_type type;
	int r;

	if (body.len == 0)
		return CANON_E_NOT_JSON;
	r = spell_init(&s.spell, body, arena);
	if (r == 0)
		r = scan_body(&s, rules, &type);
	if (r != 0)
		return r;
	text = (struct bytes){ s.spell.out, spell_written(&s.spell) };
	if (s.shuffle.objects.n > 0)
		r = shuffle_text(&s.shuffle, text, &text);
	if (r != 0)
		return r;
	ret_canon->text = text;
	ret_canon->type = type;
	memcpy(ret_canon->watched, s.watched, sizeof(s.watched));
	return 0;
}
