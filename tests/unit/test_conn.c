/* SPDX-License-Identifier: MIT */
/*
 * test_conn.c - what OpenSSL took from the socket and there was no room for: no event
 * tells of it any more, so the connection must come back for it by itself.
 */
#include "proxy/net/conn.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "proxy/net/tls_context.h"
#include "tests/unit/tempdir.h"
#include "tests/unit/tls_fixture.h"

/*
 * OpenSSL fills a buffer of 16709 bytes and, where that ends within the head of a record,
 * another before it says that there is nothing left.  Five of these with their 22 bytes of
 * head and seal end four bytes before it, each time; after a first that is shorter, the
 * last is in the buffer when there is no room any more.
 */
#define FIRST		1000
#define PIECE		3319
#define PIECES		75
#define TOTAL		((size_t)FIRST + (size_t)PIECE * PIECES)
#define PATIENCE	(20 * USEC_PER_SEC)

struct reader {
	struct loop		*loop;
	struct loop_task	 task;
	struct loop_timer	*timer;
	struct conn		*conn;
	size_t			 got;
	bool			 is_open;
	bool			 was_full;
	bool			 is_late;
};

/* A client that waits for nothing but its socket. */
static void *
run_client(void *arg)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	char piece[PIECE] = "";

	SSL_set_fd(ssl, *(const int *)arg);
	assert_int_equal(SSL_connect(ssl), 1);
	assert_int_equal(SSL_write(ssl, piece, FIRST), FIRST);
	for (int i = 0; i < PIECES; i++)
		assert_int_equal(SSL_write(ssl, piece, PIECE), PIECE);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return NULL;
}

/* Takes nothing before there is no room, then everything. */
static void
on_news(void *arg)
{
	struct reader *reader = arg;
	size_t len = conn_in(reader->conn).len;

	assert_false(conn_is_broken(reader->conn));
	if (!reader->is_open && !conn_is_opening(reader->conn)) {
		reader->is_open = true;
		loop_stop(reader->loop);
		return;
	}
	reader->was_full = reader->was_full || len + ((size_t)64 << 10) > CONN_IN_MAX;
	if (!reader->was_full)
		return;
	reader->got += len;
	conn_consume(reader->conn, len);
	if (reader->got == TOTAL)
		loop_stop(reader->loop);
}

static void
on_late(void *arg)
{
	struct reader *reader = arg;

	reader->is_late = true;
	loop_stop(reader->loop);
}

static void
records_that_found_no_room_are_read_when_there_is(void **state)
{
	struct reader reader = { .loop = loop_new() };
	struct tls_context *context;
	const int room = 1 << 20;
	struct tempdir dir;
	struct pair own;
	pthread_t client;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	tempdir_make(&dir);
	make_pair(&dir, "own", &own);
	context = load(&own, NULL, NULL);
	loop_task_init(&reader.task, reader.loop, on_news, &reader);
	reader.timer = loop_timer_new(reader.loop, on_late, &reader);
	loop_timer_set(reader.timer, PATIENCE);
	assert_int_equal(pthread_create(&client, NULL, run_client, fds), 0);
	reader.conn = conn_new(reader.loop, fds[1], context, &reader.task);
	loop_run(reader.loop);
	assert_true(reader.is_open);
	pthread_join(client, NULL);
	loop_run(reader.loop);
	assert_false(reader.is_late);
	assert_int_equal(reader.got, TOTAL);
	conn_free(reader.conn);
	loop_task_cancel(&reader.task);
	loop_timer_free(reader.timer);
	loop_free(reader.loop);
	tls_context_unref(context);
	tempdir_remove(&dir);
	close(fds[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_that_found_no_room_are_read_when_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
