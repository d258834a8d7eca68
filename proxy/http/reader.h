/* SPDX-License-Identifier: MIT */
/*
 * reader.h - one HTTP/1.x request, read from the bytes of a connection as they
 * come.  A reader reads one message and is then freed: the next request has a
 * reader of its own.  It owns the body; head and fields live in the arena it
 * was given.  It is stricter than llhttp, which does the parsing: HAZARDS.md
 * H-1 to H-7 and H-9 say why and what is refused.
 */
#ifndef PROXY_HTTP_READER_H
#define PROXY_HTTP_READER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "proxy/http/field.h"

struct quota;
struct reader;

enum reader_state {
	READER_MORE,		/* feed again when there are more bytes */
	READER_HEAD,		/* once: the head is complete; feed again for the body */
	READER_DONE,		/* the whole message is there */
	READER_REFUSED,		/* answer reader_refusal(), then close */
};

struct reader_limits {
	size_t	head_max;	/* bytes of request line and fields: 431 above */
	size_t	fields_max;	/* number of fields: 431 above */
	size_t	target_max;	/* bytes of the request target: 414 above */
	size_t	body_max;	/* bytes of the body: 413 above */
	struct quota *memory;	/* charged for the body: 503 above; NULL: nobody counts */
};

struct request_head {
	struct bytes	method;
	struct bytes	target;		/* in origin form: /path?query; "*" for OPTIONS * */
	struct bytes	path;		/* target up to '?' */
	struct bytes	query;		/* behind '?', without it */
	struct bytes	host;
	unsigned	minor_version;	/* of HTTP/1.x: 0 or 1 */
	bool		keep_alive;	/* may another request follow on this connection */
	bool		expects_continue;
	bool		has_body;	/* Content-Length above 0, or chunked */
	struct fields	fields;
};

struct refusal {
	int		 status;
	const char	*why;		/* a sentence for the client; static */
};

struct reader	*reader_new(struct arena *arena, const struct reader_limits *limits);
struct reader	*reader_free(struct reader *reader);

/*
 * Read from IN, say in *RET_USED how much of it was taken (bytes behind the
 * message are left: they belong to the next one).  To be called until it says
 * other than READER_HEAD with the rest of IN, even when that rest is empty.
 */
enum reader_state	reader_feed(struct reader *reader, struct bytes in, size_t *ret_used);

/* After READER_HEAD. */
const struct request_head	*reader_head(const struct reader *reader);

/* The body as far as it has come; whole after READER_DONE. */
struct bytes	reader_body(const struct reader *reader);

/* After READER_REFUSED; the head may then be incomplete or NULL. */
struct refusal	reader_refusal(const struct reader *reader);

/* Has any byte of a request (but empty lines before it) come yet? */
bool	reader_has_begun(const struct reader *reader);

/* Is llhttp built strict?  False if it lets a bad request through that it must not (H-1). */
bool	reader_self_test(void);

#endif
