/* SPDX-License-Identifier: MIT */
/*
 * test_reader.c - requests good and bad, each read whole, byte by byte, and
 * cut in two at every place: the verdict must not depend on how bytes arrive.
 */
#include "proxy/http/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define ARENA_SIZE	((size_t)1 << 20)
#define HOST		"Host: x\r\n"
#define POST		"POST / HTTP/1.1\r\n" HOST
#define TEN_FIELDS	"A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n"
#define CHUNKED		POST "Transfer-Encoding: chunked\r\n\r\n"

static const struct reader_limits limits = {
	.head_max = 2048, .fields_max = 10, .target_max = 256, .body_max = 64,
};

struct verdict {
	int	status;			/* 0: read to its end */
	size_t	used;
	char	body[256];
};

/* Read TEXT, which arrives as FIRST bytes and then STEP at a time. */
static struct verdict
read_in_pieces(struct bytes text, size_t first, size_t step)
{
	struct arena *arena = arena_new(ARENA_SIZE);
	struct reader *reader = reader_new(arena, &limits);
	enum reader_state state = READER_MORE;
	struct verdict verdict = { .status = -1 };
	size_t there = first, used;

	for (;;) {
		state = reader_feed(reader, (struct bytes){ text.ptr + verdict.used,
		    there - verdict.used }, &used);
		verdict.used += used;
		if (state == READER_DONE || state == READER_REFUSED)
			break;
		if (state == READER_HEAD || used > 0)
			continue;
		if (there == text.len)
			break;
		there = there + step < text.len ? there + step : text.len;
	}
	if (state == READER_DONE) {
		verdict.status = 0;
		snprintf(verdict.body, sizeof(verdict.body), "%.*s",
		    BYTES_ARG(reader_body(reader)));
	}
	if (state == READER_REFUSED) {
		verdict.status = reader_refusal(reader).status;
		verdict.used = 0;
		assert_non_null(reader_refusal(reader).why);
	}
	reader_free(reader);
	arena_free(arena);
	return verdict;
}

static const struct {
	struct bytes	 text;
	int		 status;	/* -1: not whole yet */
	const char	*body;
} rows[] = {
#define READS(text, body)	{ BYTES_LIT(text), 0, body }
#define REFUSED(text, status)	{ BYTES_LIT(text), status, NULL }
	READS("GET / HTTP/1.1\r\n" HOST "\r\n", ""),
	READS("GET / HTTP/1.0\r\n\r\n", ""),
	READS("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", ""),
	READS("GET http://x/a?b HTTP/1.1\r\n" HOST "\r\n", ""),
	READS("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", ""),
	READS("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", ""),
	READS("GET / HTTP/1.1\r\n" HOST "A:\r\nB: \xc3\xa4\t \r\n\r\n", ""),
	READS(POST "Content-Length: 3\r\n\r\nabc", "abc"),
	READS(POST "Content-Length: 0\r\n\r\n", ""),
	READS("HEAD / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", "abc"),
	READS("DELETE / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", "abc"),
	READS(POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na", "a"),
	READS(CHUNKED "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "abcde"),
	READS(CHUNKED "1\r\na\r\n0\r\nAuthorization: b\r\n\r\n", "a"),
	READS(POST "Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\na", "a"),
	/* H-2: what llhttp lets through. */
	REFUSED("GET / HTTP/0.9\r\n\r\n", 505),
	REFUSED("GET / HTTP/1.2\r\n" HOST "\r\n", 505),
	REFUSED("GET / HTTP/2.0\r\n" HOST "\r\n", 505),
	REFUSED("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
	REFUSED("GET / RTSP/1.0\r\n" HOST "\r\n", 505),
	REFUSED("SOURCE / ICE/1.0\r\n" HOST "\r\n", 505),
	REFUSED(" GET / HTTP/1.1\r\n" HOST "\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\n" HOST " A: b\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\n" HOST "A: b\r\n\tc\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\n" HOST "A b\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\n" HOST "\xc3\xa4: b\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\n" "Host: x\n\n", 400),
	REFUSED("GET / HTTP/1.1\r\n" HOST "A: b\rC: d\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\n" HOST "A: b\nC: d\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\n" HOST "A: b\0c\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\n" HOST "A: \x01\r\n\r\n", 400),
	REFUSED("GET /\x7f HTTP/1.1\r\n" HOST "\r\n", 400),
	REFUSED("GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400),
	REFUSED("GET /a#b HTTP/1.1\r\n" HOST "\r\n", 400),
	REFUSED("GET a HTTP/1.1\r\n" HOST "\r\n", 400),
	REFUSED("GET  / HTTP/1.1\r\n" HOST "\r\n", 400),
	REFUSED("GET * HTTP/1.1\r\n" HOST "\r\n", 400),
	REFUSED("GET ftp://x/ HTTP/1.1\r\n" HOST "\r\n", 400),
	REFUSED("GET http://u@x/ HTTP/1.1\r\n" HOST "\r\n", 400),
	REFUSED("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400),
	REFUSED("\x16\x03\x01\x02", 400),
	/* One Host, and a plain one. */
	REFUSED("GET / HTTP/1.1\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400),
	REFUSED("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
	/* One framing. */
	REFUSED(POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
	REFUSED(POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", 400),
	REFUSED(POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
	REFUSED(POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
	REFUSED(POST "Content-Length: 1, 1\r\n\r\na", 400),
	REFUSED(POST "Content-Length: 1,1\r\n\r\na", 400),
	REFUSED(POST "Content-Length: +1\r\n\r\na", 400),
	REFUSED(POST "Content-Length: -1\r\n\r\na", 400),
	REFUSED(POST "Content-Length: 0x1\r\n\r\na", 400),
	REFUSED(POST "Content-Length:\r\n\r\n", 400),
	REFUSED(POST "Content-Length: \t\r\n\r\n", 400),
	REFUSED(POST "Content-Length: 1 1\r\n\r\na", 400),
	REFUSED(POST "Content-Length: 65\r\n\r\n", 413),
	REFUSED(POST "Content-Length: 9223372036854775808\r\n\r\n", 413),
	REFUSED(POST "Content-Length: 18446744073709551615\r\n\r\n", 413),
	REFUSED(POST "Transfer-Encoding:\r\n\r\n", 400),
	REFUSED(POST "Transfer-Encoding: \t\r\n\r\n", 400),
	REFUSED(POST "Transfer-Encoding:\r\nContent-Length: 1\r\n\r\na", 400),
	REFUSED(POST "Transfer-Encoding: identity\r\n\r\n", 501),
	REFUSED(POST "Transfer-Encoding: chunked, identity\r\n\r\n", 400),
	REFUSED(POST "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", 501),
	REFUSED(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
	REFUSED(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
	REFUSED(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "0\r\n\r\n", 400),
	REFUSED("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
	REFUSED(CHUNKED "x\r\n", 400),
	REFUSED(CHUNKED "-1\r\n", 400),
	REFUSED(CHUNKED "1\nab", 400),
	REFUSED(CHUNKED "1\r\nab", 400),
	REFUSED(CHUNKED "ffffffffffffffffff\r\n", 400),
	REFUSED(CHUNKED "41\r\n", 413),
	REFUSED(CHUNKED "40\r\n0123456789012345678901234567890123456789012345678901234567890123\r\n"
	    "1\r\na\r\n0\r\n\r\n", 413),
	/* Methods. */
	REFUSED("CONNECT x:80 HTTP/1.1\r\n" HOST "\r\n", 405),
	REFUSED("TRACE / HTTP/1.1\r\n" HOST "\r\n", 405),
	REFUSED("PROPFIND / HTTP/1.1\r\n" HOST "\r\n", 501),
	REFUSED("FROB / HTTP/1.1\r\n" HOST "\r\n", 400),
	REFUSED(POST "Expect: coffee\r\nContent-Length: 1\r\n\r\na", 417),
	REFUSED(POST "Expect: 100-continue\r\nExpect: coffee\r\n\r\n", 417),
	/* Of several faults the one that byte by byte finds first. */
	REFUSED("GET / HTTP/1.2\r\n" TEN_FIELDS HOST "\r\n", 431),
	REFUSED("GET / HTTP/1.2\r\n" TEN_FIELDS "\r\n", 505),
	REFUSED("GET / HTTP/1.1\r\n" TEN_FIELDS HOST "A: \x01\r\n", 431),
	REFUSED("GET / HTTP/1.1\r\n" HOST TEN_FIELDS "\n", 431),
	/* Not whole. */
	REFUSED("GET / HTTP/1.1\r\n" HOST, -1),
	REFUSED(POST "Content-Length: 3\r\n\r\nab", -1),
	REFUSED(CHUNKED "3\r\nab", -1),
#undef READS
#undef REFUSED
};

static void
the_verdict_does_not_depend_on_how_bytes_arrive(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes text = rows[i].text;

		for (size_t cut = 0; cut <= text.len + 1; cut++) {
			struct verdict v = cut > text.len ? read_in_pieces(text, 0, 1) :
			    read_in_pieces(text, cut, text.len);

			if (v.status != rows[i].status)
				print_message("cut at %zu:\n%.*s\n", cut, BYTES_ARG(text));
			assert_int_equal(v.status, rows[i].status);
			if (v.status != 0)
				continue;
			assert_int_equal(v.used, text.len);
			assert_string_equal(v.body, rows[i].body);
		}
	}
}

static void
what_follows_a_message_is_left_alone(void **state)
{
	const struct bytes two = BYTES_LIT(POST "Content-Length: 1\r\n\r\naGET / HTTP/1.1\r\n"),
	    chunked = BYTES_LIT(CHUNKED "1\r\na\r\n0\r\n\r\nGET"),
	    upgrade = BYTES_LIT("GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\n"
	    "Upgrade: h2c\r\n\r\nGET /b"),
	    none = BYTES_LIT("GET / HTTP/1.1\r\n" HOST "\r\nGET /b");

	(void)state;
	assert_int_equal(read_in_pieces(two, two.len, 1).used, two.len - 16);
	assert_int_equal(read_in_pieces(chunked, chunked.len, 1).used, chunked.len - 3);
	assert_int_equal(read_in_pieces(upgrade, upgrade.len, 1).used, upgrade.len - 6);
	assert_int_equal(read_in_pieces(none, none.len, 1).used, none.len - 6);
}

/* START, then UNIT again and again, at most N times; the status it is refused with. */
static int
flood(const char *start, const char *unit, size_t n)
{
	struct arena *arena = arena_new(ARENA_SIZE);
	struct reader *reader = reader_new(arena, &limits);
	struct bytes in = bytes_str(start);
	enum reader_state state;
	int status = 0;
	size_t used;

	do {
		do {
			state = reader_feed(reader, in, &used);
			in = bytes_skip(in, used);
		} while (state == READER_HEAD || (state == READER_MORE && in.len > 0));
		in = bytes_str(unit);
	} while (state == READER_MORE && n-- > 0);
	if (state == READER_REFUSED)
		status = reader_refusal(reader).status;
	reader_free(reader);
	arena_free(arena);
	return status;
}

static void
what_has_no_end_is_refused_at_its_limit(void **state)
{
	(void)state;
	assert_int_equal(flood("GET / HTTP/1.1\r\n", "A: b\r\n", 11), 431);
	assert_int_equal(flood("GET / HTTP/1.1\r\nA: ", "b", 2048), 431);
	assert_int_equal(flood("GET /", "a", 2048), 414);
	assert_int_equal(flood("", "\r\n", 9), 400);
	assert_int_equal(flood(CHUNKED "1;", "x", 2048 + 4096 + 64), 400);
	assert_int_equal(flood(CHUNKED "0\r\nA: ", "x", 2048 + 4096 + 64), 400);
	assert_int_equal(flood(CHUNKED, "1\r\na\r\n", 65), 413);
}

/* What many small chunks are granted must not pay for a long extension before them. */
static void
a_long_extension_is_refused_whatever_follows_it(void **state)
{
	static char text[8192] = CHUNKED "1;";
	size_t len = strlen(text);

	(void)state;
	memset(text + len, 'x', 6200);
	len += 6200;
	for (int i = 0; i < 40; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%sa\r\n1\r\n",
		    i > 0 ? "" : "\r\n");
	len += (size_t)snprintf(text + len, sizeof(text) - len, "a\r\n0\r\n\r\n");
	assert_int_equal(read_in_pieces((struct bytes){ text, len }, len, 1).status, 400);
	assert_int_equal(read_in_pieces((struct bytes){ text, len }, 0, 1).status, 400);
	assert_int_equal(read_in_pieces((struct bytes){ text, len }, 0, 7).status, 400);
}

static void
a_body_takes_the_memory_that_came_and_not_what_was_promised(void **state)
{
	const struct reader_limits wide = {
		.head_max = 2048, .fields_max = 10, .target_max = 256, .body_max = (size_t)1 << 46,
	};
	const struct bytes text = BYTES_LIT(POST "Content-Length: 35184372088832\r\n\r\nab");
	struct arena *arena = arena_new(ARENA_SIZE);
	struct reader *reader = reader_new(arena, &wide);
	size_t used, more;

	(void)state;
	assert_int_equal(reader_feed(reader, text, &used), READER_HEAD);
	assert_int_equal(reader_feed(reader, bytes_skip(text, used), &more), READER_MORE);
	assert_int_equal(more, 2);
	assert_true(bytes_eq_str(reader_body(reader), "ab"));
	reader_free(reader);
	arena_free(arena);
}

static void
a_connection_stays_open_only_if_both_sides_may_think_so(void **state)
{
	static const struct {
		struct bytes	text;
		bool		keep_alive;
	} heads[] = {
		{ BYTES_LIT("GET / HTTP/1.1\r\n" HOST "\r\n"), true },
		{ BYTES_LIT("GET / HTTP/1.1\r\n" HOST "Connection: CLOSE\r\n\r\n"), false },
		{ BYTES_LIT("GET / HTTP/1.0\r\n\r\n"), false },
		{ BYTES_LIT("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), true },
		{ BYTES_LIT("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"), false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		struct arena *arena = arena_new(ARENA_SIZE);
		struct reader *reader = reader_new(arena, &limits);
		size_t used;

		assert_int_equal(reader_feed(reader, heads[i].text, &used), READER_HEAD);
		assert_int_equal(reader_head(reader)->keep_alive, heads[i].keep_alive);
		reader_free(reader);
		arena_free(arena);
	}
}

static void
the_head_says_what_was_asked(void **state)
{
	const struct bytes text = BYTES_LIT("POST http://Host.example:81/a/b?c=d&e HTTP/1.1\r\n"
	    "Host: other\r\nconnection: x, Close\r\nExpect: 100-continue\r\nX:  y \r\n"
	    "Content-Length: 2\r\n\r\n");
	struct arena *arena = arena_new(ARENA_SIZE);
	struct reader *reader = reader_new(arena, &limits);
	const struct request_head *head;
	size_t used;

	(void)state;
	assert_int_equal(reader_feed(reader, text, &used), READER_HEAD);
	assert_int_equal(used, text.len);
	head = reader_head(reader);
	assert_true(bytes_eq_str(head->method, "POST"));
	assert_true(bytes_eq_str(head->path, "/a/b"));
	assert_true(bytes_eq_str(head->query, "c=d&e"));
	assert_true(bytes_eq_str(head->host, "Host.example:81"));
	assert_true(bytes_eq_str(fields_get(&head->fields, "x"), "y"));
	assert_true(head->expects_continue && head->has_body && !head->keep_alive);
	assert_int_equal(head->minor_version, 1);
	assert_int_equal(reader_feed(reader, BYTES_NONE, &used), READER_MORE);
	reader_free(reader);
	arena_free(arena);
}

static void
trailers_join_no_fields(void **state)
{
	const struct bytes text = BYTES_LIT(CHUNKED "1\r\na\r\n0\r\nAuthorization: b\r\n\r\n");
	struct arena *arena = arena_new(ARENA_SIZE);
	struct reader *reader = reader_new(arena, &limits);
	size_t used, more;

	(void)state;
	assert_int_equal(reader_feed(reader, text, &used), READER_HEAD);
	assert_int_equal(reader_feed(reader, bytes_skip(text, used), &more), READER_DONE);
	assert_int_equal(fields_count(&reader_head(reader)->fields, "authorization"), 0);
	reader_free(reader);
	arena_free(arena);
}

static void
a_connection_that_said_nothing_has_not_begun(void **state)
{
	struct arena *arena = arena_new(ARENA_SIZE);
	struct reader *reader = reader_new(arena, &limits);
	size_t used;

	(void)state;
	assert_int_equal(reader_feed(reader, BYTES_LIT("\r\n"), &used), READER_MORE);
	assert_false(reader_has_begun(reader));
	assert_int_equal(reader_feed(reader, BYTES_LIT("G"), &used), READER_MORE);
	assert_true(reader_has_begun(reader));
	reader_free(reader);
	arena_free(arena);
}

static void
this_build_of_llhttp_is_strict(void **state)
{
	(void)state;
	assert_true(reader_self_test());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_verdict_does_not_depend_on_how_bytes_arrive),
		cmocka_unit_test(what_follows_a_message_is_left_alone),
		cmocka_unit_test(what_has_no_end_is_refused_at_its_limit),
		cmocka_unit_test(a_long_extension_is_refused_whatever_follows_it),
		cmocka_unit_test(a_body_takes_the_memory_that_came_and_not_what_was_promised),
		cmocka_unit_test(a_connection_stays_open_only_if_both_sides_may_think_so),
		cmocka_unit_test(the_head_says_what_was_asked),
		cmocka_unit_test(trailers_join_no_fields),
		cmocka_unit_test(a_connection_that_said_nothing_has_not_begun),
		cmocka_unit_test(this_build_of_llhttp_is_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
