/* SPDX-License-Identifier: MIT */
/*
 * cli_reload.c - ask the server that serves from a cache to reload: through the socket
 * in the cache's directory, which only its user and root can open.
 */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "proxy/admin.h"
#include "proxy/cli_priv.h"
#include "proxy/net/fetch.h"
#include "proxy/net/loop.h"
#include "proxy/net/multi.h"

#define WINDOW	((size_t)4 << 20)
#define TIMEOUT	(60 * USEC_PER_SEC)

/* One call, and a loop for it. */
struct asking {
	struct loop		*loop;
	struct loop_task	 task;
	struct fetch		*fetch;
};

static void
run(void *arg)
{
	struct asking *asking = arg;

	if (fetch_state(asking->fetch) == FETCH_DONE || fetch_state(asking->fetch) == FETCH_FAILED)
		loop_stop(asking->loop);
}

static void
print_messages(struct bytes body)
{
	json_t *answer = json_loadb(body.ptr, body.len, 0, NULL), *message;
	size_t i;

	json_array_foreach(json_object_get(answer, "messages"), i, message)
		fprintf(stderr, "%s\n", json_string_value(message));
	json_decref(answer);
}

/* The verdict as the exit code. */
static int
judge(const struct fetch *fetch, const char *path)
{
	if (fetch_state(fetch) != FETCH_DONE) {
		fprintf(stderr, fetch_failure(fetch) == FETCH_E_CONNECT ?
		    "reprise: no server that could be asked serves from %s\n" :
		    "reprise: the server of %s does not say whether it has reloaded; see its log\n",
		    path);
		return EXIT_FAILED;
	}
	print_messages(fetch_body(fetch));
	if (fetch_status(fetch) == 200) {
		puts("reloaded");
		return EXIT_FINE;
	}
	fputs("reprise: nothing was changed\n", stderr);
	return fetch_status(fetch) == 422 ? EXIT_USAGE : EXIT_FAILED;
}

static int
ask(const char *socket, const char *path)
{
	struct field field = { BYTES_LIT("Content-Type"), BYTES_LIT("application/json") };
	const struct fields fields = { .list = &field, .n = 1 };
	const struct fetch_request fr = {
		.method = BYTES_LIT("POST"), .base_url = "http://localhost",
		.unix_socket = socket, .path = BYTES_LIT("/reload"), .fields = &fields,
		.window = WINDOW,
		.timeouts = { .connect = TIMEOUT, .first_byte = TIMEOUT, .idle = TIMEOUT },
	};
	struct asking asking = { .loop = loop_new() };
	struct multi *multi = multi_new(asking.loop);
	int r;

	loop_task_init(&asking.task, asking.loop, run, &asking);
	asking.fetch = fetch_start(multi, &fr, &asking.task);
	loop_run(asking.loop);
	r = judge(asking.fetch, path);
	loop_task_cancel(&asking.task);
	fetch_free(asking.fetch);
	multi_free(multi);
	loop_free(asking.loop);
	return r;
}

int
cli_reload(const struct arguments *args)
{
	struct config *config = cli_load(args);
	char address[ADMIN_ADDRESS_SIZE];
	int r = EXIT_FAILED;

	if (config == NULL)
		return EXIT_USAGE;
	if (admin_address(config->cache.path, address) == 0)
		r = ask(address + strlen("unix:"), config->cache.path);
	else
		fputs("reprise: cache.path is too long for a socket in it; send SIGHUP instead\n",
		    stderr);
	config_unref(config);
	return r;
}
