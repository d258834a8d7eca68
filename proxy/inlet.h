/* SPDX-License-Identifier: MIT */
/*
 * inlet.h - where clients come in: an address a worker listens on, and those who were
 * accepted there, until it is known whose connection it is and that it may have it.
 * Owned by its worker.
 */
#ifndef PROXY_INLET_H
#define PROXY_INLET_H

#include <stdbool.h>

struct inlet;
struct worker;

/*
 * Let in who connects to FD, which is taken.  WORKER is borrowed.  If they are ANNOUNCED,
 * each connection begins with a header of the PROXY protocol.
 */
struct inlet	*inlet_new(struct worker *worker, int fd, bool is_announced);
void		 inlet_set_announced(struct inlet *inlet, bool is_announced);

/* Those who wait to be accepted still come in (H-14); those who said nothing yet do not. */
struct inlet	*inlet_free(struct inlet *inlet);

#endif
