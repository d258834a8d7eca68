/* SPDX-License-Identifier: MIT */
/*
 * reader.c - collect a head, look at it, have llhttp parse it, look at what it
 * found; then the body.
 *
 * The head is parsed in one go from a copy in the arena, so every name and
 * value is a slice of it and nothing is ever put together from pieces.
 */
#include "proxy/http/reader.h"

#include <errno.h>
#include <string.h>

#include <llhttp.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/quota.h"
#include "proxy/http/head_scan.h"

#define VALUE_MAX		((size_t)16 << 10)	/* H-9 */
#define CONTENT_LENGTH_DIGITS	19
#define RESERVE_MAX		((size_t)1 << 20)
#define PER_CHUNK		16			/* H-5: bytes of framing granted */
#define FRAMING_SLACK		((size_t)4 << 10)

struct reader {
	struct arena		*arena;		/* borrowed: outlives us */
	struct reader_limits	 limits;
	struct head_scan	 scan;
	struct buf		 raw;		/* the head as far as it has come */
	struct buf		 body;
	struct request_head	 head;
	struct refusal		 refusal;
	llhttp_t		 parser;
	uint64_t		 promised;	/* by Content-Length; 0: nothing, or reserved */
	uint64_t		 n_fed;		/* bytes behind the head */
	uint64_t		 n_chunks;
	enum reader_state	 state;
	bool			 is_head_whole;
	bool			 is_whole;
};

static int
refuse(struct reader *reader, int status, const char *why)
{
	if (reader->state != READER_REFUSED)
		reader->refusal = (struct refusal){ status, why };
	reader->state = READER_REFUSED;
	return -1;
}

static int
on_method(llhttp_t *parser, const char *at, size_t len)
{
	struct reader *reader = parser->data;

	if (reader->head.method.ptr == NULL)
		reader->head.method.ptr = at;
	reader->head.method.len += len;
	return 0;
}

static int
on_url(llhttp_t *parser, const char *at, size_t len)
{
	struct reader *reader = parser->data;

	if (reader->head.target.ptr == NULL)
		reader->head.target.ptr = at;
	reader->head.target.len += len;
	return 0;
}

/* H-3: what comes behind the head is a trailer, and of no use. */
static int
on_header_field(llhttp_t *parser, const char *at, size_t len)
{
	struct reader *reader = parser->data;
	struct bytes name = { at, len };

	if (reader->is_head_whole)
		return 0;
	if (!field_name_is_valid(name))
		return refuse(reader, 400, "a field has no valid name");
	if (fields_add(&reader->head.fields, reader->arena, name,
	    (struct bytes){ at + len, 0 }) < 0)
		return refuse(reader, 431, "too many header fields");
	return 0;
}

static int
on_header_value(llhttp_t *parser, const char *at, size_t len)
{
	struct reader *reader = parser->data;
	struct fields *fields = &reader->head.fields;
	struct bytes *value;

	if (reader->is_head_whole || fields->n == 0)
		return 0;
	value = &fields->list[fields->n - 1].value;
	if (value->len == 0)
		value->ptr = at;
	else if (value->ptr + value->len != at)
		return refuse(reader, 400, "a field goes over several lines");
	value->len += len;
	return 0;
}

static int
check_method(struct reader *reader)
{
	static const char *const served[] = {
		"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
	};
	struct bytes method = reader->head.method;

	for (size_t i = 0; i < ARRAY_LEN(served); i++)
		if (bytes_eq_str(method, served[i]))
			return 0;
	if (bytes_eq_str(method, "CONNECT") || bytes_eq_str(method, "TRACE"))
		return refuse(reader, 405, "this method is not served here");
	return refuse(reader, 501, "this method is not known here");
}

static bool
is_host_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    c == '.' || c == '-' || c == '_';
}

static bool
is_v6_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
	    c == ':' || c == '.';
}

/* host, host:port, [v6], [v6]:port, and nothing that some parser takes for another host. */
static bool
is_plain_host(struct bytes host)
{
	bool is_v6 = host.len > 0 && host.ptr[0] == '[';
	size_t i = is_v6;
	uint64_t port;

	while (i < host.len && (is_v6 ? is_v6_char(host.ptr[i]) : is_host_char(host.ptr[i])))
		i++;
	if (i == (size_t)is_v6)
		return false;
	if (is_v6 && (i == host.len || host.ptr[i++] != ']'))
		return false;
	if (i == host.len)
		return true;
	return host.ptr[i] == ':' && num_parse_u64(bytes_skip(host, i + 1), &port) == 0 &&
	    port <= UINT16_MAX;
}

static int
check_host(struct reader *reader)
{
	struct request_head *head = &reader->head;
	size_t n = fields_count(&head->fields, "host");

	if (n > 1 || (n == 0 && head->minor_version == 1))
		return refuse(reader, 400, "there must be one Host field");
	if (n == 0)
		return 0;
	head->host = fields_get(&head->fields, "host");
	return is_plain_host(head->host) ? 0 : refuse(reader, 400, "the Host field names no host");
}

/* RFC 9112, 3.2.2: of an absolute form the host holds, whatever Host says. */
static int
take_authority(struct reader *reader, size_t scheme_len)
{
	struct request_head *head = &reader->head;
	struct bytes rest = bytes_skip(head->target, scheme_len);
	size_t len = bytes_find_char(rest, '/');

	if (bytes_find_char(rest, '?') < len)
		return refuse(reader, 400, "the request target has no path");
	head->host = bytes_first(rest, len);
	head->target = len < rest.len ? bytes_skip(rest, len) : BYTES_LIT("/");
	return is_plain_host(head->host) ? 0 : refuse(reader, 400, "the target names no host");
}

static int
check_target(struct reader *reader)
{
	struct request_head *head = &reader->head;
	int r = 0;

	if (head->target.len > reader->limits.target_max)
		return refuse(reader, 414, "the request target is too long");
	for (size_t i = 0; i < head->target.len; i++)
		if (head->target.ptr[i] <= ' ' || head->target.ptr[i] == 0x7f ||
		    head->target.ptr[i] == '#')
			return refuse(reader, 400, "the request target holds bytes that none may");
	if (bytes_has_prefix_nocase(head->target, "http://"))
		r = take_authority(reader, strlen("http://"));
	else if (bytes_has_prefix_nocase(head->target, "https://"))
		r = take_authority(reader, strlen("https://"));
	else if (bytes_eq_str(head->target, "*") && bytes_eq_str(head->method, "OPTIONS"))
		r = 0;
	else if (!bytes_has_prefix(head->target, "/"))
		r = refuse(reader, 400, "the request target is no path");
	head->query = head->target;
	head->path = bytes_cut(&head->query, '?');
	return r;
}

static int
check_content_length(struct reader *reader)
{
	struct bytes text = fields_get(&reader->head.fields, "content-length");
	uint64_t len;

	if (text.ptr == NULL)
		return 0;
	if (fields_count(&reader->head.fields, "content-length") > 1 ||
	    num_parse_u64(text, &len) == NUM_E_BAD)
		return refuse(reader, 400, "there must be one Content-Length, a plain number");
	if (text.len > CONTENT_LENGTH_DIGITS || len > reader->limits.body_max)
		return refuse(reader, 413, "the body is larger than max_body");
	reader->head.has_body = len > 0;
	reader->promised = len;
	return 0;
}

static int
check_transfer_encoding(struct reader *reader)
{
	const struct fields *fields = &reader->head.fields;
	struct bytes coding = fields_get(fields, "transfer-encoding");

	if (coding.ptr == NULL)
		return 0;
	if (fields_count(fields, "transfer-encoding") > 1 || coding.len == 0 ||
	    reader->head.minor_version == 0 || fields_count(fields, "content-length") > 0)
		return refuse(reader, 400, "the body is framed in a way that can be read in two");
	if (!bytes_eq_str_nocase(coding, "chunked"))
		return refuse(reader, 501, "of the transfer codings only chunked is known here");
	reader->head.has_body = true;
	return 0;
}

static int
check_expect(struct reader *reader)
{
	struct bytes expect = fields_get(&reader->head.fields, "expect");

	if (expect.ptr == NULL || reader->head.minor_version == 0)
		return 0;
	if (fields_count(&reader->head.fields, "expect") > 1 ||
	    !bytes_eq_str_nocase(expect, "100-continue"))
		return refuse(reader, 417, "the only expectation known here is 100-continue");
	reader->head.expects_continue = true;
	return 0;
}

static int
check_fields(struct reader *reader)
{
	struct fields *fields = &reader->head.fields;

	for (size_t i = 0; i < fields->n; i++) {
		fields->list[i].value = bytes_trim(fields->list[i].value);
		if (fields->list[i].value.len > VALUE_MAX)
			return refuse(reader, 431, "a header field is too long");
	}
	return 0;
}

/*
 * RFC 9112, 3: one space between the words of the request line, and HTTP the
 * protocol.  llhttp takes several, and RTSP and ICE; the head is one run of
 * bytes, so one can look.
 */
static int
check_request_line(struct reader *reader)
{
	const struct request_head *head = &reader->head;
	const char *protocol = head->target.ptr + head->target.len;

	if (reader->parser.http_major != 1 || reader->parser.http_minor > 1 ||
	    strncmp(protocol, " HTTP/", strlen(" HTTP/")) != 0)
		return refuse(reader, 505, "HTTP/1.1 and HTTP/1.0 are spoken here");
	if (head->target.ptr != head->method.ptr + head->method.len + 1)
		return refuse(reader, 400, "this is not well-formed HTTP/1.1");
	reader->head.minor_version = reader->parser.http_minor;
	return 0;
}

static int
on_headers_complete(llhttp_t *parser)
{
	static int (*const checks[])(struct reader *) = {
		check_request_line, check_method, check_fields, check_host, check_target,
		check_content_length, check_transfer_encoding, check_expect,
	};
	struct reader *reader = parser->data;
	const struct fields *fields = &reader->head.fields;

	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		if (checks[i](reader) < 0)
			return -1;
	reader->head.keep_alive = !fields_has_token(fields, "connection", "close") &&
	    (reader->head.minor_version == 1 ||
	    fields_has_token(fields, "connection", "keep-alive"));
	reader->is_head_whole = true;
	parser->upgrade = 0;	/* H-4: never another protocol, never a tunnel */
	return 0;
}

static int
on_chunk_header(llhttp_t *parser)
{
	struct reader *reader = parser->data;

	reader->n_chunks++;
	if (parser->content_length > reader->limits.body_max)
		return refuse(reader, 413, "the body is larger than max_body");
	return 0;
}

/*
 * With its first byte room for all of it, as far as a promise is worth memory: before that
 * whoever saw the head may have refused it.
 */
static void
reserve_body(struct reader *reader)
{
	uint64_t len = reader->promised < RESERVE_MAX ? reader->promised : RESERVE_MAX;
	char *space;

	reader->promised = 0;
	if (len > 0)
		(void)!buf_space(&reader->body, len, &space);
}

static int
on_body(llhttp_t *parser, const char *at, size_t len)
{
	struct reader *reader = parser->data;
	int r;

	reserve_body(reader);
	r = buf_add(&reader->body, (struct bytes){ at, len });
	if (r == -ENOMEM)
		return refuse(reader, 503, "there is no memory for the body");
	if (r < 0)
		return refuse(reader, 413, "the body is larger than max_body");
	return 0;
}

static int
on_message_complete(llhttp_t *parser)
{
	struct reader *reader = parser->data;

	reader->is_whole = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_method = on_method,
	.on_url = on_url,
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_headers_complete = on_headers_complete,
	.on_chunk_header = on_chunk_header,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

struct reader *
reader_new(struct arena *arena, const struct reader_limits *limits)
{
	struct reader *reader = xcalloc(1, sizeof(*reader));

	reader->arena = arena;
	reader->limits = *limits;
	reader->scan.lines_max = limits->fields_max + 1;
	buf_init(&reader->raw, limits->head_max);
	buf_init(&reader->body, limits->body_max);
	buf_charge(&reader->body, limits->memory, QUOTA_FREE);
	llhttp_init(&reader->parser, HTTP_REQUEST, &settings);
	reader->parser.data = reader;
	return reader;
}

struct reader *
reader_free(struct reader *reader)
{
	if (reader == NULL)
		return NULL;
	buf_done(&reader->raw);
	buf_done(&reader->body);
	return xfree(reader);
}

/* Run llhttp over IN; returns how much of it belongs to this message. */
static size_t
parse(struct reader *reader, struct bytes in)
{
	llhttp_errno_t error = llhttp_execute(&reader->parser, in.ptr, in.len);

	if (reader->state == READER_REFUSED)
		return in.len;
	switch (error) {
	case HPE_OK:
		return in.len;
	case HPE_PAUSED:
		return (size_t)(llhttp_get_error_pos(&reader->parser) - in.ptr);
	case HPE_INVALID_VERSION:
	case HPE_PAUSED_H2_UPGRADE:
		refuse(reader, 505, "HTTP/1.1 and HTTP/1.0 are spoken here");
		return in.len;
	default:
		refuse(reader, 400, "this is not well-formed HTTP/1.1");
		return in.len;
	}
}

/* The whole head is there, its last part in PART; it may be all there ever was. */
static void
parse_head(struct reader *reader, struct bytes part)
{
	struct bytes whole = part;
	int r = 0;

	if (buf_len(&reader->raw) > 0) {
		r = buf_add(&reader->raw, part);
		whole = buf_bytes(&reader->raw);
	}
	if (r == 0)
		r = arena_copy(reader->arena, whole, &whole);
	buf_done(&reader->raw);
	if (r < 0) {
		refuse(reader, 431, "the head is too large");
		return;
	}
	parse(reader, whole);
	if (reader->state == READER_MORE && !reader->is_head_whole &&
	    bytes_has_prefix(whole, "PRI "))
		refuse(reader, 505, "HTTP/1.1 and HTTP/1.0 are spoken here");
	if (reader->state == READER_MORE && !reader->is_head_whole)
		refuse(reader, 400, "this is not well-formed HTTP/1.1");
	if (reader->state == READER_MORE)
		reader->state = READER_HEAD;
}

static size_t
feed_head(struct reader *reader, struct bytes in)
{
	struct bytes part = bytes_first(in, reader->limits.head_max - buf_len(&reader->raw));
	size_t used;

	switch (head_scan(&reader->scan, part, &used)) {
	case HEAD_SCAN_END:
		parse_head(reader, bytes_first(in, used));
		break;
	case HEAD_SCAN_BAD:
		refuse(reader, 400, "the head holds bytes that none may");
		break;
	case HEAD_SCAN_LONG:
		refuse(reader, 431, "too many header fields");
		break;
	case HEAD_SCAN_MORE:
		if (buf_add(&reader->raw, part) < 0)
			refuse(reader, 503, "there is no memory for the head");
		else if (buf_len(&reader->raw) == reader->limits.head_max)
			refuse(reader, reader->scan.n_lines == 0 ? 414 : 431,
			    "the head is too large");
		break;
	}
	return used;
}

/* H-5: what is neither head nor body must stay small; how much more of it may come. */
static uint64_t
framing_left(const struct reader *reader)
{
	uint64_t framing = reader->n_fed - buf_len(&reader->body);
	uint64_t granted = reader->limits.head_max + FRAMING_SLACK + PER_CHUNK * reader->n_chunks;

	return granted > framing ? granted - framing : 0;
}

/*
 * llhttp is given so little at a time that framing cannot pass its bound and
 * be redeemed by chunks behind it: the verdict is that of byte by byte.
 */
static size_t
feed_body(struct reader *reader, struct bytes in)
{
	size_t used = 0;

	reader->state = reader->is_whole ? READER_DONE : READER_MORE;
	while (reader->state == READER_MORE && used < in.len) {
		uint64_t left = framing_left(reader);
		size_t n;

		if (left == 0) {
			refuse(reader, 400, "the chunks carry more framing than body");
			break;
		}
		n = parse(reader, bytes_first(bytes_skip(in, used), left));
		used += n;
		reader->n_fed += n;
		if (reader->state == READER_MORE && reader->is_whole)
			reader->state = READER_DONE;
	}
	return used;
}

enum reader_state
reader_feed(struct reader *reader, struct bytes in, size_t *ret_used)
{
	*ret_used = 0;
	if (reader->state == READER_DONE || reader->state == READER_REFUSED)
		return reader->state;
	if (reader->is_head_whole)
		*ret_used = feed_body(reader, in);
	else if (in.len > 0)
		*ret_used = feed_head(reader, in);
	return reader->state;
}

const struct request_head *
reader_head(const struct reader *reader)
{
	return reader->is_head_whole ? &reader->head : NULL;
}

struct bytes
reader_body(const struct reader *reader)
{
	return buf_bytes(&reader->body);
}

struct refusal
reader_refusal(const struct reader *reader)
{
	return reader->refusal;
}

bool
reader_has_begun(const struct reader *reader)
{
	return reader->is_head_whole || reader->scan.is_in_line || reader->scan.n_lines > 0 ||
	    reader->state == READER_REFUSED;
}

/* llhttp alone: our own look at the head would hide what it lets through. */
static bool
llhttp_refuses(const char *text)
{
	static const llhttp_settings_t no_settings;
	llhttp_t parser;
	llhttp_errno_t error;

	llhttp_init(&parser, HTTP_REQUEST, &no_settings);
	error = llhttp_execute(&parser, text, strlen(text));
	return error != HPE_OK && error != HPE_PAUSED;
}

bool
reader_self_test(void)
{
	static const char *const bad[] = {
		"GET / HTTP/1.1\rHost: x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naXX0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 1\r\n\r\na",
		"GET / HTTP/1.1\nHost: x\n\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (!llhttp_refuses(bad[i]))
			return false;
	return true;
}
