/* SPDX-License-Identifier: MIT */
/*
 * ip.c - what inet_pton(3) and its kin say of addresses.
 */
#include "base/ip.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

#define V4_BITS		32
#define V6_BITS		128
#define V4_AT		12		/* where IPv4 begins in IPv6 */
#define HOUSEHOLD_LEN	8

static const uint8_t v4_prefix[V4_AT] = { [10] = 0xff, [11] = 0xff };

bool
ip_is_none(struct ip ip)
{
	return ip_eq(ip, IP_NONE);
}

bool
ip_is_v4(struct ip ip)
{
	return memcmp(ip.bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool
ip_eq(struct ip a, struct ip b)
{
	return memcmp(a.bytes, b.bytes, IP_LEN) == 0;
}

struct ip
ip_v4(const void *raw)
{
	struct ip ip;

	memcpy(ip.bytes, v4_prefix, sizeof(v4_prefix));
	memcpy(ip.bytes + V4_AT, raw, IP_LEN - V4_AT);
	return ip;
}

struct ip
ip_v6(const void *raw)
{
	struct ip ip;

	memcpy(ip.bytes, raw, IP_LEN);
	return ip;
}

bool
ip_parse(struct bytes text, struct ip *ret_ip)
{
	char copy[IP_TEXT_MAX];
	uint8_t raw[IP_LEN];

	if (text.len == 0 || text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	if (strlen(copy) != text.len)
		return false;
	if (inet_pton(AF_INET, copy, raw) == 1)
		*ret_ip = ip_v4(raw);
	else if (inet_pton(AF_INET6, copy, raw) == 1)
		*ret_ip = ip_v6(raw);
	else
		return false;
	return true;
}

bool
ip_net_parse(struct bytes text, struct ip_net *ret_net)
{
	bool has_bits = bytes_find_char(text, '/') < text.len;
	struct bytes address = bytes_cut(&text, '/');
	uint64_t bits, max;
	struct ip ip;

	if (!ip_parse(address, &ip))
		return false;
	/* By how it is written: ::ffff:0:0/96 is the net of all IPv4 addresses. */
	max = bytes_find_char(address, ':') < address.len ? V6_BITS : V4_BITS;
	bits = max;
	if (has_bits && (num_parse_u64(text, &bits) != 0 || bits > max))
		return false;
	*ret_net = (struct ip_net){ ip, (unsigned)(bits + V6_BITS - max) };
	return true;
}

void
ip_format(struct ip ip, char ret_text[IP_TEXT_MAX])
{
	const char *text = ip_is_v4(ip) ?
	    inet_ntop(AF_INET, ip.bytes + V4_AT, ret_text, IP_TEXT_MAX) :
	    inet_ntop(AF_INET6, ip.bytes, ret_text, IP_TEXT_MAX);

	assert(text != NULL);
}

static bool
has(const struct ip_net *net, struct ip ip)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (memcmp(net->ip.bytes, ip.bytes, whole) != 0)
		return false;
	return rest == 0 || ((net->ip.bytes[whole] ^ ip.bytes[whole]) >> (8 - rest)) == 0;
}

bool
ip_net_has(const struct ip_net *nets, size_t n, struct ip ip)
{
	for (size_t i = 0; i < n; i++)
		if (has(&nets[i], ip))
			return true;
	return false;
}

struct ip
ip_household(struct ip ip)
{
	if (!ip_is_v4(ip))
		memset(ip.bytes + HOUSEHOLD_LEN, 0, IP_LEN - HOUSEHOLD_LEN);
	return ip;
}
