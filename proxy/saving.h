/* SPDX-License-Identifier: MIT */
/*
 * saving.h - what answers that took no call of their own saved: tokens, and by the
 * prices of the configuration money.  For the files of a request and the worker alone.
 */
#ifndef PROXY_SAVING_H
#define PROXY_SAVING_H

#include "proxy/request_priv.h"

/* It was answered with what was found. */
void	saving_note_hit(struct request *req);

/* It was answered by another's call, all of which is there. */
void	saving_note_follower(struct request *req);

/* Give what WORKER has noted to those who write it down: its thread, now and then. */
void	saving_hand_on(struct worker *worker);

#endif
