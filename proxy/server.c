/* SPDX-License-Identifier: MIT */
/*
 * server.c - set up from the bottom to the top, wait for a signal, take down
 * in reverse.
 */
#include "proxy/server.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/quota.h"
#include "cache/flight.h"
#include "cache/ledger.h"
#include "cache/scribe.h"
#include "cache/store.h"
#include "cache/store_guard.h"
#include "cache/variant.h"
#include "config/config.h"
#include "proxy/admin.h"
#include "proxy/board.h"
#include "proxy/body_log.h"
#include "proxy/certificates.h"
#include "proxy/exporter.h"
#include "proxy/guests.h"
#include "proxy/http/reader.h"
#include "proxy/listening.h"
#include "proxy/metrics.h"
#include "proxy/net/loop.h"
#include "proxy/net/multi.h"
#include "proxy/net/notify.h"
#include "proxy/net/tls_context.h"
#include "proxy/server_priv.h"
#include "proxy/upstream.h"
#include "proxy/watchdog.h"
#include "proxy/worker.h"

#define QUEUE_MAX	((size_t)64 << 20)
#define TICK		(1 * USEC_PER_SEC)
#define LINE_SIZE	512

/* Before any thread: all inherit the mask, so only the main thread hears signals. */
static int
open_signals(struct server *srv)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	srv->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return srv->signals.fd < 0 ? -errno : 0;
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
		.lock_fd = srv->succession.takeover.lock_fd,
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

	/* It is the successor's, once there is one. */
	if (srv->scribe == NULL || srv->succession.is_over || !ledger_is_changed(srv->ledger))
		return;
	buf_init(&text, LEDGER_TEXT_MAX);
	if (ledger_write(srv->ledger, &text) == 0)
		scribe_note(srv->scribe, LEDGER_NAME, buf_bytes(&text));
	buf_done(&text);
}

static void
log_certificates(void *arg, bool is_wrong, const char *line)
{
	(void)arg;
	log_line(is_wrong ? LOG_LEVEL_ERR : LOG_LEVEL_WARN, "%s", line);
}

static int
open_listeners(struct server *srv)
{
	const char *address;
	int r;

	r = listening_open(srv->config, srv->succession.takeover.listening, srv->config->workers,
	    &srv->listening, &address);
	if (r == 0)
		return 0;
	log_err("cannot listen on %s: %s", address, listening_why(r));
	return SERVER_E_FAILED;
}

static int
start_worker(struct server *srv, unsigned i)
{
	size_t n = listening_count(srv->listening);
	struct worker_socket *sockets = xcalloc(n, sizeof(*sockets));
	const struct worker_options options = {
		.number = i,
		.config = srv->config,
		.tls = srv->tls,
		.store = srv->store,
		.scribe = srv->scribe,
		.variants = srv->variants,
		.flights = srv->flights,
		.guests = srv->limits.guests,
		.refreshes = &srv->limits.refreshes,
		.ledger = srv->ledger,
		.upstreams = srv->upstreams,
		.board = srv->board,
		.outlets = srv->outlets,
		.sockets = sockets,
		.n_sockets = n,
		.main = srv->loop,
	};
	int r;

	listening_hand_out(srv->listening, i, sockets);
	r = worker_start(&options, &srv->workers[i]);
	xfree(sockets);
	return r;
}

static int
start_workers(struct server *srv)
{
	unsigned n = srv->config->workers;

	srv->workers = xcalloc(n, sizeof(struct worker *));
	while (srv->n_workers < n) {
		int r = start_worker(srv, srv->n_workers);

		if (r < 0) {
			log_err("cannot start worker %u: %s", srv->n_workers, strerror(-r));
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

static bool
have_all_changed(struct server *srv)
{
	for (unsigned i = 0; i < srv->n_workers; i++)
		if (!worker_has_changed(srv->workers[i]))
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
end(struct server *srv)
{
	log_info(srv->is_draining ? "ending at once" : "ending; answering what was asked");
	notify_stopping();
	drain(srv, srv->is_draining);
	srv->is_draining = true;
}

/* What is asked from now on is asked of the successor, the administrator's questions too. */
void
server_give_way(struct server *srv)
{
	save_ledger(srv);
	srv->succession.is_over = true;
	srv->succession.handover = handover_free(srv->succession.handover);
	srv->admin = admin_free(srv->admin);
	log_info("another server has taken this one's place");
	end(srv);
}

/* Each worker gets its part of LISTENING, which takes the place of the old one. */
static void
change_workers(struct server *srv, struct listening *listening)
{
	size_t n = listening_count(listening);
	struct worker_socket *sockets = xcalloc(n, sizeof(*sockets));

	for (unsigned i = 0; i < srv->n_workers; i++) {
		listening_hand_out(listening, i, sockets);
		worker_change(srv->workers[i], srv->config, srv->tls, sockets, n);
	}
	xfree(sockets);
	listening_free(srv->listening);
	srv->listening = listening;
}

/* CONFIG, which is checked, in the place of the one there is; and TLS. */
static void
renew(struct server *srv, struct config *config, struct tls_context *tls,
    struct listening *listening)
{
	notify_reloading(clock_mono());
	srv->is_reloading = true;
	upstreams_renew(srv->upstreams, config, srv->config);
	config_unref(srv->config);
	srv->config = config;
	tls_context_unref(srv->tls);
	srv->tls = tls;
	if (srv->store != NULL)
		store_set_grace(srv->store, config_grace(config));
	quota_set_max(guests_memory(srv->limits.guests), config->memory_limit);
	srv->source->adopt(config);
	body_log_warn(config);
	exporter_renew(srv->outlets.exporter, config);
	admin_renew(srv->admin);
	change_workers(srv, listening);
}

struct telling {
	config_complain_fn	*tell;
	void			*arg;
};

static void
tell_of_certificates(void *arg, bool is_wrong, const char *line)
{
	const struct telling *telling = arg;

	(void)is_wrong;
	telling->tell(telling->arg, line);
}

/* What CONFIG, which is taken, asks for, and then CONFIG itself. */
static int
try_config(struct server *srv, struct config *config, const struct telling *telling)
{
	struct listening *listening;
	struct tls_context *tls;
	const char *address;
	char line[LINE_SIZE];
	int r;

	if (certificates_load(config, srv->tls, tell_of_certificates, (void *)(uintptr_t)telling,
	    &tls) != 0) {
		config_unref(config);
		return SERVER_E_CONFIG;
	}
	r = listening_open(config, srv->listening, srv->n_workers, &listening, &address);
	if (r < 0) {
		snprintf(line, sizeof(line), "cannot listen on %s: %s", address,
		    listening_why(r));
		telling->tell(telling->arg, line);
		tls_context_unref(tls);
		config_unref(config);
		return SERVER_E_FAILED;
	}
	renew(srv, config, tls, listening);
	return 0;
}

int
server_reload(struct server *srv, config_complain_fn *tell, void *arg)
{
	const struct telling telling = { tell, arg };
	struct config *config;

	if (srv->is_draining || srv->is_reloading) {
		tell(arg, srv->is_draining ? "the server is ending" :
		    "the last reload is not over yet; try again");
		return SERVER_E_FAILED;
	}
	if (srv->source->load(srv->source->arg, tell, arg, &config) != 0)
		return SERVER_E_CONFIG;
	config_renew(config, srv->config, tell, arg);
	return try_config(srv, config, &telling);
}

static void
tell_log(void *arg, const char *line)
{
	(void)arg;
	log_warn("reload: %s", line);
}

static void
reload(struct server *srv)
{
	if (server_reload(srv, tell_log, NULL) != 0)
		log_err("reload: nothing was changed");
}

static void
on_signal(void *arg, bool readable, bool writable)
{
	struct server *srv = arg;
	struct signalfd_siginfo info;

	(void)readable;
	(void)writable;
	if (read(srv->signals.fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		reload(srv);
	else
		end(srv);
}

/* What `systemctl status` shows; told when it is another. */
static void
tell_status(struct server *srv)
{
	struct stats total = { 0 };
	uint64_t hits, all;
	char text[LINE_SIZE];

	for (unsigned i = 0; i < srv->n_workers; i++)
		stats_add(&total, &srv->workers[i]->stats);
	if (total.requests == srv->last.requests)
		return;
	srv->last.requests = total.requests;
	hits = total.hits + total.stale;
	all = hits + total.misses + total.collapsed;
	snprintf(text, sizeof(text), "%" PRIu64 " requests, %" PRIu64 "%% of the questions "
	    "answered from the cache", total.requests, all > 0 ? hits * 100 / all : 0);
	notify_status(text);
}

static void
on_tick(void *arg)
{
	struct server *srv = arg;

	watch_cache(&srv->watch, clock_mono());
	save_ledger(srv);
	tell_status(srv);
	if (!srv->succession.is_over)
		admin_renew(srv->admin);
	if (!srv->succession.is_over && srv->succession.handover == NULL)
		srv->succession.handover = handover_new(srv);
	loop_timer_set(srv->time.tick, TICK);
}

/* Workers kick the loop when there is something to see. */
static void
on_turn(void *arg)
{
	struct server *srv = arg;

	if (srv->is_reloading && have_all_changed(srv)) {
		srv->is_reloading = false;
		notify_ready();
		log_info("reloaded");
		if (srv->admin != NULL)
			admin_reloaded(srv->admin);
	}
	if (have_all_ended(srv) && !exporter_is_flushing(srv->outlets.exporter))
		loop_stop(srv->loop);
}

static void
serve(struct server *srv)
{
	srv->watch = (struct watch){
		.path = srv->config->cache.path, .store = srv->store, .scribe = srv->scribe,
	};
	srv->signals.watch = loop_watch_new(srv->loop, srv->signals.fd, on_signal, srv);
	loop_watch_set(srv->signals.watch, true, false);
	srv->time.tick = loop_timer_new(srv->loop, on_tick, srv);
	loop_timer_set(srv->time.tick, TICK);
	loop_set_turn_hook(srv->loop, on_turn, srv);
	srv->admin = admin_new(srv);
	srv->watchdog = watchdog_new(srv);
	srv->succession.handover = handover_new(srv);
	body_log_warn(srv->config);
	notify_ready();
	log_info("ready");
	takeover_end(&srv->succession.takeover, true);
	loop_run(srv->loop);
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
take_place(struct server *srv)
{
	const char *path = srv->config->cache.path, *why;
	int r = takeover_begin(path, srv->config->workers, &srv->succession.takeover, &why);

	if (r == 0)
		return 0;
	log_err("cache %s: %s: %s", path, why, strerror(-r));
	return SERVER_E_FAILED;
}

static int
set_up(struct server *srv)
{
	int r;

	if (!reader_self_test()) {
		log_err("this build of llhttp lets malformed requests through: rebuild it strict");
		return SERVER_E_FAILED;
	}
	r = open_signals(srv);
	if (r < 0) {
		log_err("cannot hear signals: %s", strerror(-r));
		return SERVER_E_FAILED;
	}
	log_start();
	if (certificates_load(srv->config, NULL, log_certificates, NULL, &srv->tls) != 0)
		return SERVER_E_CONFIG;
	r = srv->source->takes_over ? take_place(srv) : 0;
	if (r == 0)
		r = open_listeners(srv);
	if (r == 0)
		r = open_cache(srv);
	if (r == 0)
		load_ledger(srv);
	guests_make_room(srv->limits.guests, srv->config->workers);
	return r == 0 ? start_workers(srv) : r;
}

static void
server_init(struct server *srv, const struct server_source *source, struct config *config)
{
	*srv = (struct server){
		.source = source,
		.succession.takeover = { .fd = -1, .lock_fd = -1 },
		.config = config_ref(config),
		.loop = loop_new(),
		.variants = variants_new(),
		.flights = flights_new(),
		.limits.guests = guests_new(),
		.ledger = ledger_new(),
		.upstreams = upstreams_new(),
		.board = board_new(),
		.outlets.bodies = body_logs_new(),
		.last.metrics = metrics_new(),
		.signals.fd = -1,
		.time.started = clock_wall(),
	};
	srv->outlets.multi = multi_new(srv->loop);
	srv->outlets.exporter = exporter_new(srv->loop, srv->outlets.multi);
	exporter_renew(srv->outlets.exporter, config);
	quota_set_max(guests_memory(srv->limits.guests), config->memory_limit);
	flights_charge(srv->flights, guests_memory(srv->limits.guests));
}

static void
server_done(struct server *srv)
{
	watchdog_free(srv->watchdog);
	handover_free(srv->succession.handover);
	admin_free(srv->admin);
	metrics_free(srv->last.metrics);
	flights_free(srv->flights);
	guests_free(srv->limits.guests);
	ledger_free(srv->ledger);
	board_free(srv->board);
	upstreams_free(srv->upstreams);
	exporter_free(srv->outlets.exporter);
	multi_free(srv->outlets.multi);
	body_logs_free(srv->outlets.bodies);
	variants_free(srv->variants);
	listening_free(srv->listening);
	loop_timer_free(srv->time.tick);
	loop_watch_free(srv->signals.watch);
	if (srv->signals.fd >= 0)
		close(srv->signals.fd);
	loop_free(srv->loop);
	tls_context_unref(srv->tls);
	config_unref(srv->config);
}

int
server_run(struct config *config, const struct server_source *source)
{
	struct server srv;
	int r;

	server_init(&srv, source, config);
	r = set_up(&srv);
	if (r == 0)
		serve(&srv);
	else
		drain(&srv, true);
	takeover_end(&srv.succession.takeover, false);
	stop(&srv);
	server_done(&srv);
	log_stop();
	return r;
}
