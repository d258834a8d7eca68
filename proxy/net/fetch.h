/* SPDX-License-Identifier: MIT */
/*
 * fetch.h - one request to an upstream and the answer as it arrives.  Owned by
 * the request that waits for it, whose task it wakes on every change.
 *
 * What libcurl calls success is not yet a whole answer (H-31): fetch_state()
 * says FETCH_DONE only for a transfer that ended cleanly, and fetch_framing()
 * how we know that nothing is missing.
 */
#ifndef PROXY_NET_FETCH_H
#define PROXY_NET_FETCH_H

#include "base/bytes.h"
#include "proxy/http/field.h"
#include "proxy/net/loop.h"

struct fetch;
struct multi;
struct quota;

struct fetch_timeouts {
	usec_t	connect;
	usec_t	first_byte;	/* until the head of the answer */
	usec_t	idle;		/* between two reads of it; not while we pause it */
	usec_t	total;		/* 0: none */
};

struct fetch_request {
	struct bytes		 method;
	const char		*base_url;	/* scheme://host[:port]/path, as configured */
	const char		*unix_socket;	/* path, or NULL */
	const char		*ca_file;	/* or NULL: the system's */
	struct bytes		 path;		/* appended to that of BASE_URL; validated */
	struct bytes		 query;		/* without '?'; may be empty */
	const struct fields	*fields;	/* all that goes upstream, token included */
	struct bytes		 body;		/* borrowed until the fetch is freed */
	size_t			 window;	/* unread bytes at which the transfer pauses, */
	struct quota		*memory;	/* or where there is no room; may be NULL */
	struct fetch_timeouts	 timeouts;
};

enum fetch_state {
	FETCH_WAITING,		/* no head yet */
	FETCH_HEAD,		/* the head is there, the body is coming */
	FETCH_DONE,		/* ended as its framing promised */
	FETCH_FAILED,		/* see fetch_failure() */
};

enum fetch_failure {
	FETCH_OK,
	FETCH_E_CONNECT,	/* no connection: name, refusal, unreachable */
	FETCH_E_TLS,		/* certificate or handshake */
	FETCH_E_TIMEOUT,
	FETCH_E_CLOSED,		/* broken off, or would have had to be sent twice (H-30) */
	FETCH_E_BAD_ANSWER,	/* not HTTP, or framed in two ways */
};

enum fetch_framing {
	FRAMING_WHOLE,		/* a length that held, chunks that ended, HTTP/2's end */
	FRAMING_BY_CLOSE,	/* cannot be told from a cut (U8) */
	FRAMING_DOUBTFUL,	/* more bytes than promised (U2): serve, do not store */
};

/*
 * Start; never fails at once: what is wrong comes as FETCH_FAILED.  MULTI and
 * OWNER are borrowed and outlive the fetch.
 */
struct fetch	*fetch_start(struct multi *multi, const struct fetch_request *request,
		    struct loop_task *owner);
struct fetch	*fetch_free(struct fetch *fetch);	/* cancels */

enum fetch_state	fetch_state(const struct fetch *fetch);
enum fetch_failure	fetch_failure(const struct fetch *fetch);
enum fetch_framing	fetch_framing(const struct fetch *fetch);

/* From FETCH_HEAD on; they live as long as the fetch. */
int			 fetch_status(const struct fetch *fetch);
const struct fields	*fetch_fields(const struct fetch *fetch);

/* The body that came and was not consumed; consuming resumes a paused transfer. */
struct bytes	fetch_body(const struct fetch *fetch);
void		fetch_consume(struct fetch *fetch, size_t len);
bool		fetch_is_paused(const struct fetch *fetch);

/* From the start to the head of the answer. */
usec_t		fetch_time(const struct fetch *fetch);	/* until now, or its end */
usec_t		fetch_head_time(const struct fetch *fetch);

#endif
