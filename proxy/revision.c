/* SPDX-License-Identifier: MIT */
/*
 * revision.c - the revision that the configuration tells, or the upstream.
 *
 * What an upstream has told counts until it is asked again; that is after a while, and
 * at once after a call to it failed, since it may come back with another model.  Then a
 * question waits for its word.  Where there is nobody to give it, nobody else can answer
 * either, and what was last told counts, for this one question.
 */
#include "proxy/revision.h"

#include "config/config.h"
#include "proxy/board.h"
#include "proxy/dialect/identity.h"
#include "proxy/forward.h"
#include "proxy/worker.h"

#define WAIT_MAX	(5 * USEC_PER_SEC)
#define FAILED_FOR	USEC_PER_SEC	/* as long it is not asked again for each question */

/* Where UP is asked, NULL: it need not be. */
static const char *
path_of(const struct request *req, const struct config_upstream *up)
{
	const struct config_revision *of_route = &req->route->revision;

	if (of_route->text != NULL)
		return NULL;
	return of_route->probe.path != NULL ? of_route->probe.path : up->revision.probe.path;
}

static struct bytes
told_by_config(const struct request *req, const struct config_upstream *up)
{
	const char *of_route = req->route->revision.text;

	return bytes_str(of_route != NULL ? of_route : up->revision.text);
}

static const struct config_upstream *
first_upstream(const struct request *req)
{
	return &req->config->upstreams[req->route->to[0]];
}

static void
set(struct request *req, enum revision_state state, struct bytes text)
{
	req->question.revision = text;
	req->question.revision_state = state;
	board_leave(&req->question.inquiry.seat);
}

static void
set_unknown(struct request *req)
{
	set(req, REVISION_UNKNOWN, BYTES_NONE);
}

/* What the first upstream says; false where nobody can be asked, as beside the server. */
static bool
look(const struct request *req, const struct config_upstream *up, struct notice **ret_notice,
    struct notice_view *ret_view)
{
	struct board *board = req->worker->board;

	if (board == NULL)
		return false;
	*ret_notice = board_find(board, up, path_of(req, up), NOTICE_REVISION);
	return notice_look(*ret_notice, req->arena, ret_view) == 0;
}

/* It has been asked since we wait; or so lately that it would say no more. */
static bool
is_settled(const struct request *req, const struct notice_view *view)
{
	const struct inquiry *inquiry = &req->question.inquiry;
	bool says_nothing = view->state == NOTICE_FAILED || view->text.ptr == NULL;

	if (view->state == NOTICE_NONE || view->state == NOTICE_DOUBTED)
		return false;
	if (view->state == NOTICE_KNOWN || (inquiry->until > 0 && view->n_ended > inquiry->n_ended))
		return true;
	return says_nothing && loop_now(req->worker->loop) - view->ended < FAILED_FOR;
}

static void
take(struct request *req, const struct notice_view *view)
{
	struct bytes text = identity_of(view->text, req->model);

	if (text.len == 0 || view->state == NOTICE_FAILED)
		set_unknown(req);
	else
		set(req, view->state == NOTICE_KNOWN ? REVISION_KNOWN : REVISION_LAST, text);
}

/* The revision is there, or will not be? */
static bool
is_over(struct request *req)
{
	struct inquiry *inquiry = &req->question.inquiry;
	usec_t now = loop_now(req->worker->loop);
	struct notice_view view;
	struct notice *notice;

	if (!look(req, first_upstream(req), &notice, &view)) {
		set_unknown(req);
		return true;
	}
	if (is_settled(req, &view)) {
		take(req, &view);
		return true;
	}
	if (inquiry->until == 0) {
		inquiry->until = now + WAIT_MAX;
		inquiry->n_ended = view.n_ended;
	}
	if (now < inquiry->until && notice_want(notice))
		return false;
	set_unknown(req);
	return true;
}

bool
revision_must_wait(struct request *req)
{
	const struct config_upstream *up = first_upstream(req);

	if (req->question.revision_state != REVISION_UNASKED)
		return false;
	if (path_of(req, up) == NULL) {
		set(req, REVISION_KNOWN, told_by_config(req, up));
		return false;
	}
	/* Before the look, so that nothing is missed between the two. */
	if (req->worker->board != NULL)
		board_wait(req->worker->board, &req->question.inquiry.seat);
	if (is_over(req))
		return false;
	request_wake_at(req, req->question.inquiry.until);
	return true;
}

bool
revision_is_known(struct request *req)
{
	const struct config_upstream *up = first_upstream(req);
	struct notice_view view;
	struct notice *notice;

	if (req->question.revision_state != REVISION_UNASKED)
		return req->question.revision_state != REVISION_UNKNOWN;
	if (path_of(req, up) == NULL)
		set(req, REVISION_KNOWN, told_by_config(req, up));
	else if (look(req, up, &notice, &view) && view.state == NOTICE_KNOWN)
		take(req, &view);
	else
		set_unknown(req);
	return req->question.revision_state != REVISION_UNKNOWN;
}

bool
revision_is_of(const struct request *req, const struct config_upstream *up)
{
	struct notice_view view;
	struct notice *notice;

	if (path_of(req, up) == NULL)
		return bytes_eq(told_by_config(req, up), req->question.revision);
	return look(req, up, &notice, &view) && view.state == NOTICE_KNOWN &&
	    bytes_eq(identity_of(view.text, req->model), req->question.revision);
}

/* A gateway between us and an engine that is gone says so by its status. */
void
revision_note_call(struct request *req)
{
	int status = fetch_status(req->fetch);

	if (fetch_state(req->fetch) == FETCH_FAILED || (status >= 502 && status <= 504))
		board_doubt(req->worker->board, forward_upstream(req)->name);
}
