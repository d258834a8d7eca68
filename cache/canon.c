/* SPDX-License-Identifier: MIT */
/*
 * canon.c - one scan that checks, respells and filters.
 *
 * Values are written in their canonical spelling as they are read, members in
 * the order of the body.  An object whose names do not come sorted is put on a
 * list when it ends; if there are any, the text is copied once more, back to
 * front, with their members in order.  So a byte moves twice at most, however
 * deep it stands.  Back to front because that list is in the order in which
 * objects end: the last one in a range is the outermost at its right, and those
 * inside it come right before it.
 *
 *	body		{"b": [{"d": 1, "c": 2}], "a": 3}
 *	written		{"b":[{"d":1,"c":2}],"a":3}
 *	shuffled	     0^	1^ is the whole
 *	text		{"a":3,"b":[{"c":2,"d":1}]}
 *
 * A member that is left out is written too, then cut off when it ends: what
 * is in it has to be JSON all the same.
 */
#include "cache/canon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "cache/spell.h"

#define RULES_MAX	64	/* in a list: one bit each */

enum { NEUTRAL, REAL, WATCHED, N_RULES };

/* Bytes as written, and which of the shuffled objects stand in them. */
struct range {
	uint32_t	start, end;
	uint32_t	first, past;
};

struct member {
	struct bytes	name;	/* unescaped, a lone surrogate as three bytes */
	struct range	range;	/* empty: left out */
};

struct shuffled {
	struct range	 range;
	struct member	*members;	/* sorted */
	uint32_t	 n;
};

/* What the rules say of a value, one bit a rule. */
struct place {
	uint64_t	under[N_RULES];		/* they name something inside it */
	uint64_t	here[N_RULES];		/* they name it */
};

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
	struct arena		 *arena;
	struct spell		  spell;	/* the body, and what is written */
	const char *const	 *rules[N_RULES];
	struct list		  frames;	/* of struct frame */
	struct list		  members;	/* of struct member, of all frames */
	struct list		  shuffled;	/* of struct shuffled */
	struct canon_value	  watched[CANON_WATCHED_MAX];
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

/* The rest of RULE from its step N, which it has. */
static const char *
nth_step(const char *rule, size_t n)
{
	for (rule++; n > 0; rule++)
		if (*rule == '/')
			n--;
	return rule;
}

/* What follows the first step of STEPS when that is NAME, else NULL. */
static const char *
match_step(const char *steps, struct bytes name)
{
	size_t at = 0;

	if (steps[0] == '*' && (steps[1] == '/' || steps[1] == '\0'))
		return steps + 1;
	for (; *steps != '/' && *steps != '\0'; steps++) {
		char c = *steps;

		if (c == '~' && (steps[1] == '0' || steps[1] == '1'))
			c = *++steps == '0' ? '~' : '/';
		if (at == name.len || name.ptr[at] != c)
			return NULL;
		at++;
	}
	return at == name.len ? steps : NULL;
}

/* The place of NAME in the innermost array or object. */
static struct place
find_place(const struct scan *s, struct bytes name)
{
	const struct place *parent = &top_frame(s)->place;
	struct place place = { 0 };

	for (size_t i = 0; i < N_RULES; i++) {
		for (uint64_t left = parent->under[i]; left != 0; left &= left - 1) {
			const char *rule = s->rules[i][__builtin_ctzll(left)];
			const char *rest = match_step(nth_step(rule, s->frames.n - 1), name);

			if (rest != NULL && *rest == '\0')
				place.here[i] |= left & -left;
			else if (rest != NULL)
				place.under[i] |= left & -left;
		}
	}
	return place;
}

static struct place
find_element_place(const struct scan *s, size_t index)
{
	const struct place *parent = &top_frame(s)->place;
	char text[24];

	if ((parent->under[NEUTRAL] | parent->under[REAL] | parent->under[WATCHED]) == 0)
		return (struct place){ 0 };
	snprintf(text, sizeof(text), "%zu", index);
	return find_place(s, bytes_str(text));
}

/* The place of the whole text. */
static struct place
find_root(const struct scan *s)
{
	struct place place = { 0 };

	for (size_t i = 0; i < N_RULES; i++) {
		for (size_t n = 0; s->rules[i] != NULL && s->rules[i][n] != NULL; n++) {
			assert(n < (i == WATCHED ? CANON_WATCHED_MAX : RULES_MAX));
			if (s->rules[i][n][0] == '\0')
				place.here[i] |= UINT64_C(1) << n;
			else if (s->rules[i][n][0] == '/')
				place.under[i] |= UINT64_C(1) << n;
		}
	}
	return place;
}

/* Report the value RAW to the rules in WHO; of several values the first counts. */
static int
report(struct scan *s, uint64_t who, enum canon_type type, struct bytes raw)
{
	for (; who != 0; who &= who - 1) {
		struct canon_value *value = &s->watched[__builtin_ctzll(who)];
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
open_container(struct scan *s, const struct place *place)
{
	struct frame *frame;

	if (s->frames.n == CANON_DEPTH_MAX)
		return CANON_E_TOO_DEEP;
	frame = list_add(&s->frames, sizeof(*frame), s->arena);
	if (frame == NULL)
		return -E2BIG;
	*frame = (struct frame){
		.place = *place,
		.raw = s->spell.at,
		.start = (uint32_t)s->spell.out_len,
		.first_shuffled = (uint32_t)s->shuffled.n,
		.first_member = s->members.n,
		.is_object = *s->spell.at == '{',
		.is_sorted = true,
	};
	return spell_put(&s->spell, *s->spell.at++);
}

static enum canon_type
type_at(const char *p, const char *end)
{
	switch (p < end ? *p : '\0') {
	case '{':
		return CANON_OBJECT;
	case '[':
		return CANON_ARRAY;
	case '"':
		return CANON_STRING;
	case 't':
		return CANON_TRUE;
	case 'f':
		return CANON_FALSE;
	case 'n':
		return CANON_NULL;
	case '-': case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9':
		return CANON_NUMBER;
	default:
		return CANON_ABSENT;
	}
}

static int
scan_scalar(struct scan *s, enum canon_type type, bool is_real)
{
	struct bytes raw;
	int r = SPELL_E_BAD;

	if (type == CANON_STRING)
		r = spell_string(&s->spell, &raw);
	else if (type == CANON_NUMBER)
		r = spell_number(&s->spell, is_real);
	else if (type != CANON_ABSENT)
		r = spell_word(&s->spell, type == CANON_NULL ? "null" :
		    type == CANON_TRUE ? "true" : "false");
	return r > 0 ? CANON_E_NOT_JSON : r;
}

/* Read a value, of an array or object its opening alone. */
static int
scan_value(struct scan *s, const struct place *place)
{
	const char *start = s->spell.at;
	enum canon_type type = type_at(start, s->spell.end);
	int r;

	if (type == CANON_ARRAY || type == CANON_OBJECT)
		return open_container(s, place);
	r = scan_scalar(s, type, place->here[REAL] != 0);
	if (r != 0)
		return r;
	return report(s, place->here[WATCHED], type,
	    (struct bytes){ start, (size_t)(s->spell.at - start) });
}

static int
compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return bytes_cmp(x->name, y->name);
}

/* Put the object of FRAME, just written to its end, on the list of the shuffled. */
static int
add_shuffled(struct scan *s, const struct frame *frame)
{
	struct member *members = member_at(s, frame->first_member);
	struct shuffled *object;
	uint32_t n = 0;

	qsort(members, frame->n, sizeof(*members), compare_members);
	for (size_t i = 1; i < frame->n; i++)
		if (bytes_eq(members[i - 1].name, members[i].name))
			return CANON_E_NOT_JSON;
	object = list_add(&s->shuffled, sizeof(*object), s->arena);
	if (object == NULL)
		return -E2BIG;
	object->members = arena_alloc(s->arena, frame->n_kept * sizeof(*members));
	if (object->members == NULL)
		return -E2BIG;
	for (size_t i = 0; i < frame->n; i++)
		if (members[i].range.end > members[i].range.start)
			object->members[n++] = members[i];
	object->n = n;
	object->range = (struct range){
		.start = frame->start,
		.end = (uint32_t)s->spell.out_len,
		.first = frame->first_shuffled,
	};
	return 0;
}

static int
close_container(struct scan *s, const struct frame *frame)
{
	struct bytes raw = { frame->raw, (size_t)(++s->spell.at - frame->raw) };
	int r = spell_put(&s->spell, frame->is_object ? '}' : ']');

	if (r == 0 && !frame->is_sorted)
		r = add_shuffled(s, frame);
	if (r != 0)
		return r;
	s->members.n = frame->first_member;
	s->frames.n--;
	return report(s, frame->place.here[WATCHED],
	    frame->is_object ? CANON_OBJECT : CANON_ARRAY, raw);
}

/* The value of the last member of FRAME has been read. */
static void
end_member(struct scan *s, struct frame *frame)
{
	struct range *range = &member_at(s, s->members.n - 1)->range;

	if (frame->is_neutral) {
		s->spell.out_len = range->start - (frame->n_kept > 0);
		s->shuffled.n = range->first;
		range->end = range->start;
		return;
	}
	range->end = (uint32_t)s->spell.out_len;
	range->past = (uint32_t)s->shuffled.n;
	frame->n_kept++;
}

/* Remember a member of FRAME that starts here, and read its name. */
static int
scan_name(struct scan *s, struct frame *frame, struct bytes *ret_name)
{
	struct member *member = list_add(&s->members, sizeof(*member), s->arena);
	int r;

	if (member == NULL)
		return -E2BIG;
	*member = (struct member){
		.range = { .start = (uint32_t)s->spell.out_len, .first = (uint32_t)s->shuffled.n },
	};
	r = spell_string(&s->spell, &member->name);
	if (r == 0 && bytes_find_char(member->name, '\\') < member->name.len)
		r = spell_unescape(member->name, false, s->arena, &member->name);
	if (r != 0)
		return r > 0 ? CANON_E_NOT_JSON : r;
	if (frame->n > 0 && frame->is_sorted)
		frame->is_sorted = bytes_cmp(member[-1].name, member->name) < 0;
	*ret_name = member->name;
	return 0;
}

static int
scan_member(struct scan *s, struct frame *frame)
{
	struct bytes name;
	struct place place;
	int r = frame->n_kept > 0 ? spell_put(&s->spell, ',') : 0;

	if (r == 0)
		r = scan_name(s, frame, &name);
	if (r != 0)
		return r;
	place = find_place(s, name);
	frame->is_neutral = place.here[NEUTRAL] != 0;
	frame->n++;
	spell_skip_space(&s->spell);
	if (!spell_take(&s->spell, ':'))
		return CANON_E_NOT_JSON;
	r = spell_put(&s->spell, ':');
	if (r != 0)
		return r;
	spell_skip_space(&s->spell);
	return scan_value(s, &place);
}

static int
scan_element(struct scan *s, struct frame *frame)
{
	struct place place = find_element_place(s, frame->n);
	int r = frame->n > 0 ? spell_put(&s->spell, ',') : 0;

	if (r != 0)
		return r;
	frame->n++;
	return scan_value(s, &place);
}

/* Read what comes next in the innermost array or object: an item or its end. */
static int
scan_next(struct scan *s)
{
	struct frame *frame = top_frame(s);

	if (frame->is_object && frame->n > 0)
		end_member(s, frame);
	spell_skip_space(&s->spell);
	if (s->spell.at < s->spell.end && *s->spell.at == (frame->is_object ? '}' : ']'))
		return close_container(s, frame);
	if (frame->n > 0) {
		if (!spell_take(&s->spell, ','))
			return CANON_E_NOT_JSON;
		spell_skip_space(&s->spell);
	}
	return frame->is_object ? scan_member(s, frame) : scan_element(s, frame);
}

/* Read the whole body; *RET_TYPE is the type of its value. */
static int
scan_body(struct scan *s, enum canon_type *ret_type)
{
	struct place root = find_root(s);
	enum canon_type type;
	int r;

	spell_skip_space(&s->spell);
	type = type_at(s->spell.at, s->spell.end);
	r = scan_value(s, &root);
	while (r == 0 && s->frames.n > 0)
		r = scan_next(s);
	if (r != 0)
		return r;
	spell_skip_space(&s->spell);
	if (s->spell.at < s->spell.end)
		return CANON_E_NOT_JSON;
	*ret_type = type;
	return 0;
}

/* A range being copied, and the shuffled object in it that is under way. */
struct todo {
	struct range		 range;
	const struct shuffled	*object;	/* NULL: between two */
	uint32_t		 n_left;	/* of its members */
};

static char *
copy_before(char *to, const struct scan *s, uint32_t start, uint32_t end)
{
	to -= end - start;
	memcpy(to, s->spell.out + start, end - start);
	return to;
}

/* Take the step that TODO is at, writing before TO; false when it is done. */
static bool
copy_step(const struct scan *s, struct todo *todo, char **to)
{
	struct range *range = &todo->range;

	if (todo->object != NULL) {
		*--*to = '{';
		range->end = todo->object->range.start;
		range->past = todo->object->range.first;
		todo->object = NULL;
	}
	if (range->past == range->first) {
		*to = copy_before(*to, s, range->start, range->end);
		return false;
	}
	todo->object = (const struct shuffled *)s->shuffled.mem + range->past - 1;
	todo->n_left = todo->object->n;
	*to = copy_before(*to, s, todo->object->range.end, range->end);
	*--*to = '}';
	return true;
}

/* Copy what was written with every member in its place. */
static int
sort_text(const struct scan *s, struct bytes *ret_text)
{
	struct range whole = { 0, (uint32_t)s->spell.out_len, 0, (uint32_t)s->shuffled.n };
	char *text = arena_alloc(s->arena, s->spell.out_len), *to;
	struct list stack = { 0 };
	struct todo *todo = list_add(&stack, sizeof(*todo), s->arena);

	if (text == NULL || todo == NULL)
		return -E2BIG;
	to = text + s->spell.out_len;
	*todo = (struct todo){ .range = whole };
	while (stack.n > 0) {
		todo = (struct todo *)stack.mem + stack.n - 1;
		if (todo->object == NULL || todo->n_left == 0) {
			if (!copy_step(s, todo, &to))
				stack.n--;
			continue;
		}
		if (todo->n_left < todo->object->n)
			*--to = ',';
		whole = todo->object->members[--todo->n_left].range;
		todo = list_add(&stack, sizeof(*todo), s->arena);
		if (todo == NULL)
			return -E2BIG;
		*todo = (struct todo){ .range = whole };
	}
	assert(to == text);
	*ret_text = (struct bytes){ text, s->spell.out_len };
	return 0;
}

int
canon_make(struct bytes body, const struct canon_rules *rules, struct arena *arena,
    struct canon *ret_canon)
{
	struct scan s = { .arena = arena };
	struct bytes text;
	enum canon_type type;
	int r;

	if (body.len == 0)
		return CANON_E_NOT_JSON;
	if (rules != NULL) {
		s.rules[NEUTRAL] = rules->neutral;
		s.rules[REAL] = rules->real;
		s.rules[WATCHED] = rules->watched;
	}
	r = spell_init(&s.spell, body, arena);
	if (r == 0)
		r = scan_body(&s, &type);
	if (r != 0)
		return r;
	text = (struct bytes){ s.spell.out, s.spell.out_len };
	if (s.shuffled.n > 0)
		r = sort_text(&s, &text);
	if (r != 0)
		return r;
	ret_canon->text = text;
	ret_canon->type = type;
	memcpy(ret_canon->watched, s.watched, sizeof(s.watched));
	return 0;
}
