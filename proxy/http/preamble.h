/* SPDX-License-Identifier: MIT */
/*
 * preamble.h - the header of the PROXY protocol, versions 1 and 2, with which a proxy in
 * front says whose connection it is.  It comes before all else, TLS included.
 */
#ifndef PROXY_HTTP_PREAMBLE_H
#define PROXY_HTTP_PREAMBLE_H

#include "base/bytes.h"
#include "base/ip.h"

#define PREAMBLE_MAX	4096

enum preamble_state {
	PREAMBLE_MORE,		/* as far as it goes, it is one; all of it belongs to it */
	PREAMBLE_DONE,
	PREAMBLE_BAD,		/* it will never be one */
};

struct preamble {
	size_t		len;	/* what follows is the connection's own */
	struct ip	from;	/* none: the proxy speaks for itself, or does not know */
};

/* Read IN, all that has come; *RET_PREAMBLE is written when it is done. */
enum preamble_state	preamble_read(struct bytes in, struct preamble *ret_preamble);

#endif
