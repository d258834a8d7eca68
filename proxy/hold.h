/* SPDX-License-Identifier: MIT */
/*
 * hold.h - requests whose model is still being loaded are held until it is there.
 * For the files of a request alone.
 */
#ifndef PROXY_HOLD_H
#define PROXY_HOLD_H

#include "proxy/request_priv.h"

/*
 * With the head of an answer there: may it be one of a model that is being loaded,
 * and is the request to wait for it?  Then the answer is to be read whole.
 */
bool	hold_may(const struct request *req);

/* With all of it there: is it?  Then the next step is STEP_HOLD. */
bool	hold_must(const struct request *req);

enum hold_state {
	HOLD_WAIT,		/* we will be woken */
	HOLD_RETRY,
	HOLD_OVER,		/* the answer that is there is given after all */
};

/* What a held request has to do now. */
enum hold_state	hold_check(struct request *req);

/* It was answered: those who wait for the same model ask for themselves. */
void	hold_release(struct request *req);

/* It is not held any more; if it was the one who asked, another will be. */
void	hold_end(struct request *req);

#endif
