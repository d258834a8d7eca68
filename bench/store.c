/* SPDX-License-Identifier: MIT */
/*
 * store.c - the scribe, with work.
 *
 *	bench-store DIRECTORY SIZE SECONDS
 *
 * Threads hand it new answers as fast as it takes them; where the queue is
 * full they wait a moment (a worker would go on and count it).  Prints
 * entries committed and evicted in a second, and the CPU time of one in
 * nanoseconds, all threads together.
 *
 *	bench-store CONFIG RATE
 *
 * The proxy itself, as configured, with a thread beside it that hands RATE new
 * answers a second to its scribe; SIGUSR2 lets it begin, and stop, and so on.
 * Logs at the end how many there were.  The linker puts us between the server
 * and its scribe (--wrap).
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "cache/scribe.h"
#include "cache/store.h"
#include "config/config.h"
#include "proxy/server.h"

#define N_THREADS	2
#define QUEUE_MAX	((size_t)64 << 20)	/* as the server's */
#define ANSWER_LEN	1024
#define QUESTION_LEN	160			/* with what key_question() adds */
#define SETTLE		USEC_PER_SEC
#define WAIT		USEC_PER_MSEC
#define LIFETIME	(3600 * USEC_PER_SEC)

struct run {
	struct store		*store;
	struct scribe		*scribe;
	_Atomic uint64_t	 next;
	_Atomic bool		 is_over;
	_Atomic bool		 is_on;		/* beside a server: hand over now? */
	uint64_t		 rate;		/* beside a server: so many a second */
	pthread_t		 thread;
};

/* What has been done by a moment. */
struct progress {
	usec_t		time;
	usec_t		cpu;
	uint64_t	stored;
	uint64_t	evicted;
};

/* What runs beside the server, which knows nothing of it. */
static struct run beside;

int	__real_scribe_start(struct store *store, size_t queue_max, struct scribe **ret_scribe);
int	__wrap_scribe_start(struct store *store, size_t queue_max, struct scribe **ret_scribe);
struct scribe	*__real_scribe_stop(struct scribe *scribe);
struct scribe	*__wrap_scribe_stop(struct scribe *scribe);

static void
wait_for(usec_t time)
{
	const struct timespec ts = {
		.tv_sec = time / USEC_PER_SEC,
		.tv_nsec = time % USEC_PER_SEC * 1000,
	};

	nanosleep(&ts, NULL);
}

/* Hand over the answer to a question that nobody has asked before. */
static int
put(struct run *run)
{
	static const char answer[ANSWER_LEN] = "[\"so many bytes, which nobody reads\"]";
	char question[QUESTION_LEN] = "";
	struct entry entry = {
		.made = clock_wall(),
		.ttl = LIFETIME,
		.status = 200,
		.model = BYTES_LIT("t5-base"),
		.compute = BYTES_LIT("upstream"),
		.fields = BYTES_LIT("Content-Type: application/json\r\n"),
		.question = { question, sizeof(question) },
		.body = { answer, sizeof(answer) },
	};

	snprintf(question, sizeof(question), "question %" PRIu64, run->next++);
	entry.key = key_make(entry.question, store_secret(run->store));
	return scribe_put(run->scribe, &entry);
}

static void *
put_all(void *arg)
{
	struct run *run = arg;

	while (!run->is_over)
		if (put(run) != 0)
			wait_for(WAIT);
	return NULL;
}

static int
look(struct run *run, struct progress *ret_progress)
{
	struct scribe_stat scribe_stat;
	struct store_stat store_stat;
	struct timespec ts;
	int r;

	scribe_get_stat(run->scribe, &scribe_stat);
	r = store_get_stat(run->store, &store_stat);
	if (r != 0 || scribe_stat.errors > 0)
		return r != 0 ? r : -EIO;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	*ret_progress = (struct progress){
		.time = clock_mono(),
		.cpu = ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000,
		.stored = scribe_stat.stored,
		.evicted = store_stat.evicted,
	};
	return 0;
}

static int
measure(struct run *run, usec_t time)
{
	struct progress before, after;
	double seconds, stored;
	int r;

	wait_for(SETTLE);
	r = look(run, &before);
	wait_for(time);
	if (r == 0)
		r = look(run, &after);
	if (r != 0)
		return r;
	seconds = (double)(after.time - before.time) / USEC_PER_SEC;
	stored = (double)(after.stored - before.stored);
	printf("%.0f %.0f %.0f\n", stored / seconds,
	    (double)(after.evicted - before.evicted) / seconds,
	    (double)(after.cpu - before.cpu) * 1000 / stored);
	return 0;
}

static int
run_threads(struct run *run, usec_t time)
{
	pthread_t threads[N_THREADS];
	int n = 0, r = 0;

	while (r == 0 && n < N_THREADS) {
		r = -pthread_create(&threads[n], NULL, put_all, run);
		n += r == 0;
	}
	if (r == 0)
		r = measure(run, time);
	run->is_over = true;
	while (n > 0)
		pthread_join(threads[--n], NULL);
	return r;
}

static int
run_alone(const struct store_options *options, usec_t time)
{
	struct run run = { 0 };
	const char *set_aside;
	int r;

	r = store_open(options, &run.store, &set_aside);
	if (r == 0)
		r = scribe_start(run.store, QUEUE_MAX, &run.scribe);
	if (r == 0)
		r = run_threads(&run, time);
	scribe_stop(run.scribe);
	store_close(run.store);
	if (r != 0)
		fprintf(stderr, "bench-store: %s: %s\n", options->path,
		    r < 0 ? strerror(-r) : "no room in it, or another serves from it");
	return r;
}

/* At an even pace, whatever the sleeps take; what the queue refuses is not handed over again. */
static void *
put_paced(void *arg)
{
	struct run *run = arg;
	usec_t last = clock_mono(), now;
	double due = 0;

	for (; !run->is_over; last = now) {
		wait_for(WAIT);
		now = clock_mono();
		if (run->is_on)
			due += (double)run->rate * (double)(now - last) / USEC_PER_SEC;
		for (; due >= 1; due--)
			(void)!put(run);
	}
	return NULL;
}

int
__wrap_scribe_start(struct store *store, size_t queue_max, struct scribe **ret_scribe)
{
	int r = __real_scribe_start(store, queue_max, ret_scribe);

	if (r != 0 || beside.rate == 0)
		return r;
	beside.store = store;
	beside.scribe = *ret_scribe;
	return -pthread_create(&beside.thread, NULL, put_paced, &beside);
}

struct scribe *
__wrap_scribe_stop(struct scribe *scribe)
{
	struct scribe_stat stat;

	if (scribe != NULL && beside.rate > 0) {
		beside.is_over = true;
		pthread_join(beside.thread, NULL);
		scribe_flush(scribe);
		scribe_get_stat(scribe, &stat);
		log_info("stored %" PRIu64, stat.stored);
	}
	return __real_scribe_stop(scribe);
}

static void
on_signal(int number)
{
	(void)number;
	beside.is_on = !beside.is_on;
}

static void
complain(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s\n", line);
}

static int
load(void *arg, config_complain_fn *complain_fn, void *complain_arg, struct config **ret_config)
{
	return config_load(arg, complain_fn, complain_arg, ret_config);
}

static void
adopt(const struct config *config)
{
	(void)config;
}

static int
run_beside(const char *file)
{
	const struct server_source source = {
		.load = load, .adopt = adopt, .arg = (void *)(uintptr_t)file,
	};
	struct config *config;
	int r;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR2, on_signal);
	if (config_load(file, complain, NULL, &config) != 0)
		return -1;
	r = server_run(config, &source);
	config_unref(config);
	return r;
}

int
main(int argc, char **argv)
{
	struct store_options options = { .readers = 1 };
	uint64_t seconds;

	if (argc == 3 && num_parse_u64(bytes_str(argv[2]), &beside.rate) == 0)
		return run_beside(argv[1]) != 0;
	if (argc != 4 || num_parse_size(bytes_str(argv[2]), &options.size) != 0 ||
	    num_parse_u64(bytes_str(argv[3]), &seconds) != 0) {
		fputs("usage: bench-store DIRECTORY SIZE SECONDS | CONFIG RATE\n", stderr);
		return 2;
	}
	options.path = argv[1];
	return run_alone(&options, (usec_t)seconds * USEC_PER_SEC) != 0;
}
