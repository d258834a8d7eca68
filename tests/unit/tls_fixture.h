/* SPDX-License-Identifier: MIT */
/*
 * tls_fixture.h - certificates of a test's own, and contexts of them.
 */
#ifndef TESTS_UNIT_TLS_FIXTURE_H
#define TESTS_UNIT_TLS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "proxy/net/tls_context.h"
#include "tests/unit/tempdir.h"

#define PATH_SIZE	520

/* A certificate with its key, in a file each. */
struct pair {
	char	certificate[PATH_SIZE];
	char	key[PATH_SIZE];
};

static inline void
write_pair(const struct pair *pair, X509 *cert, EVP_PKEY *key)
{
	FILE *f = fopen(pair->certificate, "w");

	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, cert), 1);
	fclose(f);
	f = fopen(pair->key, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
}

/* It vouches for itself. */
static inline void
make_pair(struct tempdir *dir, const char *name, struct pair *ret_pair)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);

	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
	    -1, -1, 0);
	X509_set_issuer_name(cert, subject);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	snprintf(ret_pair->certificate, PATH_SIZE, "%s.pem", tempdir_file(dir, name));
	snprintf(ret_pair->key, PATH_SIZE, "%s.key", tempdir_file(dir, name));
	write_pair(ret_pair, cert, key);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static inline void
note(void *arg, const struct tls_note *said)
{
	(void)arg;
	fail_msg("%s", said->what);
}

static inline struct tls_context *
load(const struct pair *pair, const struct pair *client_ca, struct tls_context *previous)
{
	const struct tls_files files = { .path = {
		[TLS_CERTIFICATE] = pair->certificate,
		[TLS_KEY] = pair->key,
		[TLS_CLIENT_CA] = client_ca != NULL ? client_ca->certificate : NULL,
	} };
	struct tls_context *context;

	assert_int_equal(tls_load(&(struct tls_options){
		.files = &files, .n = 1, .previous = previous, .note = note }, &context), 0);
	return context;
}

#endif
