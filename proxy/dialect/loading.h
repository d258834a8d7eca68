/* SPDX-License-Identifier: MIT */
/*
 * loading.h - the answer of a server whose model is not loaded yet.  Pure.
 */
#ifndef PROXY_DIALECT_LOADING_H
#define PROXY_DIALECT_LOADING_H

#include "base/bytes.h"

/*
 * Does an answer of STATUS and BODY say that its model is being loaded: Hugging
 * Face's 503 with an estimated_time, llama-server's "Loading model" (PROTOCOLS.md
 * 3.6, 10)?  Any other 503 is a server that is down or has too much to do.
 */
bool	answer_is_loading(int status, struct bytes body);

#endif
