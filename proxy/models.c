/* SPDX-License-Identifier: MIT */
/*
 * models.c - the list of models as OpenAI gives it: first the names that are written out
 * in the configuration, in the order of the routes, then those that the upstreams list,
 * in theirs.  A name is listed once, and only where asking for it leads there.
 */
#include "proxy/models.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "config/config.h"
#include "proxy/answer.h"
#include "proxy/http/error_body.h"
#include "proxy/worker.h"

#define MEMBERS		",\"object\":\"model\",\"created\":0,\"owned_by\":\"%s\"}"
#define LIST_MAX	((size_t)16 << 20)
#define LIST_TIME	(60 * USEC_PER_SEC)	/* then it is asked for again, behind */
#define WAIT_MAX	(5 * USEC_PER_SEC)

struct model {
	struct bytes	 id;		/* borrowed from the configuration or the arena */
	const char	*owner;		/* name of an upstream */
	size_t		 at;		/* in the list */
};

struct listing {
	const struct config	 *config;
	const struct config_team *team;		/* NULL: there are none */
	struct model		 *models;
	size_t			  n;
	size_t			  size;
};

bool
models_are_ours(const struct config *config)
{
	return config->n_teams > 0 || config->n_upstreams > 1;
}

/* In a replay nobody is asked. */
bool
models_are_listed_by(const struct config *config, const struct config_upstream *up)
{
	return !up->token_client && strcmp(config->cache.mode, "replay") != 0;
}

bool
models_are_asked(const struct request *req)
{
	struct bytes path = req->head->path;

	return request_is_get(req) && models_are_ours(req->config) &&
	    (bytes_eq_str(path, MODELS_PATH) ||
	    (bytes_has_prefix(path, MODELS_PATH "/") && path.len > sizeof(MODELS_PATH)));
}

static bool
has_glob(const struct config_route *route)
{
	for (char **name = route->models; *name != NULL; name++)
		if (strchr(*name, '*') != NULL)
			return true;
	return false;
}

static bool
leads_to(const struct config_route *route, size_t up)
{
	for (size_t i = 0; i < route->n_to; i++)
		if (route->to[i] == up)
			return true;
	return false;
}

/* Can the list of UP add something to what is written out? */
static bool
counts(const struct request *req, size_t up)
{
	const struct config *config = req->config;

	if (!models_are_listed_by(config, &config->upstreams[up]))
		return false;
	for (size_t i = 0; i < config->n_routes; i++) {
		const struct config_route *route = &config->routes[i];

		if (leads_to(route, up) && has_glob(route) &&
		    config_route_takes_team(config, route, req->admission.team))
			return true;
	}
	return false;
}

/*
 * Does some request for ID, as a client of TEAM would name it, go to UP under that name?
 * A route for one path or API leaves the others to those behind it.
 */
static bool
is_reached(const struct listing *list, struct bytes id, size_t up)
{
	for (size_t i = 0; i < list->config->n_routes; i++) {
		const struct config_route *route = &list->config->routes[i];

		if (!config_takes_model(route->models, id) ||
		    !config_route_takes_team(list->config, route, list->team))
			continue;
		if (leads_to(route, up) && (route->rewrite_model == NULL ||
		    bytes_eq_str(id, route->rewrite_model)))
			return true;
		if (route->path == NULL && route->dialect == NULL)
			return false;
	}
	return false;
}

static void
add_model(struct listing *list, struct bytes id, const char *owner)
{
	if (list->team != NULL && !config_team_may_use(list->team, id))
		return;
	if (list->n == list->size) {
		list->size = list->size > 0 ? 2 * list->size : 16;
		list->models = xreallocarray(list->models, list->size, sizeof(*list->models));
	}
	list->models[list->n] = (struct model){ .id = id, .owner = owner, .at = list->n };
	list->n++;
}

static void
add_name(struct listing *list, const char *name, const struct config_route *route)
{
	if (strchr(name, '*') == NULL)
		add_model(list, bytes_str(name), list->config->upstreams[route->to[0]].name);
}

/* Those that ROUTE names, and of those that the team names what ROUTE takes. */
static void
add_names(struct listing *list, const struct config_route *route)
{
	char *const *own = list->team != NULL ? list->team->models : NULL;

	for (char **name = route->models; *name != NULL; name++)
		add_name(list, *name, route);
	for (; own != NULL && *own != NULL; own++)
		if (config_takes_model(route->models, bytes_str(*own)))
			add_name(list, *own, route);
}

static struct notice *
notice_of(const struct request *req, size_t up)
{
	return board_find(req->worker->board, &req->config->upstreams[up], MODELS_PATH,
	    NOTICE_MODELS);
}

/* What does not fit into the arena is not listed. */
static void
add_listed(struct listing *list, const struct request *req, size_t up)
{
	struct notice_view view;

	if (notice_look(notice_of(req, up), req->arena, &view) < 0 || view.state != NOTICE_KNOWN)
		return;
	while (view.text.len > 0) {
		struct bytes id = bytes_cut(&view.text, '\n');

		if (is_reached(list, id, up))
			add_model(list, id, list->config->upstreams[up].name);
	}
}

static int
compare_place(const void *one, const void *other)
{
	size_t a = ((const struct model *)one)->at, b = ((const struct model *)other)->at;

	return (a > b) - (a < b);
}

static int
compare_id(const void *one, const void *other)
{
	const struct model *a = one, *b = other;
	int order = bytes_cmp(a->id, b->id);

	return order != 0 ? order : compare_place(a, b);
}

/* Of those with one name the first stays; all in the order in which they came. */
static void
drop_doubles(struct listing *list)
{
	size_t n = 0;

	if (list->n == 0)
		return;
	qsort(list->models, list->n, sizeof(*list->models), compare_id);
	for (size_t i = 0; i < list->n; i++)
		if (n == 0 || !bytes_eq(list->models[n - 1].id, list->models[i].id))
			list->models[n++] = list->models[i];
	list->n = n;
	qsort(list->models, n, sizeof(*list->models), compare_place);
}

static void
list_begin(struct listing *list, const struct request *req)
{
	const struct config *config = req->config;

	*list = (struct listing){ .config = config, .team = req->admission.team };
	for (size_t i = 0; i < config->n_routes; i++)
		if (config_route_takes_team(config, &config->routes[i], list->team))
			add_names(list, &config->routes[i]);
	for (size_t i = 0; i < config->n_upstreams; i++)
		if (counts(req, i))
			add_listed(list, req, i);
	drop_doubles(list);
}

static int
format_model(const struct model *model, struct buf *out)
{
	int r = buf_add_str(out, "{\"id\":");

	if (r == 0)
		r = json_add_string(out, model->id);
	return r == 0 ? buf_addf(out, MEMBERS, model->owner) : r;
}

static int
format_list(const struct listing *list, struct buf *out)
{
	int r = buf_add_str(out, "{\"object\":\"list\",\"data\":[");

	for (size_t i = 0; r == 0 && i < list->n; i++) {
		if (i > 0)
			r = buf_add_str(out, ",");
		if (r == 0)
			r = format_model(&list->models[i], out);
	}
	return r == 0 ? buf_add_str(out, "]}\n") : r;
}

static int
add_unescaped(struct buf *out, struct bytes *rest)
{
	uint64_t byte = (unsigned char)rest->ptr[0];
	size_t len = 1;

	if (byte == '%' && rest->len > 2 &&
	    num_parse_hex64(bytes_first(bytes_skip(*rest, 1), 2), &byte) == 0)
		len = 3;
	*rest = bytes_skip(*rest, len);
	return buf_add(out, (struct bytes){ &(const char){ (char)byte }, 1 });
}

/* Of /v1/models/{id}, where SDKs write the slashes of an id as %2F; NULL: the list is asked. */
static const struct model *
find_asked(const struct listing *list, struct bytes path)
{
	struct bytes rest = bytes_skip(path, sizeof(MODELS_PATH));
	const struct model *found = NULL;
	struct buf id;

	buf_init(&id, path.len);
	while (rest.len > 0 && add_unescaped(&id, &rest) == 0)
		;
	for (size_t i = 0; i < list->n && found == NULL; i++)
		if (bytes_eq(list->models[i].id, buf_bytes(&id)))
			found = &list->models[i];
	buf_done(&id);
	return found;
}

static enum step
answer_with(struct request *req, const struct listing *list, struct buf *out)
{
	const struct model *model = NULL;
	bool is_one = req->head->path.len > sizeof(MODELS_PATH);
	int r;

	req->call.dialect = dialect_find("openai");
	if (is_one)
		model = find_asked(list, req->head->path);
	if (is_one && model == NULL)
		return answer_error(req, 404, "model_not_found",
		    "no such model is listed; GET /v1/models lists them");
	r = is_one ? format_model(model, out) : format_list(list, out);
	if (r < 0)
		return answer_error(req, 503, "overloaded",
		    "the list of models takes too much memory");
	return answer_own(req, 200, "application/json", buf_bytes(out));
}

/* Where it has never been asked for, it is awaited; where it is old, it is for the next. */
static bool
must_wait_for(const struct request *req, size_t up, usec_t now)
{
	struct notice *notice = notice_of(req, up);
	struct notice_view view;

	if (notice_look(notice, NULL, &view) < 0 ||
	    (view.n_ended > 0 && now - view.ended < LIST_TIME))
		return false;
	return notice_want(notice) && view.n_ended == 0;
}

static bool
must_wait(struct request *req)
{
	struct inquiry *inquiry = &req->question.inquiry;
	usec_t now = loop_now(req->worker->loop);
	bool must = false;

	if (inquiry->until == 0)
		inquiry->until = now + WAIT_MAX;
	board_wait(req->worker->board, &inquiry->seat);
	for (size_t i = 0; i < req->config->n_upstreams; i++)
		if (counts(req, i))
			must |= must_wait_for(req, i, now);
	if (!must || now >= inquiry->until) {
		board_leave(&inquiry->seat);
		return false;
	}
	request_wake_at(req, inquiry->until);
	return true;
}

enum step
models_answer(struct request *req)
{
	struct listing list;
	struct buf out;
	enum step next;

	if (must_wait(req))
		return STEP_LIST;
	list_begin(&list, req);
	buf_init(&out, LIST_MAX);
	next = answer_with(req, &list, &out);
	buf_done(&out);
	xfree(list.models);
	return next;
}
