/* SPDX-License-Identifier: MIT */
/*
 * line.c - most of what is written stands for itself, and is copied at once.
 */
#include "base/line.h"

#include <string.h>

#include "base/num.h"
#include "base/utf8.h"

#define ESCAPE_MAX	6	/* \u0000 */
#define SEQUENCE_MAX	4

void
line_init(struct line *line)
{
	line->at = line->mem;
}

struct bytes
line_bytes(const struct line *line)
{
	return (struct bytes){ line->mem, (size_t)(line->at - line->mem) };
}

static size_t
room(const struct line *line)
{
	return (size_t)(line->mem + LINE_MEM_SIZE - line->at);
}

void
line_add(struct line *line, struct bytes b)
{
	size_t len = b.len < room(line) ? b.len : room(line);

	if (len > 0)
		memcpy(line->at, b.ptr, len);
	line->at += len;
}

void
line_add_str(struct line *line, const char *s)
{
	line_add(line, bytes_str(s));
}

void
line_add_u64(struct line *line, uint64_t value)
{
	char mem[NUM_DIGITS_MAX], *end = mem + sizeof(mem);
	const char *digits = num_format_u64(value, end);

	line_add(line, (struct bytes){ digits, (size_t)(end - digits) });
}

void
line_add_hex64(struct line *line, uint64_t value)
{
	char digits[16];

	for (size_t i = sizeof(digits); i > 0; value >>= 4)
		digits[--i] = "0123456789abcdef"[value & 15];
	line_add(line, (struct bytes){ digits, sizeof(digits) });
}

void
line_add_ms(struct line *line, usec_t time)
{
	uint64_t usec = time > 0 ? (uint64_t)time : 0, rest = usec % 1000;
	const char places[] = {
		'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
		(char)('0' + rest % 10),
	};

	line_add_u64(line, usec / 1000);
	line_add(line, (struct bytes){ places, sizeof(places) });
}

/* How many of the first bytes stand for themselves in a JSON string. */
static size_t
plain_len(struct bytes text)
{
	size_t n = 0;

	while (n < text.len && text.ptr[n] >= 0x20 && text.ptr[n] < 0x7f &&
	    text.ptr[n] != '"' && text.ptr[n] != '\\')
		n++;
	return n;
}

static size_t
put_escape(char *to, unsigned code)
{
	if (code == '"' || code == '\\') {
		to[0] = '\\';
		to[1] = (char)code;
		return 2;
	}
	to[0] = '\\';
	to[1] = 'u';
	for (size_t i = ESCAPE_MAX; i > 2; code >>= 4)
		to[--i] = "0123456789abcdef"[code & 15];
	return ESCAPE_MAX;
}

/* One that some take for the end of a line or for more than a character; 0 if it is none. */
static unsigned
control_of(struct bytes sequence)
{
	const unsigned char *p = (const unsigned char *)sequence.ptr;

	if (sequence.len == 2 && p[0] == 0xc2 && p[1] < 0xa0)
		return p[1];
	if (sequence.len == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9))
		return 0x2000 | (p[2] & 0x3f);
	return 0;
}

/* The character that TEXT begins with, which does not stand for itself; its length there. */
static size_t
put_character(char *to, struct bytes text, size_t *ret_len)
{
	struct bytes first = bytes_first(text, SEQUENCE_MAX);
	size_t n = 1;

	if ((unsigned char)text.ptr[0] < 0x80) {
		*ret_len = put_escape(to, (unsigned char)text.ptr[0]);
		return 1;
	}
	while (n < first.len && ((unsigned char)first.ptr[n] & 0xc0) == 0x80)
		n++;
	n = utf8_copy(to, first.ptr, first.ptr + n);
	*ret_len = n;
	if (n > 0 && control_of(bytes_first(text, n)) != 0)
		*ret_len = put_escape(to, control_of(bytes_first(text, n)));
	if (n > 0)
		return n;
	memcpy(to, "\xef\xbf\xbd", 3);
	*ret_len = 3;
	return 1;
}

void
line_add_json(struct line *line, struct bytes text, size_t max)
{
	size_t most = max < room(line) ? max : room(line);
	char *end = line->at + most - 1, *to = line->at;

	if (most < 2)
		return;
	*to++ = '"';
	while (text.len > 0) {
		struct bytes plain = bytes_first(text, plain_len(bytes_first(text,
		    (size_t)(end - to))));
		size_t len = plain.len, used = plain.len;
		char character[ESCAPE_MAX];

		if (plain.len > 0) {
			memcpy(to, plain.ptr, len);
		} else {
			used = put_character(character, text, &len);
			if (len > (size_t)(end - to))
				break;
			memcpy(to, character, len);
		}
		to += len;
		text = bytes_skip(text, used);
	}
	*to++ = '"';
	line->at = to;
}

static bool
is_word(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= 0x20 || text.ptr[i] >= 0x7f || text.ptr[i] == '"')
			return false;
	return text.len > 0;
}

void
line_add_word(struct line *line, struct bytes text, size_t max)
{
	if (is_word(text))
		line_add(line, bytes_first(text, max));
	else
		line_add_json(line, text, max);
}
