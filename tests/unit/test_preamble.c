/* SPDX-License-Identifier: MIT */
/*
 * test_preamble.c - headers of the PROXY protocol, good and bad, whole and in pieces.
 */
#include "proxy/http/preamble.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define SIGNATURE	"\r\n\r\n\0\r\nQUIT\n"
#define V4		"\xc0\0\2\1" "\xc6\x33\x64\7" "\xc7\x38" "\1\xbb"
#define V6		"\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1" \
			"\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2" "\xc7\x38" "\1\xbb"
#define ROW(text)	text, sizeof(text) - 1

static const struct {
	const char		*text;
	size_t			 len;
	enum preamble_state	 state;
	const char		*from;		/* when it is done; NULL: none */
} rows[] = {
	{ ROW("PROXY TCP4 192.0.2.1 198.51.100.7 51000 443\r\n"), PREAMBLE_DONE, "192.0.2.1" },
	{ ROW("PROXY TCP6 2001:db8::1 2001:db8::2 51000 443\r\n"), PREAMBLE_DONE, "2001:db8::1" },
	{ ROW("PROXY TCP6 ::ffff:192.0.2.1 ::1 0 65535\r\n"), PREAMBLE_DONE, "192.0.2.1" },
	{ ROW("PROXY UNKNOWN\r\n"), PREAMBLE_DONE, NULL },
	{ ROW("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 1 2\r\n"), PREAMBLE_DONE, NULL },
	{ ROW("PROXY TCP4 192.0.2.1 198.51.100.7 51000 443\n"), PREAMBLE_BAD, NULL },
	{ ROW("PROXY TCP4 192.0.2.1 198.51.100.7 51000 443\r\r\n"), PREAMBLE_BAD, NULL },
	{ ROW("PROXY TCP4 192.0.2.1 198.51.100.7 51000\r\n"), PREAMBLE_BAD, NULL },
	{ ROW("PROXY TCP4 192.0.2.1 198.51.100.7 51000 443 1\r\n"), PREAMBLE_BAD, NULL },
	{ ROW("PROXY TCP4 192.0.2.1 198.51.100.7 51000 65536\r\n"), PREAMBLE_BAD, NULL },
	{ ROW("PROXY TCP4 192.0.2.1 198.51.100.7 -1 443\r\n"), PREAMBLE_BAD, NULL },
	{ ROW("PROXY TCP4 192.0.2.1 198.51.100.7  51000 443\r\n"), PREAMBLE_BAD, NULL },
	{ ROW("PROXY TCP4 192.0.2.256 198.51.100.7 51000 443\r\n"), PREAMBLE_BAD, NULL },
	{ ROW("PROXY TCP4 ::1 ::1 51000 443\r\n"), PREAMBLE_BAD, NULL },
	{ ROW("PROXY TCP6 192.0.2.1 198.51.100.7 51000 443\r\n"), PREAMBLE_BAD, NULL },
	{ ROW("PROXY UDP4 192.0.2.1 198.51.100.7 51000 443\r\n"), PREAMBLE_BAD, NULL },
	{ ROW("PROXY UNKNOWNS\r\n"), PREAMBLE_BAD, NULL },
	{ ROW("PROXY \r\n"), PREAMBLE_BAD, NULL },
	{ ROW("proxy TCP4 192.0.2.1 198.51.100.7 51000 443\r\n"), PREAMBLE_BAD, NULL },
	{ ROW("GET / HTTP/1.1\r\n"), PREAMBLE_BAD, NULL },
	{ ROW("\x16\3\1"), PREAMBLE_BAD, NULL },
	{ ROW(SIGNATURE "\x21\x11\0\x0c" V4), PREAMBLE_DONE, "192.0.2.1" },
	{ ROW(SIGNATURE "\x21\x21\0\x24" V6), PREAMBLE_DONE, "2001:db8::1" },
	{ ROW(SIGNATURE "\x21\x11\0\x11" V4 "\4\0\2xx"), PREAMBLE_DONE, "192.0.2.1" },
	{ ROW(SIGNATURE "\x20\0\0\0"), PREAMBLE_DONE, NULL },
	{ ROW(SIGNATURE "\x20\x11\0\x0c" V4), PREAMBLE_DONE, NULL },
	{ ROW(SIGNATURE "\x20\x77\0\1x"), PREAMBLE_DONE, NULL },
	{ ROW(SIGNATURE "\x21\0\0\3xyz"), PREAMBLE_DONE, NULL },
	{ ROW(SIGNATURE "\x21\x11\0\x0b" V4), PREAMBLE_BAD, NULL },
	{ ROW(SIGNATURE "\x21\x21\0\x0c" V4), PREAMBLE_BAD, NULL },
	{ ROW(SIGNATURE "\x21\x31\0\x0c" V4), PREAMBLE_BAD, NULL },
	{ ROW(SIGNATURE "\x21\x12\0\x0c" V4), PREAMBLE_BAD, NULL },
	{ ROW(SIGNATURE "\x11"), PREAMBLE_BAD, NULL },
	{ ROW(SIGNATURE "\x22"), PREAMBLE_BAD, NULL },
	{ ROW(SIGNATURE "\x21\x11\x0f\xf1"), PREAMBLE_BAD, NULL },
	{ ROW("\r\n\r\nGET"), PREAMBLE_BAD, NULL },
};

static void
a_header_is_what_the_protocol_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes text = { rows[i].text, rows[i].len };
		struct preamble preamble = { 0 };
		struct ip from = IP_NONE;

		assert_int_equal(preamble_read(text, &preamble), rows[i].state);
		if (rows[i].state != PREAMBLE_DONE)
			continue;
		assert_true(rows[i].from == NULL || ip_parse(bytes_str(rows[i].from), &from));
		assert_int_equal(preamble.len, text.len);
		assert_true(ip_eq(preamble.from, from));
	}
}

/* Until its last byte there is more to come, and what follows it is not looked at. */
static void
a_header_may_come_in_pieces(void **state)
{
	char more[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct preamble preamble = { 0 };

		if (rows[i].state != PREAMBLE_DONE)
			continue;
		for (size_t n = 0; n < rows[i].len; n++) {
			struct bytes part = { rows[i].text, n };

			assert_int_equal(preamble_read(part, &preamble), PREAMBLE_MORE);
		}
		memcpy(more, rows[i].text, rows[i].len);
		memset(more + rows[i].len, '\r', sizeof(more) - rows[i].len);
		assert_int_equal(preamble_read((struct bytes){ more, sizeof(more) }, &preamble),
		    PREAMBLE_DONE);
		assert_int_equal(preamble.len, rows[i].len);
	}
}

static void
a_header_has_an_end(void **state)
{
	char text[PREAMBLE_MAX + 1] = "PROXY UNKNOWN ";
	struct preamble preamble;

	(void)state;
	memset(text + 14, 'x', sizeof(text) - 14);
	assert_int_equal(preamble_read((struct bytes){ text, 106 }, &preamble), PREAMBLE_MORE);
	assert_int_equal(preamble_read((struct bytes){ text, 107 }, &preamble), PREAMBLE_BAD);
	memcpy(text + 105, "\r\n", 2);
	assert_int_equal(preamble_read((struct bytes){ text, 107 }, &preamble), PREAMBLE_DONE);
	memcpy(text, SIGNATURE "\x21\x11\x0f\xf0", 16);
	memcpy(text + 16, V4, 12);
	assert_int_equal(preamble_read((struct bytes){ text, PREAMBLE_MAX - 1 }, &preamble),
	    PREAMBLE_MORE);
	assert_int_equal(preamble_read((struct bytes){ text, PREAMBLE_MAX }, &preamble),
	    PREAMBLE_DONE);
	assert_int_equal(preamble.len, PREAMBLE_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_what_the_protocol_says),
		cmocka_unit_test(a_header_may_come_in_pieces),
		cmocka_unit_test(a_header_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
