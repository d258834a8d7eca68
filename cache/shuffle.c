/* SPDX-License-Identifier: MIT */
/*
 * shuffle.c - members sorted by keys, and text copied back to front.
 *
 * Back to front because the list of objects is in the order in which they end:
 * the last one in a range is the outermost at its right, and those inside it
 * come right before it.
 *
 *	text		{"b":[{"d":1,"c":2}],"a":3}
 *	objects		     0^	1^ is the whole
 *	copy		{"a":3,"b":[{"c":2,"d":1}]}
 */
#include "cache/shuffle.h"

#include <errno.h>
#include <string.h>

#define KEY_LEN		7	/* bytes of a name in a key */
#define KEY_MORE	8	/* in the place of their number: the name goes on */
#define FEW		32	/* sorted by insertion */

struct object {
	struct range	 range;
	struct range	*members;	/* in order, those left out gone */
	uint32_t	 n;
};

uint64_t
member_key(struct bytes name, size_t at, const char *end)
{
	const bool is_little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	const char *p = name.ptr + at;
	size_t len = name.len - at;
	uint64_t word = 0;

	if (end - p >= (ptrdiff_t)sizeof(word))
		memcpy(&word, p, sizeof(word));
	else
		memcpy(&word, p, len);
	if (is_little)
		word = __builtin_bswap64(word);
	if (len > KEY_LEN)
		return (word & ~UINT64_C(0xff)) | KEY_MORE;
	return (word & ~(UINT64_MAX >> 8 * len)) | len;
}

int
member_cmp(const struct member *a, const struct member *b)
{
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if ((a->key & 0xff) != KEY_MORE)
		return 0;
	return bytes_cmp((struct bytes){ a->name, a->name_len },
	    (struct bytes){ b->name, b->name_len });
}

/* A member that is being sorted. */
struct card {
	uint64_t	key;
	uint32_t	at;		/* where in the name that key begins */
	uint32_t	n;		/* of the members */
};

static void
sort_few(struct card *cards, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct card card = cards[i];
		size_t to = i;

		for (; to > 0 && cards[to - 1].key > card.key; to--)
			cards[to] = cards[to - 1];
		cards[to] = card;
	}
}

/* Move FROM to TO in the order of the byte at SHIFT; false if it is the same in all. */
static bool
sort_by_byte(const struct card *from, size_t n, int shift, struct card *to)
{
	size_t ends[256] = { 0 }, end = 0;

	for (size_t i = 0; i < n; i++)
		ends[from[i].key >> shift & 0xff]++;
	if (ends[from[0].key >> shift & 0xff] == n)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		ends[i] = end += ends[i];
	for (size_t i = n; i-- > 0;)
		to[--ends[from[i].key >> shift & 0xff]] = from[i];
	return true;
}

/* Sort N cards by their keys alone; SPARE has room for as many. */
static void
sort_cards(struct card *cards, size_t n, struct card *spare)
{
	struct card *from = cards, *to = spare;

	if (n <= FEW) {
		sort_few(cards, n);
		return;
	}
	for (int shift = 0; shift < 64; shift += 8) {
		if (sort_by_byte(from, n, shift, to)) {
			struct card *other = from;

			from = to;
			to = other;
		}
	}
	if (from != cards)
		memcpy(cards, from, n * sizeof(*cards));
}

/* Go on to the next keys of N cards, which have equal ones and names that are longer. */
static void
go_deeper(const struct member *members, struct card *cards, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct member *member = &members[cards[i].n];
		struct bytes name = { member->name, member->name_len };

		cards[i].at += KEY_LEN;
		cards[i].key = member_key(name, cards[i].at, name.ptr + name.len);
	}
}

/*
 * Sort N cards by whole names.  Those of one key are sorted again by the next
 * one, so that a byte of a name is looked at once; where that begins keeps them
 * apart from their neighbours, which have yet to go as deep.
 */
static int
sort_names(const struct member *members, struct card *cards, size_t n, struct card *spare)
{
	size_t i = 0, end;

	sort_cards(cards, n, spare);
	while (i < n) {
		for (end = i + 1; end < n && cards[end].key == cards[i].key &&
		    cards[end].at == cards[i].at;)
			end++;
		if (end == i + 1) {
			i = end;
			continue;
		}
		if ((cards[i].key & 0xff) != KEY_MORE)
			return SHUFFLE_E_TWICE;
		go_deeper(members, cards + i, end - i);
		sort_cards(cards + i, end - i, spare);
	}
	return 0;
}

/* Add an object without members, which has room for N. */
static struct object *
add_object(struct shuffle *shuffle, const struct range *range, size_t n)
{
	struct range *members = arena_alloc(shuffle->arena, n * sizeof(*members));
	struct object *object;

	if (members == NULL)
		return NULL;
	object = list_add(&shuffle->objects, sizeof(*object), shuffle->arena);
	if (object == NULL)
		return NULL;
	*object = (struct object){ .range = *range, .members = members };
	return object;
}

/* Add the member in RANGE to OBJECT, unless it was left out. */
static void
add_range(struct object *object, const struct range *range)
{
	if (range->end > range->start)
		object->members[object->n++] = *range;
}

static int
add_few(const struct member *members, size_t n, struct object *object)
{
	const struct member *order[FEW];

	for (size_t i = 0; i < n; i++) {
		const struct member *member = &members[i];
		size_t to = i;
		int r = -1;

		while (to > 0 && (r = member_cmp(order[to - 1], member)) > 0) {
			order[to] = order[to - 1];
			to--;
		}
		if (r == 0)
			return SHUFFLE_E_TWICE;
		order[to] = member;
	}
	for (size_t i = 0; i < n; i++)
		add_range(object, &order[i]->range);
	return 0;
}

static int
add_many(const struct member *members, size_t n, struct object *object, struct arena *arena)
{
	struct card *cards = arena_alloc(arena, 2 * n * sizeof(*cards));
	int r;

	if (cards == NULL)
		return -E2BIG;
	for (size_t i = 0; i < n; i++)
		cards[i] = (struct card){ members[i].key, 0, (uint32_t)i };
	r = sort_names(members, cards, n, cards + n);
	for (size_t i = 0; i < n && r == 0; i++)
		add_range(object, &members[cards[i].n].range);
	return r;
}

int
shuffle_add(struct shuffle *shuffle, const struct range *range, const struct member *members,
    size_t n)
{
	struct object *object = add_object(shuffle, range, n);

	if (object == NULL)
		return -E2BIG;
	return n <= FEW ? add_few(members, n, object) :
	    add_many(members, n, object, shuffle->arena);
}

/* A range being copied, and the object in it that is under way. */
struct todo {
	struct range		 range;
	const struct object	*object;	/* NULL: between two */
	uint32_t		 n_left;	/* of its members */
};

/* The text and its copy, of which what is behind TO is written. */
struct copy {
	const char	*text;
	char		*to;
};

static void
copy_before(struct copy *copy, uint32_t start, uint32_t end)
{
	copy->to -= end - start;
	memcpy(copy->to, copy->text + start, end - start);
}

/* Take the step that TODO is at; false when it is done. */
static bool
copy_step(struct copy *copy, const struct shuffle *shuffle, struct todo *todo)
{
	struct range *range = &todo->range;

	if (todo->object != NULL) {
		*--copy->to = '{';
		range->end = todo->object->range.start;
		range->past = todo->object->range.first;
		todo->object = NULL;
	}
	if (range->past == range->first) {
		copy_before(copy, range->start, range->end);
		return false;
	}
	todo->object = (const struct object *)shuffle->objects.mem + range->past - 1;
	todo->n_left = todo->object->n;
	copy_before(copy, todo->object->range.end, range->end);
	*--copy->to = '}';
	return true;
}

/* Copy the next member of the object of TODO, or put it on STACK if it is not plain. */
static int
copy_member(struct copy *copy, struct todo *todo, struct list *stack, struct arena *arena)
{
	const struct range *member = &todo->object->members[--todo->n_left];

	if (todo->n_left + 1 < todo->object->n)
		*--copy->to = ',';
	if (member->first == member->past) {
		copy_before(copy, member->start, member->end);
		return 0;
	}
	todo = list_add(stack, sizeof(*todo), arena);
	if (todo == NULL)
		return -E2BIG;
	*todo = (struct todo){ .range = *member };
	return 0;
}

int
shuffle_text(const struct shuffle *shuffle, struct bytes text, struct bytes *ret_text)
{
	char *to = arena_alloc(shuffle->arena, text.len);
	struct copy copy = { .text = text.ptr };
	struct list stack = { 0 };
	struct todo *todo = list_add(&stack, sizeof(*todo), shuffle->arena);
	int r = 0;

	if (to == NULL || todo == NULL)
		return -E2BIG;
	copy.to = to + text.len;
	*todo = (struct todo){
		.range = { 0, (uint32_t)text.len, 0, (uint32_t)shuffle->objects.n },
	};
	while (r == 0 && stack.n > 0) {
		todo = (struct todo *)stack.mem + stack.n - 1;
		if (todo->object != NULL && todo->n_left > 0)
			r = copy_member(&copy, todo, &stack, shuffle->arena);
		else if (!copy_step(&copy, shuffle, todo))
			stack.n--;
	}
	if (r != 0)
		return r;
	assert(copy.to == to);
	*ret_text = (struct bytes){ to, text.len };
	return 0;
}
