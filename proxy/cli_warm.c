/* SPDX-License-Identifier: MIT */
/*
 * cli_warm.c - requests from a file, sent through a running proxy: a JSON object
 * a line, {"path": "/v1/chat/completions", "body": {...}, "headers": {...}}.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/mem.h"
#include "proxy/cli_priv.h"
#include "proxy/net/fetch.h"
#include "proxy/net/loop.h"
#include "proxy/net/multi.h"

#define JOBS		4
#define ARENA_MAX	((size_t)64 << 20)
#define WINDOW		((size_t)64 << 10)
#define TIMEOUT		(600 * USEC_PER_SEC)
#define URL_SIZE	256

struct warming;

/* One request under way. */
struct job {
	struct warming		*warming;
	struct loop_task	 task;
	struct fetch		*fetch;		/* NULL: free */
	struct arena		*arena;
	char			*body;
};

struct warming {
	FILE		*file;
	const char	*url;
	const char	*ca_file;
	struct loop	*loop;
	struct multi	*multi;
	struct job	*jobs;
	size_t		 n_jobs;
	size_t		 n_busy;
	char		*line;		/* of getline(3) */
	size_t		 line_size;
	uint64_t	 n_lines;
	uint64_t	 n_hits;
	uint64_t	 n_misses;
	uint64_t	 n_failed;
};

static int
read_headers(const json_t *headers, struct arena *arena, struct fields *fields)
{
	int r = fields_add(fields, arena, BYTES_LIT("Content-Type"),
	    BYTES_LIT("application/json"));
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)headers, name, value) {
		struct bytes n, v;

		if (r != 0 || !json_is_string(value))
			return -EINVAL;
		r = arena_copy(arena, bytes_str(name), &n);
		if (r == 0)
			r = arena_copy(arena, bytes_str(json_string_value(value)), &v);
		if (r == 0)
			r = fields_add(fields, arena, n, v);
	}
	return r;
}

/* The request of a line; false if it is none. */
static bool
read_line(struct job *job, const json_t *line, struct fetch_request *fr, struct fields *fields)
{
	const char *path = json_string_value(json_object_get(line, "path"));
	const json_t *body = json_object_get(line, "body");
	struct bytes target;

	if (path == NULL || path[0] != '/' || body == NULL ||
	    arena_copy(job->arena, bytes_str(path), &target) != 0 ||
	    read_headers(json_object_get(line, "headers"), job->arena, fields) != 0)
		return false;
	job->body = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
	fr->query = target;
	fr->path = bytes_cut(&fr->query, '?');
	fr->body = bytes_str(job->body);
	return true;
}

static bool
start(struct job *job, const char *text)
{
	struct warming *warming = job->warming;
	json_t *line = json_loads(text, 0, NULL);
	struct fields fields = { 0 };
	struct fetch_request fr = {
		.method = BYTES_LIT("POST"), .base_url = warming->url, .fields = &fields,
		.window = WINDOW, .ca_file = warming->ca_file,
		.timeouts = { .connect = TIMEOUT, .first_byte = TIMEOUT, .idle = TIMEOUT },
	};
	bool is_good;

	job->arena = arena_new(ARENA_MAX);
	is_good = read_line(job, line, &fr, &fields);
	json_decref(line);
	if (!is_good) {
		fprintf(stderr, "reprise: line %" PRIu64 ": no request of path and body\n",
		    warming->n_lines);
		job->arena = arena_free(job->arena);
		return false;
	}
	job->fetch = fetch_start(warming->multi, &fr, &job->task);
	warming->n_busy++;
	return true;
}

/* Give JOB the next request; when there is none, the last one to end stops the loop. */
static void
start_next(struct job *job)
{
	struct warming *warming = job->warming;

	while (getline(&warming->line, &warming->line_size, warming->file) > 0) {
		warming->n_lines++;
		if (strspn(warming->line, " \t\r\n") == strlen(warming->line))
			continue;
		if (start(job, warming->line))
			return;
		warming->n_failed++;
	}
	if (warming->n_busy == 0)
		loop_stop(warming->loop);
}

static void
count(struct warming *warming, const struct fetch *fetch)
{
	struct bytes by;

	if (fetch_state(fetch) != FETCH_DONE || fetch_status(fetch) != 200) {
		warming->n_failed++;
		return;
	}
	by = fields_get(fetch_fields(fetch), "x-compute-type");
	if (bytes_eq_str(by, "cache"))
		warming->n_hits++;
	else
		warming->n_misses++;
}

static void
run_job(void *arg)
{
	struct job *job = arg;
	struct warming *warming = job->warming;

	if (job->fetch == NULL)
		return;
	fetch_consume(job->fetch, fetch_body(job->fetch).len);
	if (fetch_state(job->fetch) == FETCH_WAITING || fetch_state(job->fetch) == FETCH_HEAD)
		return;
	count(warming, job->fetch);
	job->fetch = fetch_free(job->fetch);
	job->arena = arena_free(job->arena);
	job->body = xfree(job->body);
	warming->n_busy--;
	cli_progress("warm", warming->n_hits + warming->n_misses + warming->n_failed, 0);
	start_next(job);
}

static void
warm(struct warming *warming)
{
	warming->loop = loop_new();
	warming->multi = multi_new(warming->loop);
	warming->jobs = xcalloc(warming->n_jobs, sizeof(*warming->jobs));
	for (size_t i = 0; i < warming->n_jobs; i++) {
		warming->jobs[i].warming = warming;
		loop_task_init(&warming->jobs[i].task, warming->loop, run_job, &warming->jobs[i]);
	}
	for (size_t i = 0; i < warming->n_jobs; i++)
		start_next(&warming->jobs[i]);
	if (warming->n_busy > 0)
		loop_run(warming->loop);
	for (size_t i = 0; i < warming->n_jobs; i++)
		loop_task_cancel(&warming->jobs[i].task);
	xfree(warming->jobs);
	multi_free(warming->multi);
	loop_free(warming->loop);
	xfree(warming->line);
}

/* Where the proxy of this configuration listens. */
static bool
make_url(const struct config *config, char url[URL_SIZE])
{
	const char *address = config->peers.listen[0].address;

	if (strncmp(address, "unix:", 5) == 0)
		return false;
	snprintf(url, URL_SIZE, "http%s://%s%s", config->n_tls > 0 ? "s" : "",
	    address[0] == ':' ? "127.0.0.1" : "", address);
	return true;
}

static int
warm_as_told(const struct arguments *args, const struct config *config)
{
	struct warming warming = {
		.n_jobs = args->jobs != 0 ? args->jobs : JOBS, .ca_file = config->ca_file,
	};
	char url[URL_SIZE];

	warming.url = args->url != NULL ? args->url : url;
	if (args->url == NULL && !make_url(config, url)) {
		fputs("reprise: the proxy listens on a unix socket; say --url\n", stderr);
		return EXIT_USAGE;
	}
	warming.file = strcmp(args->operand, "-") == 0 ? stdin : fopen(args->operand, "r");
	if (warming.file == NULL) {
		fprintf(stderr, "reprise: %s: %s\n", args->operand, strerror(errno));
		return EXIT_FAILED;
	}
	warm(&warming);
	cli_progress_end();
	printf("%" PRIu64 " were there, %" PRIu64 " computed, %" PRIu64 " failed\n",
	    warming.n_hits, warming.n_misses, warming.n_failed);
	if (warming.file != stdin)
		fclose(warming.file);
	return warming.n_failed == 0 ? EXIT_FINE : EXIT_FAILED;
}

int
cli_cache_warm(const struct arguments *args)
{
	struct config *config = cli_load(args);
	int r;

	if (config == NULL)
		return EXIT_USAGE;
	r = warm_as_told(args, config);
	config_unref(config);
	return r;
}
