/* SPDX-License-Identifier: MIT */
/*
 * ledger.h - what each team has used, spent and saved, and by when its limits have room
 * again.  It outlives a reload, and by its text a restart: all times are the
 * wall clock's.
 */
#ifndef CACHE_LEDGER_H
#define CACHE_LEDGER_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/money.h"
#include "base/rate.h"
#include "cache/gate.h"
#include "cache/tally.h"

#define LEDGER_NAME	"ledger"		/* of the value in the store */
#define LEDGER_TEXT_MAX	((size_t)4 << 20)

struct ledger;

/* How the name of an account begins that is not written: it counts places alone. */
#define LEDGER_UNWRITTEN	"@"

/* The account of those who have no team: no team is called that. */
#define LEDGER_NOBODY		"*"

struct ledger	*ledger_new(void);
struct ledger	*ledger_free(struct ledger *ledger);

/* An account is the ledger's and stands as long as it; any threads may use one. */
struct account {
	char			*name;		/* a team's */
	struct rate_meter	 requests;
	struct rate_meter	 tokens;
	struct gate		*gate;		/* of its calls */
	_Atomic usec_t		 expiry_told;	/* when it was last logged; 0: never */
	_Atomic(struct account *) next;
};

/* That of NAME, opened if there is none. */
struct account	*ledger_account(struct ledger *ledger, struct bytes name);

struct spending {
	uint64_t	input, output;		/* tokens, ever */
	uint64_t	spent;			/* pico (base/money.h), ever */
	uint64_t	today;			/* pico, since the period began */
	uint64_t	this_month;
};

/* What a call has used and cost, at NOW. */
void	ledger_spend(struct ledger *ledger, struct account *account,
	    const struct spending *spending, usec_t now);

struct spending	ledger_get(struct ledger *ledger, const struct account *account, usec_t now);

/* What answers that took no call have saved. */
void	ledger_save(struct ledger *ledger, struct account *account, const struct saved *saved);
struct saved	ledger_saved(struct ledger *ledger, const struct account *account);

/* How long it is until the next PERIOD begins. */
usec_t	ledger_period_left(enum period period, usec_t now);

/* What was there before could not be read: who has spent what is not known. */
void	ledger_set_unsound(struct ledger *ledger);
bool	ledger_is_sound(const struct ledger *ledger);

/* A meter of an account has moved: that is to be written too.  Takes no lock. */
void	ledger_touch(struct ledger *ledger);

/* Has anything changed since it was last written? */
bool	ledger_is_changed(struct ledger *ledger);

/*
 * As text, a line each: what is known of it may grow at its end.  What is read adds
 * to nothing: only accounts of a ledger just made are filled; a line that is none is
 * passed over.
 */
int	ledger_write(struct ledger *ledger, struct buf *out) MUST_USE;
void	ledger_read(struct ledger *ledger, struct bytes text);

/* Call FN for each account, in the order of their names; others may open some meanwhile. */
typedef void ledger_fn(void *arg, const struct account *account);
void	ledger_each(struct ledger *ledger, ledger_fn *fn, void *arg);

#endif
