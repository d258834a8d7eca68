/* SPDX-License-Identifier: MIT */
/*
 * scout.h - goes round the upstreams for all workers: sees how they are, and brings what
 * they say about themselves to the board.  It lives on the loop of one worker, and keeps
 * nobody from ending: what it has under way is given up when it is freed.
 */
#ifndef PROXY_SCOUT_H
#define PROXY_SCOUT_H

struct scout;
struct worker;

/* Start for what WORKER's configuration asks for; WORKER is borrowed and outlives it. */
struct scout	*scout_new(struct worker *worker);
struct scout	*scout_free(struct scout *scout);

#endif
