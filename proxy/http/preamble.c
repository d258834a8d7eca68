/* SPDX-License-Identifier: MIT */
/*
 * preamble.c - a line of text, or a head of 16 bytes and what it says follows:
 *
 *	PROXY TCP4 192.0.2.1 198.51.100.7 51000 443\r\n
 *
 *	12 bytes that no protocol begins with | 2 and the command | family | length | addresses
 *
 * Of the addresses only the client's matters; what version 2 says behind them is skipped.
 */
#include "proxy/http/preamble.h"

#include <string.h>

#include "base/err.h"
#include "base/num.h"

#define LINE_MAX_LEN	107		/* with its end */
#define WORD		"PROXY "
#define HEAD_LEN	16
#define SIGNATURE	"\r\n\r\n\0\r\nQUIT\n"
#define SIGNATURE_LEN	12
#define VERSION_2	0x20
#define LOCAL		0x0
#define PROXY		0x1
#define UNSPEC		0x00
#define TCP4		0x11
#define TCP6		0x21
#define UNIX_STREAM	0x31

/* Is IN the beginning of WORD, or WORD with more behind it? */
static bool
begins(struct bytes in, const char *word, size_t len)
{
	return memcmp(in.ptr, word, in.len < len ? in.len : len) == 0;
}

static bool
is_port(struct bytes text)
{
	uint64_t port;

	return text.len <= 5 && num_parse_u64(text, &port) == 0 && port <= UINT16_MAX;
}

static bool
is_of_family(struct bytes text, bool is_v6, struct ip *ret_ip)
{
	return (bytes_find_char(text, ':') < text.len) == is_v6 && ip_parse(text, ret_ip);
}

/* The line behind its first word, without its end. */
static bool
read_words(struct bytes rest, struct ip *ret_from)
{
	struct bytes family = bytes_cut(&rest, ' '), from, to, port;
	bool is_v6 = bytes_eq_str(family, "TCP6");
	struct ip ignored;

	*ret_from = IP_NONE;
	if (bytes_eq_str(family, "UNKNOWN"))
		return true;	/* and whatever follows */
	if (!is_v6 && !bytes_eq_str(family, "TCP4"))
		return false;
	from = bytes_cut(&rest, ' ');
	to = bytes_cut(&rest, ' ');
	port = bytes_cut(&rest, ' ');
	return is_of_family(from, is_v6, ret_from) && is_of_family(to, is_v6, &ignored) &&
	    is_port(port) && is_port(rest);
}

static enum preamble_state
read_line(struct bytes in, struct preamble *ret_preamble)
{
	struct bytes line = bytes_first(in, LINE_MAX_LEN);
	size_t end = bytes_find_char(line, '\r');
	struct ip from;

	if (bytes_find_char(line, '\n') < end)
		return PREAMBLE_BAD;
	if (end + 1 >= line.len)
		return line.len == LINE_MAX_LEN ? PREAMBLE_BAD : PREAMBLE_MORE;
	if (line.ptr[end + 1] != '\n' ||
	    !read_words(bytes_skip(bytes_first(line, end), strlen(WORD)), &from))
		return PREAMBLE_BAD;
	*ret_preamble = (struct preamble){ end + 2, from };
	return PREAMBLE_DONE;
}

/* The address of the client in BODY; false if there is none where FAMILY has one. */
static bool
read_family(uint8_t family, struct bytes body, struct ip *ret_from)
{
	*ret_from = IP_NONE;
	switch (family) {
	case UNSPEC:
		return true;
	case TCP4:
		if (body.len < 12)
			return false;
		*ret_from = ip_v4(body.ptr);
		return true;
	case TCP6:
		if (body.len < 36)
			return false;
		*ret_from = ip_v6(body.ptr);
		return true;
	case UNIX_STREAM:
		return body.len >= 216;
	default:
		return false;
	}
}

static enum preamble_state
read_binary(struct bytes in, struct preamble *ret_preamble)
{
	const uint8_t *raw = (const uint8_t *)in.ptr;
	struct ip from = IP_NONE;
	size_t len;

	if (in.len > SIGNATURE_LEN && raw[12] != (VERSION_2 | LOCAL) &&
	    raw[12] != (VERSION_2 | PROXY))
		return PREAMBLE_BAD;
	if (in.len < HEAD_LEN)
		return PREAMBLE_MORE;
	len = HEAD_LEN + ((size_t)raw[14] << 8 | raw[15]);
	if (len > PREAMBLE_MAX)
		return PREAMBLE_BAD;
	if (in.len < len)
		return PREAMBLE_MORE;
	if (raw[12] == (VERSION_2 | PROXY) &&
	    !read_family(raw[13], bytes_skip(bytes_first(in, len), HEAD_LEN), &from))
		return PREAMBLE_BAD;
	*ret_preamble = (struct preamble){ len, from };
	return PREAMBLE_DONE;
}

enum preamble_state
preamble_read(struct bytes in, struct preamble *ret_preamble)
{
	if (in.len == 0)
		return PREAMBLE_MORE;
	if (begins(in, SIGNATURE, SIGNATURE_LEN))
		return read_binary(in, ret_preamble);
	if (!begins(in, WORD, strlen(WORD)))
		return PREAMBLE_BAD;
	return in.len < strlen(WORD) ? PREAMBLE_MORE : read_line(in, ret_preamble);
}
