/* SPDX-License-Identifier: MIT */
/*
 * test_tls.c - what takes a clock, a second context or a client of bad manners to be
 * seen; the rest is a scenario.  Time is ours.
 */
#include "proxy/net/tls.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "proxy/net/tls_context.h"
#include "tests/unit/tempdir.h"
#include "tests/unit/tls_fixture.h"

#define HOUR		(3600 * USEC_PER_SEC)
#define TURNS_MAX	100

static usec_t now;

usec_t
clock_mono(void)
{
	return now;
}

usec_t
clock_wall(void)
{
	return now;
}

/* A client of OpenSSL's, and our end, with a pair of sockets between. */
struct wire {
	SSL_CTX		*ctx;
	SSL		*client;
	struct tls	*server;
	int		 fds[2];
};

static void
wire_open(struct wire *wire, struct tls_context *context, const struct pair *shown)
{
	wire->ctx = SSL_CTX_new(TLS_client_method());
	if (shown != NULL) {
		assert_int_equal(SSL_CTX_use_certificate_file(wire->ctx, shown->certificate,
		    SSL_FILETYPE_PEM), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey_file(wire->ctx, shown->key,
		    SSL_FILETYPE_PEM), 1);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, wire->fds), 0);
	wire->client = SSL_new(wire->ctx);
	SSL_set_fd(wire->client, wire->fds[0]);
	SSL_set_connect_state(wire->client);
	wire->server = tls_new(context, wire->fds[1]);
	assert_non_null(wire->server);
}

static void
wire_close(struct wire *wire)
{
	tls_free(wire->server);
	SSL_shutdown(wire->client);	/* else its session would not be used again */
	SSL_free(wire->client);
	SSL_CTX_free(wire->ctx);
	close(wire->fds[0]);
	close(wire->fds[1]);
}

/* Both read in turn until the server has got TEXT, or will not get it. */
static int
carry(struct wire *wire, const char *text)
{
	size_t len = strlen(text), n;
	bool is_sent = false;
	char got[64];
	int r = TLS_E_WAIT;

	for (int i = 0; i < TURNS_MAX && r == TLS_E_WAIT; i++) {
		is_sent = is_sent || SSL_write(wire->client, text, (int)len) > 0;
		(void)SSL_read(wire->client, got, 0);
		r = tls_read(wire->server, got, sizeof(got), &n);
	}
	if (r == 0)
		assert_memory_equal(got, text, len);
	return r;
}

/* The answer, and with it the tickets. */
static void
answer(struct wire *wire, const char *text)
{
	char got[64];
	size_t n;

	assert_int_equal(tls_write(wire->server, bytes_str(text), &n), 0);
	assert_int_equal(n, strlen(text));
	assert_int_equal(SSL_read(wire->client, got, sizeof(got)), (int)n);
	assert_memory_equal(got, text, n);
}

/* A session of a connection that was answered. */
static SSL_SESSION *
open_session(struct tls_context *context, const struct pair *shown)
{
	SSL_SESSION *session;
	struct wire wire;

	wire_open(&wire, context, shown);
	assert_int_equal(carry(&wire, "question"), 0);
	answer(&wire, "answer");
	assert_false(SSL_session_reused(wire.client));
	session = SSL_get1_session(wire.client);
	wire_close(&wire);
	return session;
}

static bool
is_resumed(struct tls_context *context, SSL_SESSION *session, const struct pair *shown)
{
	struct wire wire;
	bool is;

	wire_open(&wire, context, shown);
	assert_int_equal(SSL_set_session(wire.client, session), 1);
	assert_int_equal(carry(&wire, "again"), 0);
	is = SSL_session_reused(wire.client);
	wire_close(&wire);
	return is;
}

static void
a_ticket_is_good_for_as_long_as_its_key_and_the_next(void **state)
{
	struct tls_context *context;
	struct tempdir dir;
	struct pair own;
	SSL_SESSION *session;

	(void)state;
	tempdir_make(&dir);
	make_pair(&dir, "own", &own);
	context = load(&own, NULL, NULL);
	session = open_session(context, NULL);
	now = 23 * HOUR;
	assert_true(is_resumed(context, session, NULL));
	now = 25 * HOUR;	/* a new key from here on */
	assert_true(is_resumed(context, session, NULL));
	assert_true(is_resumed(context, session, NULL));
	now = 49 * HOUR;
	assert_false(is_resumed(context, session, NULL));
	now += 24 * HOUR;	/* nobody came, so no key was drawn meanwhile */
	SSL_SESSION_free(session);
	session = open_session(context, NULL);
	now += 48 * HOUR;
	assert_false(is_resumed(context, session, NULL));
	SSL_SESSION_free(session);
	tls_context_unref(context);
	tempdir_remove(&dir);
}

static void
shows(const struct wire *wire, const char *name)
{
	char got[64] = "";
	X509 *cert = SSL_get1_peer_certificate(wire->client);

	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, got,
	    sizeof(got));
	assert_string_equal(got, name);
	X509_free(cert);
}

static void
renewed_files_are_for_new_connections_and_sessions_stay_good(void **state)
{
	struct tls_context *old, *new;
	struct wire before, after;
	struct pair one, other;
	SSL_SESSION *session;
	struct tempdir dir;

	(void)state;
	tempdir_make(&dir);
	make_pair(&dir, "one", &one);
	make_pair(&dir, "other", &other);
	old = load(&one, NULL, NULL);
	session = open_session(old, NULL);
	wire_open(&before, old, NULL);
	assert_int_equal(carry(&before, "before"), 0);
	new = load(&other, NULL, old);
	tls_context_unref(old);
	wire_open(&after, new, NULL);
	assert_int_equal(carry(&after, "after"), 0);
	shows(&after, "other");
	assert_int_equal(carry(&before, "still"), 0);
	answer(&before, "here");
	shows(&before, "one");
	assert_true(is_resumed(new, session, NULL));
	wire_close(&before);
	wire_close(&after);
	SSL_SESSION_free(session);
	tls_context_unref(new);
	tempdir_remove(&dir);
}

static void
a_session_is_not_good_under_other_authorities(void **state)
{
	struct tls_context *old, *new;
	struct pair own, one, other;
	SSL_SESSION *session;
	struct tempdir dir;
	struct wire wire;

	(void)state;
	tempdir_make(&dir);
	make_pair(&dir, "own", &own);
	make_pair(&dir, "one", &one);
	make_pair(&dir, "other", &other);
	old = load(&own, &one, NULL);
	session = open_session(old, &one);
	assert_true(is_resumed(old, session, &one));
	new = load(&own, &other, old);
	wire_open(&wire, new, &one);
	assert_int_equal(SSL_set_session(wire.client, session), 1);
	assert_int_equal(carry(&wire, "again"), TLS_E_BROKEN);
	assert_int_equal(tls_peer_name(wire.server, 0).len, 0);
	wire_close(&wire);
	wire_open(&wire, new, &other);
	assert_int_equal(carry(&wire, "who"), 0);
	assert_true(bytes_eq_str(tls_peer_name(wire.server, 0), "other"));
	assert_int_equal(tls_peer_name(wire.server, 1).len, 0);
	wire_close(&wire);
	SSL_SESSION_free(session);
	tls_context_unref(old);
	tls_context_unref(new);
	tempdir_remove(&dir);
}

static void
nobody_is_renegotiated_with(void **state)
{
	struct tls_context *context;
	struct tempdir dir;
	struct wire wire;
	struct pair own;
	char byte;
	size_t n;

	(void)state;
	tempdir_make(&dir);
	make_pair(&dir, "own", &own);
	context = load(&own, NULL, NULL);
	wire_open(&wire, context, NULL);
	SSL_set_max_proto_version(wire.client, TLS1_2_VERSION);
	assert_int_equal(carry(&wire, "question"), 0);
	assert_int_equal(SSL_renegotiate(wire.client), 1);
	assert_int_equal(SSL_do_handshake(wire.client), -1);
	assert_int_equal(tls_read(wire.server, &byte, 1, &n), TLS_E_WAIT);
	assert_int_equal(SSL_do_handshake(wire.client), -1);
	assert_int_equal(SSL_get_error(wire.client, -1), SSL_ERROR_SSL);
	wire_close(&wire);
	tls_context_unref(context);
	tempdir_remove(&dir);
}

static void
what_a_full_socket_did_not_take_may_come_again_from_elsewhere(void **state)
{
	enum { LEN = 4 << 20 };
	char *sent = test_malloc(LEN), *again = test_malloc(LEN), *got = test_malloc(LEN);
	struct tls_context *context;
	size_t done = 0, read = 0, n;
	struct tempdir dir;
	struct wire wire;
	struct pair own;

	(void)state;
	for (size_t i = 0; i < LEN; i++)
		again[i] = sent[i] = (char)(i * 31 >> 7);
	tempdir_make(&dir);
	make_pair(&dir, "own", &own);
	context = load(&own, NULL, NULL);
	wire_open(&wire, context, NULL);
	assert_int_equal(carry(&wire, "question"), 0);
	for (const char *from = sent; read < LEN; from = from == sent ? again : sent) {
		while (done < LEN && tls_write(wire.server, (struct bytes){ from + done,
		    LEN - done }, &n) == 0)
			done += n;
		while (SSL_read_ex(wire.client, got + read, LEN - read, &n) == 1)
			read += n;
	}
	assert_memory_equal(got, sent, LEN);
	assert_true(tls_sent(wire.server) > LEN);
	wire_close(&wire);
	tls_context_unref(context);
	tempdir_remove(&dir);
	test_free(sent);
	test_free(again);
	test_free(got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_is_good_for_as_long_as_its_key_and_the_next),
		cmocka_unit_test(renewed_files_are_for_new_connections_and_sessions_stay_good),
		cmocka_unit_test(a_session_is_not_good_under_other_authorities),
		cmocka_unit_test(nobody_is_renegotiated_with),
		cmocka_unit_test(what_a_full_socket_did_not_take_may_come_again_from_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
