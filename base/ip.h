/* SPDX-License-Identifier: MIT */
/*
 * ip.h - addresses of the Internet and nets of them, passed by value.  An IPv4 address is
 * kept as IPv6 writes it (::ffff:192.0.2.1), so that the two spellings of one are one.
 */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#define IP_LEN		16
#define IP_TEXT_MAX	46	/* with its NUL */

struct ip {
	uint8_t	bytes[IP_LEN];
};

/* All addresses that have the first BITS bits of IP. */
struct ip_net {
	struct ip	ip;
	unsigned	bits;
};

/* No address: of a peer that has none, or of whom nothing is known. */
#define IP_NONE	((struct ip){ { 0 } })

bool	ip_is_none(struct ip ip);
bool	ip_is_v4(struct ip ip);
bool	ip_eq(struct ip a, struct ip b);

/* Of the 4 or 16 bytes at RAW, in the order of the network. */
struct ip	ip_v4(const void *raw);
struct ip	ip_v6(const void *raw);

/* 192.0.2.1 or 2001:db8::1, and nothing around it. */
bool	ip_parse(struct bytes text, struct ip *ret_ip) MUST_USE;

/* The same, or a net: 192.0.2.0/24. */
bool	ip_net_parse(struct bytes text, struct ip_net *ret_net) MUST_USE;

void	ip_format(struct ip ip, char ret_text[IP_TEXT_MAX]);

bool	ip_net_has(const struct ip_net *nets, size_t n, struct ip ip);

/* What one customer commonly has: an IPv4 address, of IPv6 the net of 64 bits. */
struct ip	ip_household(struct ip ip);

#endif
