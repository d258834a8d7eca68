/* SPDX-License-Identifier: MIT */
/*
 * redact.c - runs without a secret are copied, what is one is not.
 */
#include "proxy/redact.h"

#include <string.h>

#include "base/mem.h"

#define KEY_MIN	8	/* behind its prefix; and of a secret that is known */

static const char *const prefixes[] = { "rp-", "hf_", "sk-" };

static bool
is_of_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    c == '-' || c == '_';
}

/* The length of the key that REST begins with; 0: it is none. */
static size_t
key_len(struct bytes rest)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		size_t prefix = strlen(prefixes[i]), len = prefix;

		if (!bytes_has_prefix(rest, prefixes[i]))
			continue;
		while (len < rest.len && is_of_word(rest.ptr[len]))
			len++;
		return len >= prefix + KEY_MIN ? len : 0;
	}
	return 0;
}

static size_t
secret_len(struct bytes rest, const struct bytes *secrets, size_t n)
{
	size_t longest = 0;

	for (size_t i = 0; i < n; i++)
		if (secrets[i].len >= KEY_MIN && secrets[i].len > longest &&
		    bytes_eq(bytes_first(rest, secrets[i].len), secrets[i]))
			longest = secrets[i].len;
	return longest;
}

int
redact(struct bytes text, const struct bytes *secrets, size_t n, struct buf *out)
{
	size_t begun = 0, at = 0;
	int r = 0;

	while (r == 0 && at < text.len) {
		struct bytes rest = bytes_skip(text, at);
		bool is_first = at == 0 || !is_of_word(text.ptr[at - 1]);
		size_t len = secret_len(rest, secrets, n);

		if (len == 0 && is_first)
			len = key_len(rest);
		if (len == 0) {
			at++;
			continue;
		}
		r = buf_add(out, bytes_first(bytes_skip(text, begun), at - begun));
		if (r == 0)
			r = buf_add_str(out, REDACTED);
		at += len;
		begun = at;
	}
	return r == 0 ? buf_add(out, bytes_skip(text, begun)) : r;
}
