/* SPDX-License-Identifier: MIT */
/*
 * body_log.c - what of an answer was sent is collected as it is, up to a bound; at the end
 * it makes a line with the question, which a thread appends to the file of the day.
 */
#include "proxy/body_log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/spool.h"
#include "config/config.h"
#include "proxy/answer.h"
#include "proxy/dialect/dialect.h"
#include "proxy/forward.h"
#include "proxy/http/error_body.h"
#include "proxy/question.h"
#include "proxy/redact.h"
#include "proxy/request_priv.h"
#include "proxy/worker.h"

#define BODY_MAX	((size_t)64 << 10)
#define SECRET_MAX	((size_t)4 << 10)	/* so that a secret is not cut before it is seen */
#define LINE_MAX_LEN	((size_t)1 << 20)
#define WAITING_MAX	((size_t)16 << 20)
#define PATIENCE	USEC_PER_SEC
#define SECRETS_MAX	32
#define DAY_LEN		10
#define FILE_PATH_SIZE	4096

/* One directory, and the file that is open there. */
struct body_dir {
	struct body_dir	*next;
	char		*path;
	struct spool	*spool;
	char		 day[DAY_LEN];	/* of the thread alone, as all below */
	int		 fd;		/* -1: none */
	bool		 is_at_start;	/* of a line */
	bool		 is_failing;
};

struct body_logs {
	pthread_mutex_t	 lock;
	struct body_dir	*dirs;
};

struct body_logs *
body_logs_new(void)
{
	struct body_logs *logs = xcalloc(1, sizeof(*logs));

	pthread_mutex_init(&logs->lock, NULL);
	return logs;
}

static int
open_file(struct body_dir *dir)
{
	char path[FILE_PATH_SIZE];

	if (mkdir(dir->path, 0700) < 0 && errno != EEXIST)
		return -1;
	snprintf(path, sizeof(path), "%s/%.*s.jsonl", dir->path, DAY_LEN, dir->day);
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* That of today, or of the day on which the line began. */
static void
turn_to_today(struct body_dir *dir)
{
	char now[DATE_LEN];

	date_format(clock_wall(), now);
	if (dir->fd >= 0 && memcmp(now, dir->day, DAY_LEN) == 0)
		return;
	if (dir->fd >= 0)
		close(dir->fd);
	memcpy(dir->day, now, DAY_LEN);
	dir->fd = open_file(dir);
}

static void
note_outcome(struct body_dir *dir, bool has_failed)
{
	if (has_failed && !dir->is_failing)
		log_warn("log_bodies %s: %s; what cannot be written is dropped", dir->path,
		    strerror(errno));
	dir->is_failing = has_failed;
}

static size_t
write_all(int fd, struct bytes data)
{
	size_t at = 0;

	while (at < data.len) {
		ssize_t n = write(fd, data.ptr + at, data.len - at);

		if (n < 0 && errno != EINTR)
			break;
		at += n > 0 ? (size_t)n : 0;
	}
	return at;
}

static size_t
write_bodies(void *arg, struct bytes data)
{
	struct body_dir *dir = arg;
	size_t written = 0;

	if (dir->is_at_start || dir->fd < 0)
		turn_to_today(dir);
	/* What was begun and could not be ended is a line that cannot be read; the next can. */
	if (dir->fd >= 0 && dir->is_failing)
		(void)write_all(dir->fd, BYTES_LIT("\n"));
	if (dir->fd >= 0)
		written = write_all(dir->fd, data);
	note_outcome(dir, written < data.len);
	dir->is_at_start = data.ptr[data.len - 1] == '\n';
	return written;
}

static struct body_dir *
add_dir(struct body_logs *logs, const char *path)
{
	struct body_dir *dir = xcalloc(1, sizeof(*dir));
	const struct spool_options options = {
		.name = "bodies", .size = WAITING_MAX, .write = write_bodies, .arg = dir,
	};

	dir->path = xstrdup(path);
	dir->fd = -1;
	dir->is_at_start = true;
	if (spool_start(&options, &dir->spool) < 0)
		dir->spool = NULL;
	dir->next = logs->dirs;
	logs->dirs = dir;
	return dir;
}

/* Its thread is there from the first line on. */
static struct spool *
spool_of(struct body_logs *logs, const char *path)
{
	struct body_dir *dir;

	pthread_mutex_lock(&logs->lock);
	dir = logs->dirs;
	while (dir != NULL && strcmp(dir->path, path) != 0)
		dir = dir->next;
	if (dir == NULL)
		dir = add_dir(logs, path);
	pthread_mutex_unlock(&logs->lock);
	return dir->spool;
}

uint64_t
body_logs_dropped(struct body_logs *logs)
{
	uint64_t n = 0;

	pthread_mutex_lock(&logs->lock);
	for (struct body_dir *dir = logs->dirs; dir != NULL; dir = dir->next)
		n += dir->spool != NULL ? spool_dropped(dir->spool) : 0;
	pthread_mutex_unlock(&logs->lock);
	return n;
}

struct body_logs *
body_logs_free(struct body_logs *logs)
{
	struct body_dir *next;

	if (logs == NULL)
		return NULL;
	for (struct body_dir *dir = logs->dirs; dir != NULL; dir = next) {
		next = dir->next;
		if (dir->spool != NULL && !spool_stop(dir->spool, PATIENCE))
			continue;	/* its thread still has it */
		if (dir->fd >= 0)
			close(dir->fd);
		xfree(dir->path);
		xfree(dir);
	}
	pthread_mutex_destroy(&logs->lock);
	return xfree(logs);
}

void
body_log_warn(const struct config *config)
{
	for (size_t i = 0; i < config->n_routes; i++)
		if (config->routes[i].log_bodies != NULL)
			log_warn("routes[%zu]: its questions and answers are written to %s", i,
			    config->routes[i].log_bodies);
}

static bool
is_logged(const struct request *req)
{
	return req->route != NULL && req->route->log_bodies != NULL &&
	    req->worker->outlets.bodies != NULL;
}

void
body_log_piece(struct request *req, struct bytes piece)
{
	struct buf *copy = &req->reply.copy;
	size_t max = BODY_MAX + SECRET_MAX;

	if (!is_logged(req))
		return;
	if (copy->max == 0)
		buf_init(copy, max);
	(void)!buf_add(copy, bytes_first(piece, max - buf_len(copy)));
}

static void
add_secret(struct bytes *secrets, size_t *n, struct bytes secret)
{
	if (*n < SECRETS_MAX)
		secrets[(*n)++] = secret;
}

/* What the client proves itself with, and we to its upstreams. */
static size_t
find_secrets(const struct request *req, struct bytes *secrets)
{
	const struct fields *fields = &req->head->fields;
	size_t n = 0;

	for (size_t i = 0; i < fields->n; i++) {
		struct bytes value = fields->list[i].value, rest = value;

		if (field_use(fields->list[i].name) != FIELD_CREDENTIAL)
			continue;
		add_secret(secrets, &n, value);
		(void)bytes_cut(&rest, ' ');	/* the scheme */
		add_secret(secrets, &n, bytes_trim(rest));
	}
	for (size_t i = 0; i < req->route->n_to; i++) {
		const struct config_upstream *up = &req->config->upstreams[req->route->to[i]];

		for (size_t k = 0; k < up->n_tokens; k++)
			add_secret(secrets, &n, secret_reveal(up->tokens[k]));
	}
	return n;
}

/* What is no text has only a length. */
static int
add_body(struct buf *line, const char *name, struct bytes body, uint64_t len,
    const struct request *req)
{
	struct bytes secrets[SECRETS_MAX];
	size_t n = find_secrets(req, secrets);
	struct buf clean;
	int r;

	buf_init(&clean, LINE_MAX_LEN);
	r = redact(bytes_first(body, BODY_MAX + SECRET_MAX), secrets, n, &clean);
	if (r == 0)
		r = buf_addf(line, ",\"%s_bytes\":%llu,\"%s_is_cut\":%s,\"%s\":", name,
		    (unsigned long long)len, name, len > BODY_MAX ? "true" : "false", name);
	if (r == 0 && bytes_find_char(body, '\0') < body.len)
		r = buf_add_str(line, "null");
	else if (r == 0)
		r = json_add_string(line, bytes_first(buf_bytes(&clean), BODY_MAX));
	buf_done(&clean);
	return r;
}

static int
add_member(struct buf *line, const char *name, struct bytes value)
{
	int r = value.len == 0 ? 0 : buf_addf(line, ",\"%s\":", name);

	return r == 0 && value.len > 0 ? json_add_string(line, value) : r;
}

static int
add_members(struct buf *line, struct request *req, enum end_reason why)
{
	const struct config_team *team = req->admission.team;
	char now[DATE_LEN];
	int r = answer_give_id(req);

	date_format(clock_wall(), now);
	if (r == 0)
		r = buf_addf(line, "{\"time\":\"%.*s\"", DATE_LEN, now);
	if (r == 0)
		r = add_member(line, "id", req->id);
	if (r == 0 && team != NULL)
		r = add_member(line, "team", bytes_str(team->name));
	if (r == 0)
		r = add_member(line, "method", req->head->method);
	if (r == 0)
		r = add_member(line, "path", req->head->path);
	if (r == 0)
		r = add_member(line, "model", req->call.model);
	if (r == 0)
		r = add_member(line, "result", bytes_str(stats_end_word(why)));
	return r == 0 ? buf_addf(line, ",\"status\":%d", req->reply.status) : r;
}

void
body_log_end(struct request *req, enum end_reason why)
{
	struct bytes answer = buf_bytes(&req->reply.copy);
	struct spool *spool;
	struct buf line;
	int r;

	if (!is_logged(req))
		return;
	buf_init(&line, LINE_MAX_LEN);
	r = add_members(&line, req, why);
	if (r == 0)
		r = add_body(&line, "request", req->body, req->body.len, req);
	if (r == 0)
		r = add_body(&line, "response", answer, req->reply.body_len, req);
	if (r == 0)
		r = buf_add_str(&line, "}\n");
	spool = spool_of(req->worker->outlets.bodies, req->route->log_bodies);
	if (r == 0 && spool != NULL)
		(void)spool_put(spool, buf_bytes(&line));
	buf_done(&line);
}
