/* SPDX-License-Identifier: MIT */
/*
 * forwarded.h - whose request it is that proxies passed on, by X-Forwarded-For: each adds
 * on the right who asked it, so that it is true from the right as far as they are trusted.
 */
#ifndef PROXY_HTTP_FORWARDED_H
#define PROXY_HTTP_FORWARDED_H

#include "base/ip.h"
#include "proxy/http/field.h"

/*
 * With FIELDS of a request that came from FROM, and N nets of proxies that are TRUSTED: the
 * last address that is none of them.
 */
struct ip	forwarded_for(const struct fields *fields, const struct ip_net *trusted, size_t n,
		    struct ip from);

#endif
