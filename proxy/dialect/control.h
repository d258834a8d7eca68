/* SPDX-License-Identifier: MIT */
/*
 * control.h - what a request asks of the cache, in all the ways that clients
 * say it: Cache-Control, the options of Hugging Face, the fields that other
 * gateways taught people to send, and LiteLLM's body object "cache".  One
 * table, control_tbl.h.  Pure.
 */
#ifndef PROXY_DIALECT_CONTROL_H
#define PROXY_DIALECT_CONTROL_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "cache/policy.h"
#include "proxy/http/field.h"

#define CONTROL_NAMESPACE_MAX	128

/* For a model that is not loaded yet (PROTOCOLS.md 3.6). */
enum wait {
	WAIT_UNSAID,
	WAIT_YES,
	WAIT_NO,
};

struct controls {
	struct directives directives;
	bool		 is_legacy;	/* X-Load-Model: 0 (PROTOCOLS.md 3.6) */
	bool		 explains;	/* wants to know why this was a hit or a miss */
	enum wait	 wait;
	bool		 has_ttl;
	usec_t		 ttl;		/* of the answer, when it is stored */
	struct bytes	 namespace;	/* a part of the cache of its own; empty: the common one */
};

/*
 * Add what FIELDS say to *CONTROLS.  Returns NULL, or for the client what is
 * wrong with a control of ours (x-reprise-...); what others' controls get wrong
 * is passed over.
 */
const char	*control_read_fields(struct controls *controls, const struct fields *fields);

/*
 * Is OBJECT, the raw JSON of a body's member "cache", LiteLLM's?  Only if all its
 * members are known; then they are added to *CONTROLS, whose namespace lies in
 * ARENA.
 */
bool	control_read_object(struct controls *controls, struct bytes object,
	    struct arena *arena);

#endif
