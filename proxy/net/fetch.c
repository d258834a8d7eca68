/* SPDX-License-Identifier: MIT */
/*
 * fetch.c - one easy handle: set up without anything of the environment,
 * guarded against being sent twice, and believed only as far as it can be
 * checked.
 */
#include "proxy/net/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/quota.h"
#include "proxy/net/multi.h"

#define HEAD_MAX	((size_t)64 << 10)	/* over all interim heads together (H-32) */
#define ARENA_MAX	((size_t)256 << 10)
#define KEPT_MAX_AGE	30L			/* s; servers commonly close after 60 (H-30) */

struct fetch {
	struct multi		*multi;		/* borrowed: outlives us */
	struct loop_task	*owner;		/* borrowed: outlives us */
	CURL			*easy;
	CURLU			*url;
	struct loop_timer	*timer;
	struct arena		*arena;
	struct fields		 fields;
	struct buf		 body;
	struct fetch_timeouts	 timeouts;
	size_t			 head_len;
	uint64_t		 body_len;	/* all that ever came */
	usec_t			 started;
	usec_t			 ended_at;	/* 0: not yet */
	usec_t			 head_at;
	usec_t			 deadline;	/* 0: none */
	usec_t			 timer_at;	/* when the timer fires; 0: not set */
	enum fetch_state	 state;
	enum fetch_failure	 failure;
	enum fetch_framing	 framing;
	int			 status;
	bool			 is_added;	/* to the multi */
	bool			 was_sent;
	bool			 is_paused;
	bool			 is_head_whole;
};

static void
end_with(struct fetch *fetch, enum fetch_state state, enum fetch_failure failure)
{
	if (fetch->state == FETCH_DONE || fetch->state == FETCH_FAILED)
		return;
	fetch->state = state;
	fetch->failure = failure;
	fetch->ended_at = clock_mono();
	fetch->deadline = 0;
	loop_task_wake(fetch->owner);
}

static void
set_timer(struct fetch *fetch, usec_t at, usec_t now)
{
	fetch->timer_at = at;
	loop_timer_set(fetch->timer, at - now);
}

/* Like a client's: a deadline that moves is found out when the timer fires. */
static void
set_deadline(struct fetch *fetch, usec_t delay)
{
	usec_t total = fetch->timeouts.total, now = clock_mono();

	fetch->deadline = delay > 0 ? now + delay : 0;
	if (total > 0 && (delay == 0 || fetch->started + total < fetch->deadline))
		fetch->deadline = fetch->started + total;
	if (fetch->deadline != 0 && (fetch->timer_at == 0 || fetch->deadline < fetch->timer_at))
		set_timer(fetch, fetch->deadline, now);
}

/* libcurl must not be told here: the owner frees us on its turn. */
static void
on_timer(void *arg)
{
	struct fetch *fetch = arg;
	usec_t now = clock_mono();

	fetch->timer_at = 0;
	if (fetch->deadline == 0)
		return;
	if (now < fetch->deadline)
		set_timer(fetch, fetch->deadline, now);
	else
		end_with(fetch, FETCH_FAILED, FETCH_E_TIMEOUT);
}

/*
 * A second call means that libcurl found its kept connection dead after it had
 * sent the request, and is about to send it again: an inference would be paid
 * for twice (H-30).
 */
static int
on_about_to_send(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct fetch *fetch = arg;

	(void)ip;
	(void)local_ip;
	(void)port;
	(void)local_port;
	if (fetch->was_sent)
		return CURL_PREREQFUNC_ABORT;
	fetch->was_sent = true;
	return CURL_PREREQFUNC_OK;
}

static int
read_status_line(struct fetch *fetch, struct bytes line)
{
	struct bytes rest = line;
	uint64_t status;

	bytes_cut(&rest, ' ');
	if (num_parse_u64(bytes_first(rest, 3), &status) != 0 || status < 100 || status > 999)
		return -EPROTO;
	fetch->status = (int)status;
	fetch->fields = (struct fields){ 0 };
	return 0;
}

static int
read_field_line(struct fetch *fetch, struct bytes line)
{
	struct bytes value = line, name = bytes_cut(&value, ':'), n, v;
	int r;

	value = bytes_trim(value);
	/* CR or NUL in a value could split our own answer (H-15, U11). */
	if (!field_name_is_valid(name) || !field_value_is_valid(value))
		return 0;
	r = arena_copy(fetch->arena, name, &n);
	if (r == 0)
		r = arena_copy(fetch->arena, value, &v);
	return r == 0 ? fields_add(&fetch->fields, fetch->arena, n, v) : r;
}

/* U5, U6: an answer framed in two ways is no answer. */
static bool
is_framed_once(const struct fetch *fetch)
{
	size_t n_lengths = fields_count(&fetch->fields, "content-length");
	size_t n_codings = fields_count(&fetch->fields, "transfer-encoding");

	return n_lengths + n_codings <= 1;
}

static void
head_is_whole(struct fetch *fetch)
{
	if (fetch->status < 200)
		return;
	if (!is_framed_once(fetch)) {
		end_with(fetch, FETCH_FAILED, FETCH_E_BAD_ANSWER);
		return;
	}
	fetch->is_head_whole = true;
	fetch->head_at = clock_mono();
	fetch->state = FETCH_HEAD;
	set_deadline(fetch, fetch->timeouts.idle);
	loop_task_wake(fetch->owner);
}

static size_t
on_head_line(char *data, size_t size, size_t n, void *arg)
{
	struct fetch *fetch = arg;
	struct bytes line = { data, size * n };
	int r = 0;

	fetch->head_len += line.len;
	if (fetch->head_len > HEAD_MAX || fetch->state == FETCH_FAILED)
		return 0;
	/* Behind a whole head these are trailers: of no use to anybody. */
	if (fetch->is_head_whole)
		return size * n;
	while (line.len > 0 && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == '\n'))
		line.len--;
	if (line.len == 0)
		head_is_whole(fetch);
	else if (bytes_has_prefix(line, "HTTP/"))
		r = read_status_line(fetch, line);
	else
		r = read_field_line(fetch, line);
	return r < 0 ? 0 : size * n;
}

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	struct fetch *fetch = arg;
	struct bytes b = { data, size * n };

	if (fetch->state == FETCH_FAILED)
		return 0;
	if (buf_add(&fetch->body, b) < 0) {
		if (buf_len(&fetch->body) == 0)
			return 0;
		fetch->is_paused = true;
		fetch->deadline = 0;
		return CURL_WRITEFUNC_PAUSE;
	}
	fetch->body_len += b.len;
	set_deadline(fetch, fetch->timeouts.idle);
	loop_task_wake(fetch->owner);
	return b.len;
}

static enum fetch_failure
failure_of(CURLcode result)
{
	switch (result) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		return FETCH_E_CONNECT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return FETCH_E_TLS;
	case CURLE_OPERATION_TIMEDOUT:
		return FETCH_E_TIMEOUT;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WRITE_ERROR:
		return FETCH_E_BAD_ANSWER;
	default:
		return FETCH_E_CLOSED;
	}
}

/*
 * libcurl closes a connection on which more came than the length promised, and
 * does not say so: that it is gone although both sides meant to keep it does.
 */
static bool
was_closed_unasked(const struct fetch *fetch)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	curl_easy_getinfo(fetch->easy, CURLINFO_ACTIVESOCKET, &fd);
	return fd == CURL_SOCKET_BAD && !fields_has_token(&fetch->fields, "connection", "close");
}

static enum fetch_framing
framing_of(const struct fetch *fetch)
{
	struct bytes length = fields_get(&fetch->fields, "content-length");
	long version = 0;
	uint64_t promised;

	curl_easy_getinfo(fetch->easy, CURLINFO_HTTP_VERSION, &version);
	if (version >= CURL_HTTP_VERSION_2_0)
		return FRAMING_WHOLE;
	if (fields_count(&fetch->fields, "transfer-encoding") == 1)
		return FRAMING_WHOLE;
	if (length.ptr == NULL)
		return FRAMING_BY_CLOSE;
	if (num_parse_u64(length, &promised) != 0 || promised != fetch->body_len)
		return FRAMING_DOUBTFUL;
	if (version == CURL_HTTP_VERSION_1_1 && was_closed_unasked(fetch))
		return FRAMING_DOUBTFUL;
	return FRAMING_WHOLE;
}

static void
on_done(void *arg, CURLcode result)
{
	struct fetch *fetch = arg;

	if (result != CURLE_OK) {
		end_with(fetch, FETCH_FAILED, failure_of(result));
	} else if (!fetch->is_head_whole) {
		/* U9: a head cut off in the middle passes for an answer. */
		end_with(fetch, FETCH_FAILED, FETCH_E_CLOSED);
	} else {
		fetch->framing = framing_of(fetch);
		end_with(fetch, FETCH_DONE, FETCH_OK);
	}
}

/*
 * The URL from its parts: what a client sent is only ever a path and a query,
 * so it cannot name another host (H-29).
 */
static int
set_url(struct fetch *fetch, const struct fetch_request *request)
{
	struct bytes path = BYTES_NONE, query = BYTES_NONE;
	char *base_path = NULL;
	int r;

	fetch->url = curl_url();
	if (fetch->url == NULL ||
	    curl_url_set(fetch->url, CURLUPART_URL, request->base_url, CURLU_PATH_AS_IS) != 0 ||
	    curl_url_get(fetch->url, CURLUPART_PATH, &base_path, 0) != 0)
		return -EINVAL;
	if (strcmp(base_path, "/") == 0)
		base_path[0] = '\0';
	r = arena_join(fetch->arena, (const struct bytes[]){ bytes_str(base_path), request->path },
	    2, &path);
	curl_free(base_path);
	if (r == 0 && request->query.len > 0)
		r = arena_copy(fetch->arena, request->query, &query);
	if (r < 0)
		return r;
	if (curl_url_set(fetch->url, CURLUPART_PATH, path.ptr, 0) != 0)
		return -EINVAL;
	if (query.len > 0 && curl_url_set(fetch->url, CURLUPART_QUERY, query.ptr, 0) != 0)
		return -EINVAL;
	/* The parts override the text, which libcurl else writes out for nobody to read. */
	curl_easy_setopt(fetch->easy, CURLOPT_URL, request->base_url);
	curl_easy_setopt(fetch->easy, CURLOPT_CURLU, fetch->url);
	return 0;
}

/* A list of libcurl's that is ours: its lines live as long as the fetch. */
struct lines {
	struct curl_slist	*first;
	struct curl_slist	**end;
};

static int
add_line(struct fetch *fetch, struct lines *lines, const struct bytes *parts, size_t n)
{
	struct curl_slist *line = arena_alloc(fetch->arena, sizeof(*line));
	struct bytes text;
	int r;

	if (line == NULL)
		return -E2BIG;
	r = arena_join(fetch->arena, parts, n, &text);
	if (r < 0)
		return r;
	*line = (struct curl_slist){ .data = (char *)(uintptr_t)text.ptr };
	*lines->end = line;
	lines->end = &line->next;
	return 0;
}

static int
add_field(struct fetch *fetch, struct lines *lines, const struct field *f)
{
	/* "name;" is how libcurl is told of an empty value. */
	const struct bytes parts[] = {
		f->name, f->value.len > 0 ? BYTES_LIT(": ") : BYTES_LIT(";"), f->value,
	};

	return add_line(fetch, lines, parts, ARRAY_LEN(parts));
}

/* NAME is not to be put in by libcurl itself. */
static int
add_nothing(struct fetch *fetch, struct lines *lines, const char *name)
{
	const struct bytes parts[] = { bytes_str(name), BYTES_LIT(":") };

	return add_line(fetch, lines, parts, ARRAY_LEN(parts));
}

static int
set_fields(struct fetch *fetch, const struct fields *fields)
{
	struct lines lines = { .end = &lines.first };
	int r;

	r = add_nothing(fetch, &lines, "Expect");	/* H-38 */
	if (r == 0 && fields_count(fields, "content-type") == 0)
		r = add_nothing(fetch, &lines, "Content-Type");
	if (r == 0 && fields_count(fields, "accept") == 0)
		r = add_nothing(fetch, &lines, "Accept");
	for (size_t i = 0; r == 0 && i < fields->n; i++)
		r = add_field(fetch, &lines, &fields->list[i]);
	curl_easy_setopt(fetch->easy, CURLOPT_HTTPHEADER, lines.first);
	return r;
}

static int
set_method(struct fetch *fetch, const struct fetch_request *request)
{
	struct bytes method;
	int r = arena_copy(fetch->arena, request->method, &method);

	if (r < 0)
		return r;
	if (bytes_eq_str(method, "HEAD")) {
		curl_easy_setopt(fetch->easy, CURLOPT_NOBODY, 1L);
	} else if (bytes_eq_str(method, "POST") || request->body.len > 0) {
		curl_easy_setopt(fetch->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(fetch->easy, CURLOPT_POSTFIELDS,
		    request->body.len > 0 ? request->body.ptr : "");
		curl_easy_setopt(fetch->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)request->body.len);
		curl_easy_setopt(fetch->easy, CURLOPT_CUSTOMREQUEST, method.ptr);
	} else {
		curl_easy_setopt(fetch->easy, CURLOPT_HTTPGET, 1L);
		curl_easy_setopt(fetch->easy, CURLOPT_CUSTOMREQUEST, method.ptr);
	}
	return 0;
}

/* H-39, H-35: nothing from the environment, nothing followed, no signals. */
static void
set_options(struct fetch *fetch, const struct fetch_request *request)
{
	CURL *easy = fetch->easy;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, KEPT_MAX_AGE);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)(request->timeouts.connect / USEC_PER_MSEC));
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (request->ca_file != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
	if (request->unix_socket != NULL)
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_about_to_send);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, fetch);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head_line);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
}

struct fetch *
fetch_start(struct multi *multi, const struct fetch_request *request, struct loop_task *owner)
{
	struct fetch *fetch = xcalloc(1, sizeof(*fetch));
	int r;

	*fetch = (struct fetch){ .multi = multi, .owner = owner, .timeouts = request->timeouts };
	fetch->arena = arena_new(ARENA_MAX);
	buf_init(&fetch->body, request->window);
	buf_charge(&fetch->body, request->memory, QUOTA_FREE);	/* one call of on_body() fits */
	fetch->timer = loop_timer_new(multi_loop(multi), on_timer, fetch);
	fetch->started = clock_mono();
	fetch->easy = curl_easy_init();
	assert(fetch->easy != NULL);
	set_options(fetch, request);
	r = set_url(fetch, request);
	if (r == 0)
		r = set_fields(fetch, request->fields);
	if (r == 0)
		r = set_method(fetch, request);
	if (r < 0) {
		end_with(fetch, FETCH_FAILED, FETCH_E_BAD_ANSWER);
		return fetch;
	}
	fetch->is_added = true;
	multi_add(multi, fetch->easy, on_done, fetch);
	set_deadline(fetch, request->timeouts.first_byte);
	return fetch;
}

struct fetch *
fetch_free(struct fetch *fetch)
{
	if (fetch == NULL)
		return NULL;
	if (fetch->is_added)
		multi_remove(fetch->multi, fetch->easy);
	curl_easy_cleanup(fetch->easy);
	curl_url_cleanup(fetch->url);
	loop_timer_free(fetch->timer);
	buf_done(&fetch->body);
	arena_free(fetch->arena);
	return xfree(fetch);
}

enum fetch_state
fetch_state(const struct fetch *fetch)
{
	return fetch->state;
}

enum fetch_failure
fetch_failure(const struct fetch *fetch)
{
	return fetch->failure;
}

enum fetch_framing
fetch_framing(const struct fetch *fetch)
{
	return fetch->framing;
}

int
fetch_status(const struct fetch *fetch)
{
	return fetch->status;
}

const struct fields *
fetch_fields(const struct fetch *fetch)
{
	return &fetch->fields;
}

struct bytes
fetch_body(const struct fetch *fetch)
{
	return buf_bytes(&fetch->body);
}

void
fetch_consume(struct fetch *fetch, size_t len)
{
	buf_consume(&fetch->body, len);
	if (!fetch->is_paused || buf_len(&fetch->body) > fetch->body.max / 2)
		return;
	fetch->is_paused = false;
	set_deadline(fetch, fetch->timeouts.idle);
	curl_easy_pause(fetch->easy, CURLPAUSE_CONT);
	multi_nudge(fetch->multi);
}

bool
fetch_is_paused(const struct fetch *fetch)
{
	return fetch->is_paused;
}

usec_t
fetch_time(const struct fetch *fetch)
{
	return (fetch->ended_at != 0 ? fetch->ended_at : clock_mono()) - fetch->started;
}

usec_t
fetch_head_time(const struct fetch *fetch)
{
	return fetch->head_at - fetch->started;
}
