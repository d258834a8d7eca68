/* SPDX-License-Identifier: MIT */
/*
 * board.h - what upstreams have said about themselves when we asked: one board for all
 * workers, a notice on it for each place that is asked.  One worker's scout goes and
 * asks; requests of any worker look, and wait.
 */
#ifndef PROXY_BOARD_H
#define PROXY_BOARD_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"

struct board;
struct config_upstream;
struct notice;

enum notice_kind {
	NOTICE_REVISION,	/* identity.h; keys are made of it */
	NOTICE_MODELS,
};

enum notice_state {
	NOTICE_NONE,		/* never asked */
	NOTICE_KNOWN,
	NOTICE_DOUBTED,		/* it was known, and something has happened since */
	NOTICE_NOBODY,		/* there was nobody to be asked */
	NOTICE_FAILED,		/* what came was no answer */
};

struct notice_view {
	enum notice_state	 state;
	struct bytes		 text;		/* of the last answer that was one, or none */
	uint64_t		 n_ended;	/* how often it has been asked */
	usec_t			 ended;		/* when for the last time */
};

struct board	*board_new(void);
struct board	*board_free(struct board *board);	/* nobody may wait */

/* That of PATH at UP; it stands as long as the board. */
struct notice	*board_find(struct board *board, const struct config_upstream *up,
		    const char *path, enum notice_kind kind);

/*
 * Another number than before whenever a revision that was known may not be so any more:
 * what was made of it then is void.
 */
uint64_t	board_generation(const struct board *board);

/* What is known, its text copied to ARENA unless that is NULL; -E2BIG when it is full. */
int	notice_look(struct notice *notice, struct arena *arena, struct notice_view *ret_view)
	    MUST_USE;

/* Whoever waits for news is woken at each, from any thread.  Embedded; zeros: it does not. */
typedef void board_wake_fn(void *arg);
struct board_seat {
	board_wake_fn		*wake;
	void			*arg;
	struct board		*board;		/* on which it waits, or NULL */
	struct board_seat	*next;
};
void	board_wait(struct board *board, struct board_seat *seat);
void	board_leave(struct board_seat *seat);

/* Have it asked now, unless it is being asked; false: there is nobody any more to do so. */
bool	notice_want(struct notice *notice);

/* Something happened to UP: its revision counts no more until it has been said again. */
void	board_doubt(struct board *board, const char *up);

/*
 * The scout's side.  Wanted notices WAKE it; it takes the place of another that may be
 * there, and what is known is in doubt.  When it goes and no other has come, it stays so.
 */
void	board_set_scout(struct board *board, board_wake_fn *wake, void *arg);
void	board_leave_scout(struct board *board, const void *arg);

/* Is it to be asked now?  Then it is under way until notice_set(). */
bool	notice_take(struct notice *notice, bool is_due);

/* KNOWN with its TEXT, NOBODY, or FAILED.  Is the text another than before? */
bool	notice_set(struct notice *notice, enum notice_state state, struct bytes text, usec_t now);

#endif
