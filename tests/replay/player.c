/* SPDX-License-Identifier: MIT */
/*
 * player.c - plays scripts against the real request engine.  A script is a
 * story: what clients send, what upstreams answer, how time passes, and what
 * is then to be seen.  One statement a line:
 *
 *	config "YAML LINE"		before all else; else one upstream takes all
 *	reload				new requests follow the lines of config since
 *	open C [WORKER]			client C connects to worker 0 or 1, else to 0
 *	knock C [WORKER] | shake C	the same over TLS; it is through with the handshake
 *	gone C | fin C			it breaks off, says FIN
 *	send C "BYTES" [TIMES]
 *	hold C | take C			C's socket is full, takes all again
 *	expect C "BYTES"		somewhere in what C got since the last expect
 *	silent C			nothing more came
 *	closed C | reset C		we closed it, aborted it,
 *	shut C | unshut C		said FIN, never said it
 *	asked N "BYTES"			fetch N has this in its head or body
 *	fetches N			so many fetches were ever started
 *	head N STATUS ["NAME: VALUE"]...
 *	body N "BYTES" [TIMES]
 *	end N [doubtful|by-close]
 *	fail N connect|tls|timeout|closed|bad-answer
 *	cancelled N
 *	pass DURATION
 *	wall DURATION [behind]		the wall clock jumps, and no time passes
 *	stop DURATION C "BYTES"		we are not run for so long, and meanwhile C sends
 *	drain [WORKER]			of both, unless one is named
 *	count NAME VALUE		a counter of stat_tbl.h, over both workers
 *	log				from now on what is logged is kept, not shown
 *	logged "BYTES"			somewhere in what was logged since the last one
 *	saved TEAM HITS INPUT OUTPUT	in its account; nobody's is called "*"
 *
 * C and N are numbers from 0.  "\r", "\n", "\"" and "\\" are escapes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rate.h"
#include "cache/flight.h"
#include "cache/ledger.h"
#include "cache/print.h"
#include "cache/savings.h"
#include "cache/scribe.h"
#include "cache/store.h"
#include "cache/variant.h"
#include "config/config.h"
#include "proxy/board.h"
#include "proxy/client.h"
#include "proxy/metrics.h"
#include "proxy/request.h"
#include "proxy/saving.h"
#include "proxy/scout.h"
#include "proxy/upstream.h"
#include "proxy/worker.h"
#include "tests/replay/world.h"

#define WORKERS		2
#define WORDS_MAX	16
#define PRINTS		16
#define CACHE_SIZE	((uint64_t)64 << 20)
#define CONFIG_MAX	((size_t)64 << 10)
#define REPEATED_MAX	((size_t)32 << 20)
#define LOGGED_MAX	((size_t)64 << 10)

struct play {
	struct worker	 workers[WORKERS];
	struct config	*config;
	struct store	*store;
	struct scribe	*scribe;
	struct variants	*variants;
	struct flights	*flights;
	struct rate_meter refreshes;
	struct ledger	*ledger;
	struct upstreams *upstreams;
	struct scout	*scout;		/* the first worker's */
	struct board	*board;
	char		 dir[64];
	struct buf	 yaml;		/* of the next configuration */
	bool		 is_set_up;
	int		 log_fd;	/* 0: the log is shown */
	int		 stderr_fd;	/* what it was shown on */
	const char	*script;
	unsigned	 line;
};

struct line {
	struct bytes	words[WORDS_MAX];
	unsigned	n;
};

typedef void verb_fn(struct play *play, const struct line *line);

static void __attribute__((noreturn))
fail(const struct play *play, const char *why, struct bytes seen)
{
	printf("%s:%u: %s\n", play->script, play->line, why);
	if (seen.ptr != NULL)
		printf("--- seen\n%.*s\n---\n", BYTES_ARG(seen));
	fflush(stdout);
	_exit(1);
}

static void
check(const struct play *play, bool is_true, const char *why)
{
	if (!is_true)
		fail(play, why, BYTES_NONE);
}

static uint64_t
number(const struct play *play, struct bytes word)
{
	uint64_t n;

	if (num_parse_u64(word, &n) != 0)
		fail(play, "not a number", word);
	return n;
}

static unsigned
conn_of(const struct play *play, const struct line *line)
{
	uint64_t n = number(play, line->words[1]);

	check(play, n < WORLD_CONNS, "no such client");
	return (unsigned)n;
}

/* The one that word AT names, or the first. */
static unsigned
worker_of(const struct play *play, const struct line *line, unsigned at)
{
	uint64_t n = line->n > at ? number(play, line->words[at]) : 0;

	check(play, n < WORKERS, "no such worker");
	return (unsigned)n;
}

static unsigned
fetch_of(const struct play *play, const struct line *line)
{
	uint64_t n = number(play, line->words[1]);

	check(play, n < world_n_fetches, "no such fetch was started");
	return (unsigned)n;
}

/* Word 2, as often as word 3 says. */
static struct bytes
repeated(const struct play *play, const struct line *line, struct buf *out)
{
	uint64_t times = line->n > 3 ? number(play, line->words[3]) : 1;

	buf_init(out, REPEATED_MAX);
	while (times-- > 0)
		if (buf_add(out, line->words[2]) < 0)
			fail(play, "too much", BYTES_NONE);
	return buf_bytes(out);
}

static void
complain(void *arg, const char *line)
{
	fail(arg, line, BYTES_NONE);
}

static void
write_config(struct play *play, char path[96])
{
	const struct bytes plain = BYTES_LIT("upstreams: {up: {url: 'http://up'}}\n");
	struct bytes text = buf_len(&play->yaml) > 0 ? buf_bytes(&play->yaml) : plain;
	FILE *f;

	snprintf(path, 96, "%s/config.yaml", play->dir);
	f = fopen(path, "w");
	check(play, f != NULL && fwrite(text.ptr, 1, text.len, f) == text.len, "no config file");
	fclose(f);
}

static void
load_config(struct play *play)
{
	struct config *config;
	char path[96];

	write_config(play, path);
	check(play, config_load(path, complain, play, &config) == 0, "config");
	if (play->config != NULL)
		upstreams_renew(play->upstreams, config, play->config);
	config_unref(play->config);
	play->config = config;
	buf_consume(&play->yaml, buf_len(&play->yaml));
}

static void
on_turn(void *arg)
{
	struct worker *worker = arg;

	store_reader_reset(worker->reader);
}

static void
start_worker(struct play *play, struct worker *worker)
{
	worker->loop = loop_new();
	worker->config = config_ref(play->config);
	worker->store = play->store;
	worker->scribe = play->scribe;
	worker->variants = play->variants;
	worker->flights = play->flights;
	worker->refreshes = &play->refreshes;
	worker->ledger = play->ledger;
	worker->upstreams = play->upstreams;
	worker->board = play->board;
	worker->reader = store_reader_open(play->store);
	worker->prints = prints_new(PRINTS);
	worker->savings = savings_new();
	worker->metrics = metrics_new();
	buf_init(&worker->head, WORKER_HEAD_MAX);
	worker->next_id = (uint64_t)(worker - play->workers) << 32;
	loop_set_turn_hook(worker->loop, on_turn, worker);
}

static void
set_up(struct play *play)
{
	struct store_options options = {
		.path = play->dir, .size = CACHE_SIZE, .readers = WORKERS,
	};
	const char *set_aside;

	load_config(play);
	options.grace = config_grace(play->config);
	check(play, store_open(&options, &play->store, &set_aside) == 0, "store");
	check(play, scribe_start(play->store, 0, &play->scribe) == 0, "scribe");
	play->variants = variants_new();
	play->flights = flights_new();
	play->ledger = ledger_new();
	play->upstreams = upstreams_new();
	play->board = board_new();
	for (unsigned i = 0; i < WORKERS; i++)
		start_worker(play, &play->workers[i]);
	play->scout = scout_new(&play->workers[0]);
	play->is_set_up = true;
}

/* worker.c is not part of a replay: ids count up. */
uint64_t
worker_draw_id(struct worker *worker)
{
	return ++worker->next_id;
}

static void
do_config(struct play *play, const struct line *line)
{
	check(play, buf_add(&play->yaml, line->words[1]) == 0 &&
	    buf_add_str(&play->yaml, "\n") == 0, "too much configuration");
}

/* What was found out about requests was so by the old one. */
static void
do_reload(struct play *play, const struct line *line)
{
	(void)line;
	load_config(play);
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker *worker = &play->workers[i];

		config_unref(worker->config);
		worker->config = config_ref(play->config);
		prints_free(worker->prints);
		worker->prints = prints_new(PRINTS);
	}
	scout_free(play->scout);
	play->scout = scout_new(&play->workers[0]);
}

static void
do_open(struct play *play, const struct line *line)
{
	const struct arrival arrival = { .fd = (int)conn_of(play, line) };

	client_new(&play->workers[worker_of(play, line, 2)], &arrival);
}

static void
do_knock(struct play *play, const struct line *line)
{
	static char context;		/* nobody looks into it here */
	const struct arrival arrival = {
		.fd = (int)conn_of(play, line), .tls = (struct tls_context *)(void *)&context,
	};

	client_new(&play->workers[worker_of(play, line, 2)], &arrival);
}

static void
do_shake(struct play *play, const struct line *line)
{
	world_conns[conn_of(play, line)].is_opening = false;
	world_wake(conn_of(play, line));
}

static void
do_send(struct play *play, const struct line *line)
{
	struct buf data;

	check(play, world_conns[conn_of(play, line)].owner != NULL, "the client is not connected");
	world_send(conn_of(play, line), repeated(play, line, &data));
	buf_done(&data);
}

static void
do_gone(struct play *play, const struct line *line)
{
	world_conns[conn_of(play, line)].is_broken = true;
	world_wake(conn_of(play, line));
}

static void
do_fin(struct play *play, const struct line *line)
{
	world_conns[conn_of(play, line)].is_at_end = true;
	world_wake(conn_of(play, line));
}

static void
do_hold(struct play *play, const struct line *line)
{
	world_take(conn_of(play, line), false);
}

static void
do_take(struct play *play, const struct line *line)
{
	world_take(conn_of(play, line), true);
}

static void
do_expect(struct play *play, const struct line *line)
{
	struct buf *out = &world_conns[conn_of(play, line)].out;
	struct bytes seen = buf_bytes(out), want = line->words[2];
	size_t at = 0;

	while (at + want.len <= seen.len && memcmp(seen.ptr + at, want.ptr, want.len) != 0)
		at++;
	if (at + want.len > seen.len)
		fail(play, "this was expected and did not come", seen);
	buf_consume(out, at + want.len);
}

static void
do_silent(struct play *play, const struct line *line)
{
	struct bytes seen = buf_bytes(&world_conns[conn_of(play, line)].out);

	if (seen.len > 0)
		fail(play, "nothing was expected, and this came", seen);
}

static void
do_closed(struct play *play, const struct line *line)
{
	const struct fake_conn *fake = &world_conns[conn_of(play, line)];

	check(play, fake->was_open && fake->owner == NULL, "the connection is open");
}

static void
do_reset(struct play *play, const struct line *line)
{
	check(play, world_conns[conn_of(play, line)].is_abortive, "the connection was not aborted");
}

static void
do_shut(struct play *play, const struct line *line)
{
	check(play, world_conns[conn_of(play, line)].is_shut, "no FIN was sent");
}

static void
do_unshut(struct play *play, const struct line *line)
{
	check(play, !world_conns[conn_of(play, line)].is_shut, "a FIN was sent");
}

static void
do_asked(struct play *play, const struct line *line)
{
	const struct fake_fetch *fake = &world_fetches[fetch_of(play, line)];
	struct bytes want = line->words[2];

	if (memmem(fake->head.mem, buf_len(&fake->head), want.ptr, want.len) == NULL &&
	    memmem(fake->body.mem, buf_len(&fake->body), want.ptr, want.len) == NULL)
		fail(play, "the upstream was not asked this", buf_bytes(&fake->head));
}

static void
do_fetches(struct play *play, const struct line *line)
{
	check(play, world_n_fetches == number(play, line->words[1]), "another number of fetches");
}

static void
do_head(struct play *play, const struct line *line)
{
	unsigned n = fetch_of(play, line);

	for (unsigned i = 3; i < line->n; i++) {
		struct bytes value = line->words[i], name = bytes_cut(&value, ':');

		world_fetch_field(n, name, bytes_trim(value));
	}
	world_fetch_head(n, (int)number(play, line->words[2]));
}

static void
do_body(struct play *play, const struct line *line)
{
	struct buf data;

	world_fetch_body(fetch_of(play, line), repeated(play, line, &data));
	buf_done(&data);
}

static void
do_end(struct play *play, const struct line *line)
{
	enum fetch_framing framing = FRAMING_WHOLE;

	if (line->n > 2)
		framing = bytes_eq_str(line->words[2], "doubtful") ? FRAMING_DOUBTFUL :
		    FRAMING_BY_CLOSE;
	world_fetch_end(fetch_of(play, line), framing);
}

static void
do_fail(struct play *play, const struct line *line)
{
	static const struct {
		const char		*word;
		enum fetch_failure	 failure;
	} rows[] = {
		{ "connect", FETCH_E_CONNECT }, { "tls", FETCH_E_TLS },
		{ "timeout", FETCH_E_TIMEOUT }, { "closed", FETCH_E_CLOSED },
		{ "bad-answer", FETCH_E_BAD_ANSWER },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (bytes_eq_str(line->words[2], rows[i].word)) {
			world_fetch_fail(fetch_of(play, line), rows[i].failure);
			return;
		}
	fail(play, "no such failure", line->words[2]);
}

static void
do_cancelled(struct play *play, const struct line *line)
{
	check(play, world_fetches[fetch_of(play, line)].was_cancelled, "the fetch goes on");
}

static usec_t
duration(const struct play *play, const struct line *line)
{
	usec_t time;

	if (num_parse_duration(line->words[1], &time) != 0)
		fail(play, "not a duration", line->words[1]);
	return time;
}

static void
do_pass(struct play *play, const struct line *line)
{
	world_pass(duration(play, line));
}

static void
do_wall(struct play *play, const struct line *line)
{
	usec_t ahead = duration(play, line);

	world_set_wall(line->n > 2 ? -ahead : ahead);
	world_settle();
}

static void
do_stop(struct play *play, const struct line *line)
{
	uint64_t client = number(play, line->words[2]);

	check(play, client < WORLD_CONNS, "no such client");
	world_stop(duration(play, line));
	world_send((unsigned)client, line->words[3]);
}

static void
do_drain(struct play *play, const struct line *line)
{
	unsigned first = worker_of(play, line, 1), end = line->n > 1 ? first + 1 : WORKERS;

	for (unsigned i = first; i < end; i++) {
		play->workers[i].is_draining = true;
		if (i == 0)
			play->scout = scout_free(play->scout);
		clients_drain(play->workers[i].clients);
	}
}

static void
do_count(struct play *play, const struct line *line)
{
	struct stats total = { 0 };
	const struct {
		const char	*name;
		const _Atomic uint64_t *value;
	} counters[] = {
#define STAT(name, help) { #name, &total.name },
#include "proxy/stat_tbl.h"
#undef STAT
	};
	char seen[64];

	for (size_t i = 0; i < WORKERS; i++)
		stats_add(&total, &play->workers[i].stats);
	for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
		if (!bytes_eq_str(line->words[1], counters[i].name))
			continue;
		snprintf(seen, sizeof(seen), "%" PRIu64, *counters[i].value);
		if (*counters[i].value != number(play, line->words[2]))
			fail(play, "the counter says otherwise", bytes_str(seen));
		return;
	}
	fail(play, "no such counter", line->words[1]);
}

static void
do_log(struct play *play, const struct line *line)
{
	(void)line;
	play->log_fd = memfd_create("log", MFD_CLOEXEC);
	play->stderr_fd = dup(STDERR_FILENO);
	check(play, play->log_fd > 0 && play->stderr_fd > 0 &&
	    dup2(play->log_fd, STDERR_FILENO) >= 0, "the log cannot be kept");
}

static void
do_logged(struct play *play, const struct line *line)
{
	static char text[LOGGED_MAX];
	struct bytes want = line->words[1];
	ssize_t n;

	check(play, play->log_fd > 0, "the log was not kept");
	n = pread(play->log_fd, text, sizeof(text), 0);
	check(play, n >= 0 && ftruncate(play->log_fd, 0) == 0 &&
	    lseek(play->log_fd, 0, SEEK_SET) == 0, "the log cannot be read");
	if (memmem(text, (size_t)n, want.ptr, want.len) == NULL)
		fail(play, "this was not logged", (struct bytes){ text, (size_t)n });
}

static void
show_log(const struct play *play)
{
	if (play->log_fd > 0)
		(void)dup2(play->stderr_fd, STDERR_FILENO);
}

static void
do_saved(struct play *play, const struct line *line)
{
	const struct account *account = ledger_account(play->ledger, line->words[1]);
	struct saved saved;
	char seen[80];

	for (size_t i = 0; i < WORKERS; i++)
		saving_hand_on(&play->workers[i]);
	saved = ledger_saved(play->ledger, account);
	snprintf(seen, sizeof(seen), "%" PRIu64 " %" PRIu64 " %" PRIu64, saved.hits, saved.input,
	    saved.output);
	if (saved.hits != number(play, line->words[2]) ||
	    saved.input != number(play, line->words[3]) ||
	    saved.output != number(play, line->words[4]))
		fail(play, "the account says otherwise", bytes_str(seen));
}

static const struct {
	const char	*name;
	verb_fn		*run;
	unsigned	 n_words;	/* at least */
} verbs[] = {
	{ "config", do_config, 2 },	{ "reload", do_reload, 1 },
	{ "open", do_open, 2 },		{ "send", do_send, 3 },
	{ "knock", do_knock, 2 },	{ "shake", do_shake, 2 },
	{ "gone", do_gone, 2 },		{ "fin", do_fin, 2 },
	{ "hold", do_hold, 2 },		{ "take", do_take, 2 },
	{ "expect", do_expect, 3 },	{ "silent", do_silent, 2 },
	{ "closed", do_closed, 2 },	{ "reset", do_reset, 2 },
	{ "shut", do_shut, 2 },		{ "unshut", do_unshut, 2 },
	{ "asked", do_asked, 3 },
	{ "fetches", do_fetches, 2 },	{ "head", do_head, 3 },
	{ "body", do_body, 3 },		{ "end", do_end, 2 },
	{ "fail", do_fail, 3 },		{ "cancelled", do_cancelled, 2 },
	{ "stop", do_stop, 4 },
	{ "pass", do_pass, 2 },		{ "wall", do_wall, 2 },
		{ "drain", do_drain, 1 },
	{ "count", do_count, 3 },	{ "log", do_log, 1 },
	{ "logged", do_logged, 2 },	{ "saved", do_saved, 5 },
};

/* One quoted word, unescaped where it stands; P is behind the opening quote. */
static char *
read_quoted(const struct play *play, char *p, struct bytes *ret_word)
{
	char *to = p;
	const char *start = p;

	for (; *p != '"'; p++) {
		check(play, *p != '\0', "a quote is missing");
		if (*p == '\\')
			p++;
		if (p[-1] == '\\' && (*p == 'r' || *p == 'n'))
			*to++ = *p == 'r' ? '\r' : '\n';
		else
			*to++ = *p;
	}
	*ret_word = (struct bytes){ start, (size_t)(to - start) };
	return p + 1;
}

static void
split(const struct play *play, char *text, struct line *ret_line)
{
	struct line line = { .n = 0 };
	char *p = text;

	for (;;) {
		p += strspn(p, " \t\n");
		if (*p == '\0' || *p == '#')
			break;
		check(play, line.n < WORDS_MAX, "too many words");
		if (*p == '"') {
			p = read_quoted(play, p + 1, &line.words[line.n++]);
			continue;
		}
		line.words[line.n++] = (struct bytes){ p, strcspn(p, " \t\n") };
		p += strcspn(p, " \t\n");
	}
	*ret_line = line;
}

static void
run_line(struct play *play, const struct line *line)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (!bytes_eq_str(line->words[0], verbs[i].name))
			continue;
		check(play, line->n >= verbs[i].n_words, "words are missing");
		if (!play->is_set_up && verbs[i].run != do_config)
			set_up(play);
		verbs[i].run(play, line);
		if (play->is_set_up)
			world_settle();
		return;
	}
	fail(play, "no such verb", line->words[0]);
}

static void
end_worker(struct worker *worker)
{
	while (worker->clients != NULL)
		client_cut(worker->clients);
	while (worker->flying != NULL)
		request_end(worker->flying, END_SHUTDOWN);
}

static void
free_worker(struct worker *worker)
{
	buf_done(&worker->head);
	savings_free(worker->savings);
	metrics_free(worker->metrics);
	prints_free(worker->prints);
	store_reader_close(worker->reader);
	config_unref(worker->config);
	loop_free(worker->loop);
}

/* Whatever the script left open must come down without a trace. */
static void
tear_down(struct play *play)
{
	for (size_t i = 0; i < WORKERS; i++)
		end_worker(&play->workers[i]);
	world_settle();
	scout_free(play->scout);
	for (size_t i = 0; i < WORKERS; i++)
		free_worker(&play->workers[i]);
	flights_free(play->flights);
	ledger_free(play->ledger);
	board_free(play->board);
	upstreams_free(play->upstreams);
	variants_free(play->variants);
	scribe_stop(play->scribe);
	store_close(play->store);
	config_unref(play->config);
	buf_done(&play->yaml);
	for (size_t i = 0; i < WORLD_CONNS; i++)
		buf_done(&world_conns[i].out);
	for (size_t i = 0; i < world_n_fetches; i++) {
		check(play, world_fetches[i].fetch == NULL, "a fetch was left running");
		buf_done(&world_fetches[i].head);
		buf_done(&world_fetches[i].body);
	}
}

static void
remove_dir(const char *dir)
{
	static const char *const names[] = { "config.yaml", "data.mdb", "lock.mdb", "lock" };
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

int
main(int argc, char **argv)
{
	struct play play = { .dir = "/tmp/reprise-replay-XXXXXX", .script = argv[1] };
	struct line line;
	char *text = NULL;
	size_t size = 0;
	FILE *f;

	if (argc != 2 || (f = fopen(argv[1], "r")) == NULL || mkdtemp(play.dir) == NULL) {
		fputs("usage: player SCRIPT\n", stderr);
		return 2;
	}
	buf_init(&play.yaml, CONFIG_MAX);
	while (getline(&text, &size, f) >= 0) {
		play.line++;
		split(&play, text, &line);
		if (line.n > 0)
			run_line(&play, &line);
	}
	tear_down(&play);
	show_log(&play);
	remove_dir(play.dir);
	free(text);
	fclose(f);
	printf("%s: played\n", argv[1]);
	return 0;
}
