/* SPDX-License-Identifier: MIT */
/*
 * crowd.c - an upstream that streams and its clients, in one thread and by one clock.
 *
 *	bench-crowd CLIENTS EVENTS MSEC		a crowd with one question, an event each MSEC
 *	bench-crowd first ROUNDS		one client, a new question each time: first bytes
 *
 * Says the port of its upstream, is told the port of the proxy (which keeps it for an
 * upstream), and says what it saw:
 *
 *	calls, complete, identical, median lag of the ends in us
 *	median time to the first byte in us: directly, by the proxy
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

#define TIMEOUT		(30 * USEC_PER_SEC)
#define CALLS_MAX	64
#define QUESTION	"{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\"," \
			"\"content\":\"%u\"}]}"
#define HEAD		"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" \
			"Transfer-Encoding: chunked\r\n\r\n"
#define EVENT		"data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1," \
			"\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{%s}," \
			"\"finish_reason\":%s}]}\n\n"
#define DONE		"data: [DONE]\n\n"

/* One that asks, and reads an answer in chunks. */
struct asker {
	int		 fd;
	bool		 is_in_body;
	unsigned	 n_crlf;	/* of the blank line behind the head */
	size_t		 chunk;		/* left of the chunk, its CRLF included */
	size_t		 size;		/* of the chunk whose line is read */
	uint64_t	 hash;		/* FNV-1a of the body */
	usec_t		 asked, first, end;	/* 0: not yet */
};

struct stage {
	int		 listener;
	int		 calls[CALLS_MAX];
	unsigned	 n_calls;
	unsigned	 n_events;	/* in a stream */
	unsigned	 n_sent;
	usec_t		 gap, next, end;
	struct asker	*askers;
	size_t		 n_askers, n_ended;
};

static void __attribute__((noreturn))
give_up(const char *what)
{
	fprintf(stderr, "bench-crowd: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void
send_all(int fd, const char *text, size_t len)
{
	if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		give_up("send");
}

static int
listen_somewhere(uint16_t *ret_port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, len) < 0 || listen(fd, CALLS_MAX) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) < 0)
		give_up("listen");
	*ret_port = ntohs(sin.sin_port);
	return fd;
}

static void
send_at_once(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int
connect_to(uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) },
	    .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		give_up("connect");
	send_at_once(fd);
	return fd;
}

static void
ask(struct asker *asker, unsigned question)
{
	char body[256], text[512];
	int len = snprintf(body, sizeof(body), QUESTION, question);

	len = snprintf(text, sizeof(text), "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
	    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len, body);
	*asker = (struct asker){ .fd = asker->fd, .hash = 14695981039346656037u,
	    .asked = clock_mono() };
	send_all(asker->fd, text, (size_t)len);
}

/* One byte of a chunk's line or body; true when the last chunk has ended. */
static bool
take(struct asker *asker, char c)
{
	if (asker->chunk > 2)
		asker->hash = (asker->hash ^ (unsigned char)c) * 1099511628211u;
	if (asker->chunk > 0) {
		asker->chunk--;
		return asker->chunk == 0 && asker->size == 0;
	}
	if (c == '\n') {
		asker->chunk = asker->size + 2;
		return false;
	}
	if (asker->n_crlf > 0)	/* the first digit of a line */
		asker->size = 0;
	asker->n_crlf = c == '\r';
	if (c != '\r')
		asker->size = 16 * asker->size + (size_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
	return false;
}

static void
skip_head(struct asker *asker, char c)
{
	asker->n_crlf = c == '\n' ? asker->n_crlf + 1 : c == '\r' ? asker->n_crlf : 0;
	asker->is_in_body = asker->n_crlf == 2;
}

static void
hear(struct stage *stage, struct asker *asker)
{
	char text[65536];
	ssize_t n = recv(asker->fd, text, sizeof(text), 0);

	if (n <= 0)
		give_up("a client was cut off");
	for (ssize_t i = 0; i < n && asker->end == 0; i++) {
		if (!asker->is_in_body)
			skip_head(asker, text[i]);
		else if (asker->first == 0)
			asker->first = clock_mono();
		if (asker->first != 0 && take(asker, text[i]))
			asker->end = clock_mono();
	}
	stage->n_ended += asker->end != 0;
}

static void
send_event(const struct stage *stage, const char *event)
{
	char chunk[512];
	int len = snprintf(chunk, sizeof(chunk), "%zx\r\n%s\r\n", strlen(event), event);

	for (unsigned i = 0; i < stage->n_calls; i++)
		send_all(stage->calls[i], chunk, (size_t)len);
}

static void
send_next(struct stage *stage)
{
	char event[400];

	if (stage->n_sent++ < stage->n_events) {
		snprintf(event, sizeof(event), EVENT, "\"content\":\"word \"", "null");
		send_event(stage, event);
		stage->next += stage->gap;
		return;
	}
	snprintf(event, sizeof(event), EVENT, "", "\"stop\"");
	send_event(stage, event);
	send_event(stage, DONE);
	for (unsigned i = 0; i < stage->n_calls; i++)
		send_all(stage->calls[i], "0\r\n\r\n", 5);
	stage->end = clock_mono();
	stage->next = 0;
}

/* A question has come to the upstream; the first of a stream starts it. */
static void
answer(struct stage *stage, int fd)
{
	char text[4096];

	if (recv(fd, text, sizeof(text), 0) <= 0)
		give_up("a call was cut off");
	if (stage->n_calls == CALLS_MAX)
		give_up("too many calls");
	stage->calls[stage->n_calls++] = fd;
	send_all(fd, HEAD, strlen(HEAD));
	if (stage->next == 0)
		stage->next = clock_mono();
}

/* Wait for what comes first: a call, a word for a client, or the time of the next event. */
static void
turn(struct stage *stage, struct pollfd *fds, size_t *n_open)
{
	usec_t now = clock_mono(), left = stage->next - now;
	int wait = stage->next == 0 ? 1000 : left > 0 ? (int)(left / USEC_PER_MSEC) : 0;

	if (poll(fds, stage->n_askers + 1 + *n_open, wait) < 0)
		give_up("poll");
	for (size_t i = 0; i < stage->n_askers; i++)
		if (fds[i].revents != 0 && stage->askers[i].end == 0)
			hear(stage, &stage->askers[i]);
	for (size_t i = 0; i < *n_open; i++)
		if (fds[stage->n_askers + 1 + i].revents != 0)
			answer(stage, fds[stage->n_askers + 1 + i].fd);
	if (fds[stage->n_askers].revents != 0 && *n_open < CALLS_MAX) {
		struct pollfd *fd = &fds[stage->n_askers + 1 + (*n_open)++];

		*fd = (struct pollfd){ accept(stage->listener, NULL, NULL), POLLIN, 0 };
		send_at_once(fd->fd);
	}
	if (stage->next != 0 && clock_mono() >= stage->next)
		send_next(stage);
}

static void
play(struct stage *stage, struct pollfd *fds, size_t *n_open)
{
	usec_t until = clock_mono() + TIMEOUT;

	stage->n_calls = stage->n_sent = 0;
	stage->next = stage->end = 0;
	stage->n_ended = 0;
	while (stage->n_ended < stage->n_askers && clock_mono() < until)
		turn(stage, fds, n_open);
}

static int
compare(const void *a, const void *b)
{
	const usec_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static usec_t
median(usec_t *times, size_t n)
{
	qsort(times, n, sizeof(*times), compare);
	return n > 0 ? times[n / 2] : 0;
}

static struct pollfd *
fds_of(const struct stage *stage)
{
	struct pollfd *fds = xcalloc(stage->n_askers + 1 + CALLS_MAX, sizeof(*fds));

	for (size_t i = 0; i < stage->n_askers; i++)
		fds[i] = (struct pollfd){ stage->askers[i].fd, POLLIN, 0 };
	fds[stage->n_askers] = (struct pollfd){ stage->listener, POLLIN, 0 };
	return fds;
}

static void
crowd(struct stage *stage, uint16_t proxy)
{
	usec_t *lags = xcalloc(stage->n_askers, sizeof(*lags));
	size_t n_same = 0, n_open = 0;
	struct pollfd *fds;

	for (size_t i = 0; i < stage->n_askers; i++)
		stage->askers[i].fd = connect_to(proxy);
	fds = fds_of(stage);
	for (size_t i = 0; i < stage->n_askers; i++)
		ask(&stage->askers[i], 1);
	play(stage, fds, &n_open);
	for (size_t i = 0; i < stage->n_askers; i++) {
		lags[i] = stage->askers[i].end - stage->end;
		n_same += stage->askers[i].end != 0 &&
		    stage->askers[i].hash == stage->askers[0].hash;
	}
	printf("%zu %zu %zu %lld\n", n_open, stage->n_ended, n_same,
	    (long long)median(lags, stage->n_askers));
	xfree(fds);
	xfree(lags);
}

static void
first_bytes(struct stage *stage, uint16_t own, uint16_t proxy, size_t rounds)
{
	usec_t *times[2] = { xcalloc(rounds, sizeof(usec_t)), xcalloc(rounds, sizeof(usec_t)) };
	int to[2] = { connect_to(own), connect_to(proxy) };
	size_t n_open = 0;
	struct pollfd *fds = fds_of(stage);

	for (size_t i = 0; i < 2 * rounds; i++) {
		stage->askers[0].fd = fds[0].fd = to[i % 2];
		ask(&stage->askers[0], (unsigned)i);
		play(stage, fds, &n_open);
		times[i % 2][i / 2] = stage->askers[0].first - stage->askers[0].asked;
	}
	printf("%lld %lld\n", (long long)median(times[0], rounds),
	    (long long)median(times[1], rounds));
	xfree(fds);
	xfree(times[0]);
	xfree(times[1]);
}

static unsigned
number(const char *text)
{
	uint64_t n = 0;

	if (num_parse_u64(bytes_str(text), &n) != 0 || n > 100000)
		give_up("a number is none");
	return (unsigned)n;
}

int
main(int argc, char **argv)
{
	bool is_first = argc == 3 && strcmp(argv[1], "first") == 0;
	struct rlimit files = { 65536, 65536 };
	struct stage stage = { .n_askers = 1, .n_events = 1 };
	unsigned proxy;
	uint16_t own;

	if (!is_first && argc != 4) {
		fputs("usage: bench-crowd CLIENTS EVENTS MSEC | first ROUNDS\n", stderr);
		return 2;
	}
	if (!is_first) {
		stage.n_askers = number(argv[1]);
		stage.n_events = number(argv[2]);
		stage.gap = number(argv[3]) * USEC_PER_MSEC;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	stage.listener = listen_somewhere(&own);
	stage.askers = xcalloc(stage.n_askers, sizeof(*stage.askers));
	printf("%d\n", own);
	fflush(stdout);
	if (scanf("%u", &proxy) != 1)
		give_up("no port came");
	if (is_first)
		first_bytes(&stage, own, (uint16_t)proxy, number(argv[2]));
	else
		crowd(&stage, (uint16_t)proxy);
	xfree(stage.askers);
	return 0;
}
