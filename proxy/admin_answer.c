/* SPDX-License-Identifier: MIT */
/*
 * admin_answer.c - how the server is, what it counted, and the two things it can be told
 * to do.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "cache/scribe.h"
#include "cache/store.h"
#include "config/config.h"
#include "proxy/admin_priv.h"
#include "proxy/body_log.h"
#include "proxy/exporter.h"
#include "proxy/http/error_body.h"
#include "proxy/server_priv.h"
#include "proxy/worker.h"

#define SCOPE_SIZE	512

int
admin_healthz(struct server *srv, struct bytes body, struct admin_answer *answer)
{
	(void)srv;
	(void)body;
	return buf_add_str(&answer->body, "{\"status\":\"ok\"}\n");
}

int
admin_readyz(struct server *srv, struct bytes body, struct admin_answer *answer)
{
	(void)body;
	if (srv->is_draining)
		return admin_problem(answer, 503, "ending; new requests go elsewhere");
	return buf_add_str(&answer->body, "{\"status\":\"ready\"}\n");
}

static void
add_counter(void *arg, const char *name, const char *help, uint64_t value)
{
	(void)help;
	json_object_set_new(arg, name, json_integer((json_int_t)value));
}

static json_t *
count_requests(const struct server *srv)
{
	struct stats total = { 0 };
	json_t *object = json_object();

	for (unsigned i = 0; i < srv->n_workers; i++)
		stats_add(&total, &srv->workers[i]->stats);
	stats_walk(&total, add_counter, object);
	return object;
}

static void
describe_store(struct store *store, json_t *object)
{
	struct store_stat stat;

	if (store_get_stat(store, &stat) != 0)
		return;
	add_counter(object, "entries", NULL, stat.entries);
	add_counter(object, "used_bytes", NULL, stat.used_bytes);
	add_counter(object, "file_bytes", NULL, stat.file_bytes);
	add_counter(object, "evicted", NULL, stat.evicted);
	add_counter(object, "expired", NULL, stat.expired);
	add_counter(object, "damaged", NULL, stat.damaged);
}

static void
describe_scribe(struct scribe *scribe, json_t *object)
{
	struct scribe_stat stat;

	scribe_get_stat(scribe, &stat);
	add_counter(object, "committed", NULL, stat.stored);
	add_counter(object, "refused", NULL, stat.refused);
	add_counter(object, "write_errors", NULL, stat.errors);
	add_counter(object, "queued_bytes", NULL, stat.queued_bytes);
	json_object_set_new(object, "is_paused", json_boolean(stat.paused));
}

static json_t *
describe_cache(const struct server *srv)
{
	json_t *object = json_object();

	if (srv->store == NULL)
		return object;
	json_object_set_new(object, "path", json_string(srv->config->cache.path));
	add_counter(object, "size", NULL, srv->config->cache.size);
	describe_store(srv->store, object);
	if (srv->scribe != NULL)
		describe_scribe(srv->scribe, object);
	return object;
}

static json_t *
describe_log(const struct server *srv)
{
	json_t *object = json_object();

	add_counter(object, "dropped", NULL, log_dropped());
	add_counter(object, "bodies_dropped", NULL, body_logs_dropped(srv->outlets.bodies));
	add_counter(object, "spans_dropped", NULL, exporter_dropped(srv->outlets.exporter));
	return object;
}

int
admin_stats(struct server *srv, struct bytes body, struct admin_answer *answer)
{
	json_t *stats = json_object();
	char *text;
	int r;

	(void)body;
	json_object_set_new(stats, "workers", json_integer(srv->n_workers));
	json_object_set_new(stats, "requests", count_requests(srv));
	json_object_set_new(stats, "cache", describe_cache(srv));
	json_object_set_new(stats, "log", describe_log(srv));
	text = json_dumps(stats, JSON_INDENT(2));
	json_decref(stats);
	r = buf_addf(&answer->body, "%s\n", text);
	xfree(text);
	return r;
}

/* What a purge is asked to make void; NULL, or what is wrong with it. */
struct purging {
	struct purge_mark	 mark;
	char			 scope[SCOPE_SIZE];
	bool			 is_all;
};

static const char *
read_age(const json_t *value, usec_t *ret_before)
{
	usec_t age;

	if (!json_is_string(value) ||
	    num_parse_duration(bytes_str(json_string_value(value)), &age) != 0)
		return "older_than is a duration such as 7d";
	*ret_before = clock_wall() - age;
	return NULL;
}

static const char *
read_text(const char *name, const json_t *value, struct purging *purging)
{
	const char *text = json_string_value(value);

	if (text == NULL)
		return "model, team and key are texts";
	if (strcmp(name, "model") == 0) {
		purging->mark.model = text;
		return NULL;
	}
	if (strcmp(name, "team") == 0) {
		snprintf(purging->scope, SCOPE_SIZE, "team:%s", text);
		purging->mark.scope = purging->scope;
		return NULL;
	}
	purging->mark.has_key = key_parse(bytes_str(text), &purging->mark.key);
	return purging->mark.has_key ? NULL : "key is one of 32 digits";
}

static const char *
read_member(const char *name, const json_t *value, struct purging *purging)
{
	if (strcmp(name, "older_than") == 0)
		return read_age(value, &purging->mark.before);
	if (strcmp(name, "all") == 0) {
		purging->is_all = json_is_true(value);
		return purging->is_all ? NULL : "all is true, or is not there";
	}
	if (strcmp(name, "model") == 0 || strcmp(name, "team") == 0 || strcmp(name, "key") == 0)
		return read_text(name, value, purging);
	return "what to purge is said by model, team, key, older_than, or all";
}

static const char *
read_purge(json_t *asked, struct purging *purging)
{
	const char *name, *wrong = NULL;
	json_t *value;

	purging->mark.before = clock_wall();
	if (!json_is_object(asked) || json_object_size(asked) == 0)
		return "say what to purge: {\"model\": \"t5-*\"}, team, key, older_than, or "
		    "{\"all\": true}";
	json_object_foreach(asked, name, value) {
		wrong = read_member(name, value, purging);
		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}

static int
purge(struct server *srv, const struct purge_mark *mark, struct admin_answer *answer)
{
	int r;

	if (srv->store == NULL || store_is_read_only(srv->store))
		return admin_problem(answer, 503, "there is no cache that could be written to");
	r = store_purge(srv->store, mark);
	if (r == PURGE_E_FULL)
		return admin_problem(answer, 409, "too many purges of single kinds are still in "
		    "force; use all or a wider model");
	if (r < 0)
		return admin_problem(answer, 503, strerror(-r));
	return buf_add_str(&answer->body, "{\"status\":\"purged\"}\n");
}

int
admin_purge(struct server *srv, struct bytes body, struct admin_answer *answer)
{
	json_t *asked = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, NULL);
	struct purging purging = { .is_all = false };
	const char *wrong = read_purge(asked, &purging);
	int r;

	r = wrong != NULL ? admin_problem(answer, 400, wrong) :
	    purge(srv, &purging.mark, answer);
	json_decref(asked);
	return r;
}

struct telling {
	struct buf	*out;
	unsigned	 n;
	int		 r;
};

static void
tell(void *arg, const char *line)
{
	struct telling *telling = arg;

	if (telling->r == 0 && telling->n++ > 0)
		telling->r = buf_add_str(telling->out, ",");
	if (telling->r == 0)
		telling->r = json_add_string(telling->out, bytes_str(line));
}

/* The verdict, and all that was said on the way to it. */
int
admin_reload(struct server *srv, struct bytes body, struct admin_answer *answer)
{
	struct telling telling = { .out = &answer->body };
	int verdict;

	(void)body;
	telling.r = buf_add_str(&answer->body, "{\"messages\":[");
	verdict = server_reload(srv, tell, &telling);
	answer->status = verdict == 0 ? 200 : verdict == SERVER_E_CONFIG ? 422 : 409;
	if (telling.r == 0)
		telling.r = buf_addf(&answer->body, "],\"status\":\"%s\"}\n",
		    verdict == 0 ? "reloaded" : "unchanged");
	if (telling.r < 0)
		return telling.r;
	return verdict == 0 ? ADMIN_E_LATER : 0;
}
