/* SPDX-License-Identifier: MIT */
/*
 * keep.h - what of an upstream's answer is kept.  For the files of a request alone.
 */
#ifndef PROXY_KEEP_H
#define PROXY_KEEP_H

#include "proxy/request_priv.h"

/* Hand the collected answer to the store if it may be stored; was it? */
bool	keep_answer(struct request *req);

#endif
