/* SPDX-License-Identifier: MIT */
/*
 * models.c - the list of models as OpenAI gives it.  A glob names no model; a name that
 * stands in several routes is listed with the first.
 */
#include "proxy/models.h"

#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "proxy/answer.h"
#include "proxy/http/error_body.h"

#define PATH		"/v1/models"
#define MEMBERS		",\"object\":\"model\",\"created\":0,\"owned_by\":\"%s\"}"
#define LIST_MAX	((size_t)1 << 20)

struct listing {
	const struct config	 *config;
	const struct config_team *team;		/* NULL: there are none */
	const char		**names;	/* borrowed from CONFIG */
	const struct config_route **routes;	/* of each */
	size_t			  n;
};

static void
add_name(struct listing *list, const char *name, const struct config_route *route)
{
	if (strchr(name, '*') != NULL ||
	    (list->team != NULL && !config_team_may_use(list->team, bytes_str(name))))
		return;
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->names[i], name) == 0)
			return;
	list->names = xreallocarray(list->names, list->n + 1, sizeof(*list->names));
	list->routes = xreallocarray(list->routes, list->n + 1,
	    sizeof(const struct config_route *));
	list->names[list->n] = name;
	list->routes[list->n++] = route;
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

static void
list_begin(struct listing *list, const struct request *req)
{
	const struct config *config = req->config;

	*list = (struct listing){ .config = config, .team = req->admission.team };
	for (size_t i = 0; i < config->n_routes; i++)
		if (config_route_takes_team(config, &config->routes[i], list->team))
			add_names(list, &config->routes[i]);
}

static void
list_end(struct listing *list)
{
	xfree(list->names);
	xfree(list->routes);
}

static bool
may_use_all(const struct request *req)
{
	const struct config_team *team = req->admission.team;

	return team == NULL || (team->models == NULL && team->deny == NULL);
}

bool
models_are_asked(const struct request *req)
{
	struct listing list;
	bool has_any;

	if (!request_is_get(req) || !bytes_eq_str(req->head->path, PATH) ||
	    (req->config->n_teams == 0 && req->config->n_upstreams < 2))
		return false;
	list_begin(&list, req);
	has_any = list.n > 0;
	list_end(&list);
	return has_any || !may_use_all(req);
}

static int
format(const struct listing *list, struct buf *out)
{
	int r = buf_add_str(out, "{\"object\":\"list\",\"data\":[");

	for (size_t i = 0; r == 0 && i < list->n; i++) {
		const char *owner = list->config->upstreams[list->routes[i]->to[0]].name;

		r = buf_add_str(out, i > 0 ? ",{\"id\":" : "{\"id\":");
		if (r == 0)
			r = json_add_string(out, bytes_str(list->names[i]));
		if (r == 0)
			r = buf_addf(out, MEMBERS, owner);
	}
	return r == 0 ? buf_add_str(out, "]}\n") : r;
}

enum step
models_answer(struct request *req)
{
	struct listing list;
	struct buf out;
	enum step next;
	int r;

	list_begin(&list, req);
	buf_init(&out, LIST_MAX);
	r = format(&list, &out);
	next = r == 0 ? answer_own(req, 200, "application/json", buf_bytes(&out)) :
	    answer_error(req, 503, "overloaded", "the list of models takes too much memory");
	buf_done(&out);
	list_end(&list);
	return next;
}
