/* SPDX-License-Identifier: MIT */
/*
 * ndjson.c - lines that end in LF or CRLF, gathered only if a read cuts them.
 */
#include "proxy/http/ndjson.h"

#include "base/buf.h"
#include "base/mem.h"

struct ndjson {
	struct buf	 line;		/* of a line whose end is still to come */
	bool		 is_reported;	/* LINE was whole, and the caller has seen it */
	bool		 is_too_large;
};

struct ndjson *
ndjson_new(size_t line_max)
{
	struct ndjson *ndjson = xcalloc(1, sizeof(*ndjson));

	buf_init(&ndjson->line, line_max);
	return ndjson;
}

struct ndjson *
ndjson_free(struct ndjson *ndjson)
{
	if (ndjson == NULL)
		return NULL;
	buf_done(&ndjson->line);
	return xfree(ndjson);
}

static void
begin_line(struct ndjson *ndjson)
{
	buf_consume(&ndjson->line, buf_len(&ndjson->line));
	ndjson->is_reported = false;
}

/* The next line of IN, behind what is gathered of it; false if its end is not there. */
static bool
read_line(struct ndjson *ndjson, struct bytes in, size_t *ret_used, struct bytes *ret_line)
{
	size_t n = bytes_find_char(in, '\n');
	struct bytes line = bytes_first(in, n);

	*ret_used = n < in.len ? n + 1 : n;
	if (buf_len(&ndjson->line) + n > ndjson->line.max)
		ndjson->is_too_large = true;
	else if (n == in.len || buf_len(&ndjson->line) > 0) {
		ndjson->is_too_large = buf_add(&ndjson->line, line) < 0;
		line = buf_bytes(&ndjson->line);
	}
	if (n == in.len || ndjson->is_too_large)
		return false;
	while (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	*ret_line = bytes_trim(line);
	return true;
}

enum ndjson_state
ndjson_feed(struct ndjson *ndjson, struct bytes in, size_t *ret_used, struct bytes *ret_line)
{
	struct bytes line;
	size_t used = 0, n;

	if (ndjson->is_reported)
		begin_line(ndjson);
	while (used < in.len && !ndjson->is_too_large) {
		bool is_whole = read_line(ndjson, bytes_skip(in, used), &n, &line);

		used += n;
		*ret_used = used;
		if (is_whole && line.len > 0) {
			*ret_line = line;
			ndjson->is_reported = true;
			return NDJSON_LINE;
		}
		if (is_whole)
			begin_line(ndjson);
	}
	*ret_used = used;
	return ndjson->is_too_large ? NDJSON_TOO_LARGE : NDJSON_MORE;
}

bool
ndjson_is_at_rest(const struct ndjson *ndjson)
{
	return !ndjson->is_too_large && (ndjson->is_reported || buf_len(&ndjson->line) == 0);
}
