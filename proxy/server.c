/* SPDX-License-Identifier: MIT */
/*
 * server.c - set up from the bottom to the top, wait for a signal, take down
 * in reverse.
 */
#include "proxy/server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rate.h"
#include "cache/flight.h"
#include "cache/ledger.h"
#include "cache/scribe.h"
#include "cache/store.h"
#include "cache/store_guard.h"
#include "cache/variant.h"
#include "config/config.h"
#include "proxy/http/reader.h"
#include "proxy/net/listen.h"
#include "proxy/net/notify.h"
#include "proxy/upstream.h"
#include "proxy/watch.h"
#include "proxy/worker.h"

#define QUEUE_MAX	((size_t)64 << 20)
#define WORKER_ENDED	SIGUSR1

struct server {
	struct config	 *config;	/* borrowed: outlives us */
	struct store	 *store;	/* NULL: serving without a cache */
	struct scribe	 *scribe;
	struct variants	 *variants;
	struct flights	 *flights;
	struct rate_meter refreshes;
	struct ledger	 *ledger;
	struct upstreams *upstreams;
	int		 *fds;		/* N_FDS of the first worker, of the second, ... */
	unsigned	  n_fds;
	struct worker	**workers;
	unsigned	  n_workers;
	sigset_t	  signals;
};

/* Before any thread: all inherit the mask, so only the main thread hears signals. */
static void
block_signals(struct server *srv)
{
	sigemptyset(&srv->signals);
	sigaddset(&srv->signals, SIGTERM);
	sigaddset(&srv->signals, SIGINT);
	sigaddset(&srv->signals, WORKER_ENDED);
	pthread_sigmask(SIG_BLOCK, &srv->signals, NULL);
}

/* A cache that cannot be had must not keep anybody from an answer. */
static int
open_cache(struct server *srv)
{
	const struct store_options options = {
		.path = srv->config->cache.path,
		.size = srv->config->cache.size,
		.readers = srv->config->workers,
		.is_strict = strcmp(srv->config->cache.durability, "strict") == 0,
		.grace = config_grace(srv->config),
	};
	const char *set_aside;
	int r;

	r = store_open(&options, &srv->store, &set_aside);
	if (r == STORE_E_LOCKED) {
		log_err("cache %s: another process serves from it; give this one a path of its own",
		    options.path);
		return SERVER_E_CONFIG;
	}
	if (r < 0) {
		log_err("cache %s: %s; serving without a cache", options.path, strerror(-r));
		return 0;
	}
	if (set_aside != NULL)
		log_warn("cache %s: %s; moved aside, starting with an empty one", options.path,
		    set_aside);
	store_guard_arm(options.path);
	if (store_is_read_only(srv->store)) {
		log_warn("cache %s: cannot be written to; what is in it is served", options.path);
		return 0;
	}
	r = scribe_start(srv->store, QUEUE_MAX, &srv->scribe);
	if (r < 0) {
		log_err("cache %s: no writer: %s; serving without a cache", options.path,
		    strerror(-r));
		srv->store = store_close(srv->store);
	}
	return 0;
}

static void
add_fd(struct server *srv, int fd)
{
	char name[LISTEN_NAME_MAX];

	srv->fds = xreallocarray(srv->fds, srv->n_fds + 1, sizeof(int));
	srv->fds[srv->n_fds++] = fd;
	listen_name(fd, name);
	log_info("listening on %s", name);
	if (srv->config->n_teams == 0 && !config_is_local(name))
		log_warn("%s is open to whoever reaches it; teams would say who may ask", name);
}

static const char *
why_not_listening(int error)
{
	if (error == -EDESTADDRREQ)
		return "no such host";
	if (error == -EADDRINUSE)
		return "the address is in use; is another server running there?";
	return strerror(-error);
}

static bool
has_budgets(const struct config *config)
{
	for (size_t i = 0; i < config->n_teams; i++)
		if (config->teams[i].budget.amount > 0)
			return true;
	return false;
}

/* What was spent before; where that cannot be known, budgets let nothing through. */
static void
load_ledger(struct server *srv)
{
	struct store_reader *reader;
	struct bytes text;
	int r = -ENOENT;

	if (srv->store != NULL) {
		reader = store_reader_open(srv->store);
		r = store_get_value(reader, LEDGER_NAME, &text);
		if (r == 0)
			ledger_read(srv->ledger, text);
		store_reader_close(reader);
	}
	if (r >= 0)
		return;
	ledger_set_unsound(srv->ledger);
	if (has_budgets(srv->config))
		log_err("what teams have spent cannot be read; those with a budget are refused");
}

/* Within a second or two of the spending. */
static void
save_ledger(struct server *srv)
{
	struct buf text;

	if (srv->scribe == NULL || !ledger_is_changed(srv->ledger))
		return;
	buf_init(&text, LEDGER_TEXT_MAX);
	if (ledger_write(srv->ledger, &text) == 0)
		scribe_note(srv->scribe, LEDGER_NAME, buf_bytes(&text));
	buf_done(&text);
}

/* Sockets from the service manager come in place of the configured ones. */
static int
open_listeners(struct server *srv)
{
	int n_given = notify_listen_fds();

	for (int i = 0; i < n_given; i++)
		add_fd(srv, NOTIFY_FD_FIRST + i);
	if (n_given > 0)
		return 0;
	for (char **address = srv->config->listen; *address != NULL; address++) {
		int fd = listen_open(*address);

		if (fd < 0) {
			log_err("cannot listen on %s: %s", *address, why_not_listening(fd));
			return SERVER_E_FAILED;
		}
		add_fd(srv, fd);
	}
	return 0;
}

/* Each worker but the first gets listening descriptors of its own beside those of the first. */
static int
share_listeners(struct server *srv)
{
	unsigned n_workers = srv->config->workers;

	srv->fds = xreallocarray(srv->fds, (size_t)srv->n_fds * n_workers, sizeof(int));
	for (unsigned i = srv->n_fds; i < srv->n_fds * n_workers; i++) {
		srv->fds[i] = listen_share(srv->fds[i % srv->n_fds]);
		if (srv->fds[i] >= 0)
			continue;
		log_err("cannot listen for worker %u: %s", i / srv->n_fds,
		    why_not_listening(srv->fds[i]));
		return SERVER_E_FAILED;
	}
	return 0;
}

static int
start_workers(struct server *srv)
{
	unsigned n = srv->config->workers;

	srv->workers = xcalloc(n, sizeof(struct worker *));
	for (unsigned i = 0; i < n; i++) {
		const struct worker_options options = {
			.config = srv->config,
			.store = srv->store,
			.scribe = srv->scribe,
			.variants = srv->variants,
			.flights = srv->flights,
			.refreshes = &srv->refreshes,
			.ledger = srv->ledger,
			.upstreams = srv->upstreams,
			.fds = srv->fds + (size_t)i * srv->n_fds,
			.n_fds = srv->n_fds,
			.end_signal = WORKER_ENDED,
		};
		int r = worker_start(&options, &srv->workers[i]);

		if (r < 0) {
			log_err("cannot start worker %u: %s", i, strerror(-r));
			return SERVER_E_FAILED;
		}
		srv->n_workers++;
	}
	return 0;
}

static bool
have_all_ended(struct server *srv)
{
	for (unsigned i = 0; i < srv->n_workers; i++)
		if (!worker_has_ended(srv->workers[i]))
			return false;
	return true;
}

static void
drain(struct server *srv, bool hard)
{
	for (unsigned i = 0; i < srv->n_workers; i++)
		worker_drain(srv->workers[i], hard);
}

static void
wait_for_end(struct server *srv)
{
	const struct timespec tick = { .tv_sec = 1 };
	struct watch watch = {
		.path = srv->config->cache.path, .store = srv->store, .scribe = srv->scribe,
	};
	bool is_draining = false;
	int signal;

	while (!have_all_ended(srv)) {
		signal = sigtimedwait(&srv->signals, NULL, &tick);
		watch_cache(&watch, clock_mono());
		save_ledger(srv);
		if (signal < 0 || signal == WORKER_ENDED)
			continue;
		log_info(is_draining ? "ending at once" : "ending; answering what was asked");
		notify_stopping();
		drain(srv, is_draining);
		is_draining = true;
	}
}

static void
stop(struct server *srv)
{
	struct stats total = { 0 };

	for (unsigned i = 0; i < srv->n_workers; i++)
		worker_join(srv->workers[i], &total);
	xfree(srv->workers);
	save_ledger(srv);
	srv->scribe = scribe_stop(srv->scribe);
	srv->store = store_close(srv->store);
	store_guard_disarm();
	stats_log(&total);
}

static int
set_up(struct server *srv)
{
	int r;

	if (!reader_self_test()) {
		log_err("this build of llhttp lets malformed requests through: rebuild it strict");
		return SERVER_E_FAILED;
	}
	r = open_listeners(srv);
	if (r == 0)
		r = share_listeners(srv);
	if (r == 0)
		r = open_cache(srv);
	if (r == 0)
		load_ledger(srv);
	return r == 0 ? start_workers(srv) : r;
}

int
server_run(struct config *config)
{
	struct server srv = { .config = config };
	int r;

	srv.variants = variants_new();
	srv.flights = flights_new();
	srv.ledger = ledger_new();
	srv.upstreams = upstreams_new();
	block_signals(&srv);
	r = set_up(&srv);
	if (r == 0) {
		notify_ready();
		log_info("ready");
		wait_for_end(&srv);
	} else {
		drain(&srv, true);
	}
	stop(&srv);
	flights_free(srv.flights);
	ledger_free(srv.ledger);
	upstreams_free(srv.upstreams);
	variants_free(srv.variants);
	xfree(srv.fds);
	return r;
}
