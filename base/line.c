/* SPDX-License-Identifier: MIT */
/*
 * line.c - most of what is written stands for itself, and is copied at once.
 */
#include "base/line.h"

#include <string.h>

#include "base/json_text.h"
#include "base/num.h"

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

void
line_add_json(struct line *line, struct bytes text, size_t max)
{
	size_t most = max < room(line) ? max : room(line);
	char *end = line->at + most - 1, *to = line->at;

	if (most < 2)
		return;
	*to++ = '"';
	while (text.len > 0) {
		struct bytes plain = bytes_first(text, json_plain_len(bytes_first(text,
		    (size_t)(end - to))));
		size_t len = plain.len, used = plain.len;
		char character[JSON_CHARACTER_MAX];

		if (plain.len > 0) {
			memcpy(to, plain.ptr, len);
		} else {
			used = json_put_character(character, text, &len);
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
