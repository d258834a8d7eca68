/* SPDX-License-Identifier: MIT */
/*
 * multi.h - the upstream transfers of one worker: a curl multi handle that
 * lives on the worker's loop, with its pool of kept connections.  libcurl is
 * never called from its own callbacks (H-34): they note, the loop runs.
 */
#ifndef PROXY_NET_MULTI_H
#define PROXY_NET_MULTI_H

#include <curl/curl.h>

#include "proxy/net/loop.h"

struct multi;

struct multi	*multi_new(struct loop *loop);
struct multi	*multi_free(struct multi *multi);	/* no transfer may be left */

struct loop	*multi_loop(const struct multi *multi);

/*
 * Start EASY.  When it is over DONE is called from the loop, outside of any
 * libcurl callback, with ARG and its result.
 */
typedef void multi_done_fn(void *arg, CURLcode result);
void	multi_add(struct multi *multi, CURL *easy, multi_done_fn *done, void *arg);

/* Stop EASY, over or not. */
void	multi_remove(struct multi *multi, CURL *easy);

/* Let libcurl look at its transfers soon: after one was resumed (H-33). */
void	multi_nudge(struct multi *multi);

#endif
