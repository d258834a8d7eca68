/* SPDX-License-Identifier: MIT */
/*
 * retouch.h - a recorded answer, changed in a few places on its way to a client: its
 * ids and times made new, its usage said as nothing or taken out.  Every other byte
 * stays as it was recorded.  Pure, and without memory: what is known of a stream is
 * in the bytes that the caller still holds.
 *
 * What is looked at are objects: the body, the data of an event, a line.  All else
 * passes as it came: what is not strict JSON, [DONE], comments, an event whose JSON
 * is spread over several lines of data.  Names are taken as they are written, so one
 * that is spelled with escapes is not found; of one that comes twice both are changed.
 */
#ifndef PROXY_DIALECT_RETOUCH_H
#define PROXY_DIALECT_RETOUCH_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"

/* What the bytes are. */
enum retouch_frame {
	RETOUCH_WHOLE,		/* one JSON text */
	RETOUCH_EVENTS,		/* server-sent events (PROTOCOLS.md 12.1) */
	RETOUCH_LINES,		/* NDJSON */
};

struct retouch {
	enum retouch_frame	 frame;

	/*
	 * Hex digits, borrowed: what the answer's ids say from now on, but for the prefix
	 * that ends in their first '-' or '_'; an id that says nothing goes on saying
	 * nothing.  None: ids and times stay.
	 */
	struct bytes		 id;
	usec_t			 now;		/* of the wall clock; goes with ID */

	bool			 zeroes_usage;	/* each count in it is said as 0 */
	bool			 drops_usage;	/* of events: no sign of include_usage stays */
};

/*
 * Append to OUT as much of IN as is whole, changed as HOW says: of events and lines
 * those that have ended, of a body all, which so has to be there.  *RET_USED is how
 * much of IN that was; the caller comes back with the rest and what follows it.
 *
 * With IS_END nothing follows and all is used; an event that never ended passes as it
 * came.  0; or -E2BIG or -ENOMEM, then perhaps with a part of it in OUT.
 */
int	retouch(const struct retouch *how, struct bytes in, bool is_end, struct buf *out,
	    size_t *ret_used) MUST_USE;

#endif
