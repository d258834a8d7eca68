/* SPDX-License-Identifier: MIT */
/*
 * forwarded.c - from the last field to the first, from the right to the left.
 */
#include "proxy/http/forwarded.h"

#define NAME	"x-forwarded-for"

/* Cut off *REST what stands behind its last comma. */
static struct bytes
cut_last(struct bytes *rest)
{
	size_t at = rest->len;
	struct bytes last;

	while (at > 0 && rest->ptr[at - 1] != ',')
		at--;
	last = bytes_skip(*rest, at);
	*rest = bytes_first(*rest, at > 0 ? at - 1 : 0);
	return bytes_trim(last);
}

/* Go on from *AT through LIST; true: further back there is nothing to be believed. */
static bool
walk(struct bytes list, const struct ip_net *trusted, size_t n, struct ip *at)
{
	struct ip ip;

	while (list.len > 0) {
		if (!ip_net_has(trusted, n, *at) || !ip_parse(cut_last(&list), &ip))
			return true;
		*at = ip;
	}
	return false;
}

struct ip
forwarded_for(const struct fields *fields, const struct ip_net *trusted, size_t n, struct ip from)
{
	struct ip at = from;

	for (size_t i = fields->n; i-- > 0;)
		if (bytes_eq_str_nocase(fields->list[i].name, NAME) &&
		    walk(fields->list[i].value, trusted, n, &at))
			break;
	return at;
}
