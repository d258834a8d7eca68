/* SPDX-License-Identifier: MIT */
/*
 * revision.h - which model a question is about, beyond its name: part of its key, so
 * that a new model under an old name gives no old answers.  For the files of a request
 * alone.
 */
#ifndef PROXY_REVISION_H
#define PROXY_REVISION_H

#include "proxy/request_priv.h"

/*
 * With the route and the model there: is the revision still to be asked for?  Then the
 * request is woken when it is there, or when it has waited long enough.
 */
bool	revision_must_wait(struct request *req);

/* Is it known, or is there none to be known?  Without waiting. */
bool	revision_is_known(struct request *req);

/* Is that which UP has the same? */
bool	revision_is_of(const struct request *req, const struct config_upstream *up);

/* The call to an upstream is over: if it failed, there may be another model next time. */
void	revision_note_call(struct request *req);

#endif
