/* SPDX-License-Identifier: MIT */
/*
 * latency.c - the time from a request's first byte to its answer's last, over
 * one connection that is kept alive, from a client that costs next to nothing:
 * one write, one blocking read, a clock before and after.
 *
 *	bench-latency PORT REQUEST-FILE N [MARK [FIRST]]
 *
 * sends the file N times to 127.0.0.1 and prints min, p50 and p99 in
 * nanoseconds.  Every answer must be 200, as long as the first, and hold MARK.
 * With FIRST no request is like another: where the file has ten '#', it counts
 * from there.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define ANSWER_MAX	65536
#define N_MAX		10000000
#define PLACE		"##########"

struct run {
	int		 fd;
	char		 request[ANSWER_MAX];
	size_t		 request_len;
	char		 answer[ANSWER_MAX + 1];
	const char	*mark;
	char		*place;		/* of the count in the request; or NULL */
	unsigned	 count;
};

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int
connect_to(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* The length of the whole answer that begins in ANSWER, 0 before its head is there. */
static size_t
whole_length(const char *answer)
{
	const char *end = strstr(answer, "\r\n\r\n");
	const char *field = strcasestr(answer, "\r\nContent-Length: ");
	size_t length;

	if (end == NULL || field == NULL || field > end)
		return 0;
	if (sscanf(field + strlen("\r\nContent-Length: "), "%zu", &length) != 1)
		return 0;
	return (size_t)(end - answer) + strlen("\r\n\r\n") + length;
}

static void
count(struct run *run)
{
	char digits[sizeof(PLACE)];

	if (run->place == NULL)
		return;
	snprintf(digits, sizeof(digits), "%0*u", (int)strlen(PLACE), run->count++);
	memcpy(run->place, digits, strlen(PLACE));
}

/* One request and its whole answer. */
static bool
ask(struct run *run)
{
	size_t got = 0, wanted = 0;	/* answers differ in length: their age grows */

	if (write(run->fd, run->request, run->request_len) != (ssize_t)run->request_len)
		return false;
	while (wanted == 0 || got < wanted) {
		ssize_t n = read(run->fd, run->answer + got, ANSWER_MAX - got);

		if (n <= 0)
			return false;
		got += (size_t)n;
		run->answer[got] = '\0';
		if (wanted == 0)
			wanted = whole_length(run->answer);
	}
	return got == wanted;
}

static bool
is_right(const struct run *run)
{
	return strncmp(run->answer, "HTTP/1.1 200 ", 13) == 0 &&
	    (run->mark == NULL || strstr(run->answer, run->mark) != NULL);
}

static int
by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
measure(struct run *run, size_t n)
{
	uint64_t *times = xcalloc(n, sizeof(*times));

	for (size_t i = 0; i < n; i++) {
		uint64_t before;

		count(run);
		before = now();
		if (!ask(run)) {
			fprintf(stderr, "request %zu was not answered whole\n", i);
			return 1;
		}
		times[i] = now() - before;
		if (!is_right(run)) {
			fprintf(stderr, "request %zu: not the answer expected:\n%s\n", i,
			    run->answer);
			return 1;
		}
	}
	qsort(times, n, sizeof(*times), by_size);
	printf("%ju %ju %ju\n", (uintmax_t)times[0], (uintmax_t)times[n / 2],
	    (uintmax_t)times[n - 1 - n / 100]);
	xfree(times);
	return 0;
}

static int
read_request(struct run *run, const char *path)
{
	FILE *f = fopen(path, "r");

	if (f == NULL)
		return -errno;
	run->request_len = fread(run->request, 1, ANSWER_MAX, f);
	fclose(f);
	return run->request_len > 0 ? 0 : -EINVAL;
}

int
main(int argc, char **argv)
{
	static struct run run;
	unsigned port, n;
	int r;

	if (argc < 4 || sscanf(argv[1], "%u", &port) != 1 || port > UINT16_MAX ||
	    sscanf(argv[3], "%u", &n) != 1 || n == 0 || n > N_MAX) {
		fputs("usage: bench-latency PORT REQUEST-FILE N [MARK [FIRST]]\n", stderr);
		return 2;
	}
	r = read_request(&run, argv[2]);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", argv[2], strerror(-r));
		return 1;
	}
	run.mark = argc > 4 ? argv[4] : NULL;
	if (argc > 5 && sscanf(argv[5], "%u", &run.count) == 1)
		run.place = memmem(run.request, run.request_len, PLACE, strlen(PLACE));
	run.fd = connect_to((uint16_t)port);
	if (run.fd < 0) {
		fprintf(stderr, "port %u: %s\n", port, strerror(-run.fd));
		return 1;
	}
	return measure(&run, n);
}
