/* SPDX-License-Identifier: MIT */
/*
 * board.c - a list of notices, and one lock for all: it is taken by what is asked
 * for the first time, not by a hit, which compares the generation.
 *
 *	none --> known <--> doubted
 *	           ^-----> nobody, failed
 */
#include "proxy/board.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"

struct notice {
	struct board		*board;
	struct notice		*next;
	char			*name;		/* of the upstream */
	char			*url;
	char			*path;
	enum notice_kind	 kind;
	char			*text;
	size_t			 len;
	enum notice_state	 state;
	bool			 is_wanted;
	bool			 is_under_way;
	uint64_t		 n_ended;
	usec_t			 ended;
};

struct board {
	pthread_mutex_t		 lock;
	_Atomic uint64_t	 generation;
	struct notice		*notices;
	struct board_seat	*seats;
	board_wake_fn		*wake;		/* the scout; NULL: there is none */
	void			*arg;
};

struct board *
board_new(void)
{
	struct board *board = xcalloc(1, sizeof(*board));

	pthread_mutex_init(&board->lock, NULL);
	return board;
}

struct board *
board_free(struct board *board)
{
	struct notice *next;

	if (board == NULL)
		return NULL;
	assert(board->seats == NULL && board->wake == NULL);
	for (struct notice *n = board->notices; n != NULL; n = next) {
		next = n->next;
		xfree(n->name);
		xfree(n->url);
		xfree(n->path);
		xfree(n->text);
		xfree(n);
	}
	pthread_mutex_destroy(&board->lock);
	return xfree(board);
}

static bool
is_of(const struct notice *n, const struct config_upstream *up, const char *path,
    enum notice_kind kind)
{
	return n->kind == kind && strcmp(n->name, up->name) == 0 && strcmp(n->url, up->url) == 0 &&
	    strcmp(n->path, path) == 0;
}

/* With the lock. */
static struct notice *
find_or_add(struct board *board, const struct config_upstream *up, const char *path,
    enum notice_kind kind)
{
	struct notice *n = board->notices;

	while (n != NULL && !is_of(n, up, path, kind))
		n = n->next;
	if (n != NULL)
		return n;
	n = xcalloc(1, sizeof(*n));
	*n = (struct notice){
		.board = board, .next = board->notices, .name = xstrdup(up->name),
		.url = xstrdup(up->url), .path = xstrdup(path), .kind = kind,
	};
	board->notices = n;
	return n;
}

struct notice *
board_find(struct board *board, const struct config_upstream *up, const char *path,
    enum notice_kind kind)
{
	struct notice *notice;

	pthread_mutex_lock(&board->lock);
	notice = find_or_add(board, up, path, kind);
	pthread_mutex_unlock(&board->lock);
	return notice;
}

uint64_t
board_generation(const struct board *board)
{
	return atomic_load_explicit(&board->generation, memory_order_relaxed);
}

int
notice_look(struct notice *notice, struct arena *arena, struct notice_view *ret_view)
{
	struct notice_view view;
	int r = 0;

	pthread_mutex_lock(&notice->board->lock);
	view = (struct notice_view){
		.state = notice->state, .n_ended = notice->n_ended, .ended = notice->ended,
	};
	if (arena != NULL && notice->text != NULL)
		r = arena_copy(arena, (struct bytes){ notice->text, notice->len }, &view.text);
	pthread_mutex_unlock(&notice->board->lock);
	if (r == 0)
		*ret_view = view;
	return r;
}

void
board_wait(struct board *board, struct board_seat *seat)
{
	if (seat->board != NULL)
		return;
	pthread_mutex_lock(&board->lock);
	seat->board = board;
	seat->next = board->seats;
	board->seats = seat;
	pthread_mutex_unlock(&board->lock);
}

void
board_leave(struct board_seat *seat)
{
	struct board *board = take_ptr(&seat->board);
	struct board_seat **at;

	if (board == NULL)
		return;
	pthread_mutex_lock(&board->lock);
	for (at = &board->seats; *at != seat; at = &(*at)->next)
		;
	*at = seat->next;
	pthread_mutex_unlock(&board->lock);
}

/* With the lock, as the next. */
static void
want(struct notice *notice)
{
	struct board *board = notice->board;

	if (notice->is_wanted || notice->is_under_way)
		return;
	notice->is_wanted = true;
	board->wake(board->arg);
}

static void
void_what_was_made_of(struct notice *notice)
{
	if (notice->kind == NOTICE_REVISION)
		atomic_fetch_add_explicit(&notice->board->generation, 1, memory_order_relaxed);
}

static void
set_state(struct notice *notice, enum notice_state state)
{
	if (notice->state == NOTICE_KNOWN && state != NOTICE_KNOWN)
		void_what_was_made_of(notice);
	notice->state = state;
}

bool
notice_want(struct notice *notice)
{
	struct board *board = notice->board;
	bool has_scout;

	pthread_mutex_lock(&board->lock);
	has_scout = board->wake != NULL;
	if (has_scout)
		want(notice);
	pthread_mutex_unlock(&board->lock);
	return has_scout;
}

/* What is under way may have been said before, and is asked once more. */
static void
doubt(struct notice *notice)
{
	if (notice->state != NOTICE_KNOWN && !notice->is_under_way)
		return;
	if (notice->state == NOTICE_KNOWN)
		set_state(notice, NOTICE_DOUBTED);
	if (notice->board->wake == NULL)
		return;
	want(notice);
	notice->is_wanted = true;
}

void
board_doubt(struct board *board, const char *up)
{
	pthread_mutex_lock(&board->lock);
	for (struct notice *n = board->notices; n != NULL; n = n->next)
		if (n->kind == NOTICE_REVISION && strcmp(n->name, up) == 0)
			doubt(n);
	pthread_mutex_unlock(&board->lock);
}

static void
wake_all(struct board *board)
{
	for (struct board_seat *seat = board->seats; seat != NULL; seat = seat->next)
		seat->wake(seat->arg);
}

/* With the lock.  What one scout had under way is so no more. */
static void
change_scout(struct board *board, board_wake_fn *wake, void *arg)
{
	board->wake = wake;
	board->arg = arg;
	for (struct notice *n = board->notices; n != NULL; n = n->next) {
		n->is_wanted = n->is_under_way = false;
		if (n->kind == NOTICE_REVISION && n->state == NOTICE_KNOWN)
			set_state(n, NOTICE_DOUBTED);
	}
	wake_all(board);
}

void
board_set_scout(struct board *board, board_wake_fn *wake, void *arg)
{
	pthread_mutex_lock(&board->lock);
	change_scout(board, wake, arg);
	pthread_mutex_unlock(&board->lock);
}

void
board_leave_scout(struct board *board, const void *arg)
{
	pthread_mutex_lock(&board->lock);
	if (board->arg == arg)
		change_scout(board, NULL, NULL);
	pthread_mutex_unlock(&board->lock);
}

bool
notice_take(struct notice *notice, bool is_due)
{
	bool is_taken;

	pthread_mutex_lock(&notice->board->lock);
	is_taken = !notice->is_under_way && (is_due || notice->is_wanted);
	if (is_taken) {
		notice->is_under_way = true;
		notice->is_wanted = false;
	}
	pthread_mutex_unlock(&notice->board->lock);
	return is_taken;
}

/* With the lock. */
static bool
set_text(struct notice *notice, struct bytes text)
{
	if (notice->text != NULL &&
	    bytes_eq(text, (struct bytes){ notice->text, notice->len }))
		return false;
	xfree(notice->text);
	notice->text = xstrndup(text.len > 0 ? text.ptr : "", text.len);
	notice->len = text.len;
	void_what_was_made_of(notice);
	return true;
}

bool
notice_set(struct notice *notice, enum notice_state state, struct bytes text, usec_t now)
{
	bool is_new;

	pthread_mutex_lock(&notice->board->lock);
	is_new = state == NOTICE_KNOWN && set_text(notice, text);
	set_state(notice, state == NOTICE_KNOWN && notice->is_wanted ? NOTICE_DOUBTED : state);
	notice->is_under_way = false;
	notice->n_ended++;
	notice->ended = now;
	wake_all(notice->board);
	pthread_mutex_unlock(&notice->board->lock);
	return is_new;
}
