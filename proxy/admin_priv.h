/* SPDX-License-Identifier: MIT */
/*
 * admin_priv.h - what admin.c, which speaks HTTP, and the files that answer share.  For
 * them alone.
 */
#ifndef PROXY_ADMIN_PRIV_H
#define PROXY_ADMIN_PRIV_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

struct server;

struct admin_answer {
	int		 status;
	const char	*type;		/* of the content */
	struct buf	 body;
};

enum {
	ADMIN_E_LATER = 1,		/* the answer waits until the reload is over */
};

/*
 * Answer a question whose body is BODY.  0, ADMIN_E_LATER, or a negative error: there was
 * no room for the answer.
 */
typedef int admin_fn(struct server *srv, struct bytes body, struct admin_answer *answer);

extern admin_fn admin_healthz, admin_readyz, admin_metrics, admin_stats, admin_purge, admin_reload;

/* Of the metrics those that no worker counts. */
struct page;
void	admin_put_gauges(struct page *page, const struct server *srv);

/* An error (RFC 9457), in place of what is in ANSWER. */
int	admin_problem(struct admin_answer *answer, int status, const char *detail) MUST_USE;

#endif
