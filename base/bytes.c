/* SPDX-License-Identifier: MIT */
/*
 * bytes.c - comparing, finding and cutting borrowed bytes.
 */
#include "base/bytes.h"

#include <string.h>
#include <strings.h>

struct bytes
bytes_str(const char *s)
{
	return (struct bytes){ s, s != NULL ? strlen(s) : 0 };
}

bool
bytes_eq(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Most texts that are compared differ at once: that is seen before they are measured. */
static bool
begins_otherwise(struct bytes a, const char *s)
{
	return a.len > 0 && s != NULL && ((a.ptr[0] ^ s[0]) & ~0x20) != 0;
}

bool
bytes_eq_str(struct bytes a, const char *s)
{
	return !begins_otherwise(a, s) && bytes_eq(a, bytes_str(s));
}

bool
bytes_eq_nocase(struct bytes a, struct bytes b)
{
	if (a.len != b.len)
		return false;
	return a.len == 0 || (((a.ptr[0] ^ b.ptr[0]) & ~0x20) == 0 &&
	    strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

bool
bytes_eq_str_nocase(struct bytes a, const char *s)
{
	return !begins_otherwise(a, s) && bytes_eq_nocase(a, bytes_str(s));
}

bool
bytes_has_prefix(struct bytes b, const char *prefix)
{
	struct bytes want;

	if (prefix[0] != '\0' && begins_otherwise(b, prefix))
		return false;
	want = bytes_str(prefix);
	return b.len >= want.len && bytes_eq(bytes_first(b, want.len), want);
}

bool
bytes_has_prefix_nocase(struct bytes b, const char *prefix)
{
	struct bytes want;

	if (prefix[0] != '\0' && begins_otherwise(b, prefix))
		return false;
	want = bytes_str(prefix);
	return b.len >= want.len && bytes_eq_nocase(bytes_first(b, want.len), want);
}

bool
bytes_has_suffix(struct bytes b, const char *suffix)
{
	struct bytes want = bytes_str(suffix);

	return b.len >= want.len && bytes_eq(bytes_skip(b, b.len - want.len), want);
}

int
bytes_cmp(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int r = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;

	if (r != 0)
		return r;
	return (a.len > b.len) - (a.len < b.len);
}

size_t
bytes_find_char(struct bytes b, char c)
{
	const char *p = b.len > 0 ? memchr(b.ptr, c, b.len) : NULL;

	return p != NULL ? (size_t)(p - b.ptr) : b.len;
}

size_t
bytes_find_str(struct bytes b, const char *s)
{
	const char *p = b.len > 0 ? memmem(b.ptr, b.len, s, strlen(s)) : NULL;

	return p != NULL ? (size_t)(p - b.ptr) : b.len;
}

struct bytes
bytes_skip(struct bytes b, size_t n)
{
	if (n >= b.len)
		return BYTES_NONE;
	return (struct bytes){ b.ptr + n, b.len - n };
}

struct bytes
bytes_first(struct bytes b, size_t n)
{
	return (struct bytes){ b.ptr, n < b.len ? n : b.len };
}

struct bytes
bytes_trim(struct bytes b)
{
	while (b.len > 0 && (b.ptr[0] == ' ' || b.ptr[0] == '\t'))
		b = bytes_skip(b, 1);
	while (b.len > 0 && (b.ptr[b.len - 1] == ' ' || b.ptr[b.len - 1] == '\t'))
		b.len--;
	return b;
}

struct bytes
bytes_cut(struct bytes *rest, char c)
{
	size_t at = bytes_find_char(*rest, c);
	struct bytes before = bytes_first(*rest, at);

	*rest = bytes_skip(*rest, at + 1);
	return before;
}
