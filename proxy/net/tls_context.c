/* SPDX-License-Identifier: MIT */
/*
 * tls_context.c - files into contexts of OpenSSL, one for each certificate, alike in all
 * else: a client that asks for another name must not get other rules.
 */
#include "proxy/net/tls_context.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "proxy/net/tls_ticket.h"

#define CIPHERS		"ECDHE+AESGCM:ECDHE+CHACHA20"	/* of TLS 1.2; 1.3 has no others */
#define SECURITY_LEVEL	2				/* 112 bits: RSA of 2048 */
#define WHAT_MAX	512

struct tls_context {
	SSL_CTX			**ctx;		/* of each certificate */
	size_t			  n;
	struct tls_tickets	 *tickets;
	_Atomic unsigned	  refs;
};

/* Whom clients must be vouched for by. */
struct authorities {
	X509_STORE		*store;		/* NULL: nobody is asked */
	STACK_OF(X509_NAME)	*names;
	unsigned char		 sum[SSL_MAX_SID_CTX_LENGTH];
	unsigned		 sum_len;
};

struct loading {
	const struct tls_options	*options;
	struct authorities		 authorities;
	bool				 is_wrong;
};

static void __attribute__((format(printf, 4, 5)))
say(struct loading *l, size_t at, enum tls_file file, const char *fmt, ...)
{
	struct tls_note note = { .at = at, .file = file, .is_wrong = true };
	char what[WHAT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	note.what = what;
	l->is_wrong = true;
	l->options->note(l->options->arg, &note);
}

static void
warn(struct loading *l, size_t at, enum tls_file file, const char *what)
{
	const struct tls_note note = { .at = at, .file = file, .what = what };

	l->options->note(l->options->arg, &note);
}

static const char *
path_of(const struct loading *l, size_t at, enum tls_file file)
{
	return l->options->files[at].path[file];
}

/* OpenSSL says less well what the system knows. */
static bool
can_read(struct loading *l, size_t at, enum tls_file file)
{
	const char *path = path_of(l, at, file);

	ERR_clear_error();
	if (access(path, R_OK) == 0)
		return true;
	say(l, at, file, "%s: %s", path, strerror(errno));
	return false;
}

/* That there is nothing of the kind in a file is said differently by each that looks. */
static bool
is_nothing(unsigned long error)
{
	int lib = ERR_GET_LIB(error), reason = ERR_GET_REASON(error);

	return (lib == ERR_LIB_PEM && reason == PEM_R_NO_START_LINE) ||
	    (lib == ERR_LIB_X509 && reason == X509_R_NO_CERTIFICATE_OR_CRL_FOUND) ||
	    (lib == ERR_LIB_OSSL_DECODER && reason == ERR_R_UNSUPPORTED);
}

/* What OpenSSL complained of first; or that the file holds no MISSING. */
static void
say_failure(struct loading *l, size_t at, enum tls_file file, const char *missing)
{
	unsigned long error = ERR_peek_error();
	const char *reason = ERR_reason_error_string(error);

	if (is_nothing(error))
		say(l, at, file, "%s holds no %s (PEM)", path_of(l, at, file), missing);
	else
		say(l, at, file, "%s: %s", path_of(l, at, file),
		    reason != NULL ? reason : "cannot be read");
	ERR_clear_error();
}

static void
check_time(struct loading *l, size_t at, const X509 *cert)
{
	if (X509_cmp_current_time(X509_get0_notAfter(cert)) <= 0)
		warn(l, at, TLS_CERTIFICATE, "has expired; clients will refuse it");
	else if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
		warn(l, at, TLS_CERTIFICATE, "is not valid yet; clients will refuse it");
}

static bool
load_certificate(struct loading *l, size_t at, SSL_CTX *ctx)
{
	if (!can_read(l, at, TLS_CERTIFICATE))
		return false;
	if (SSL_CTX_use_certificate_chain_file(ctx, path_of(l, at, TLS_CERTIFICATE)) == 1) {
		check_time(l, at, SSL_CTX_get0_certificate(ctx));
		return true;
	}
	say_failure(l, at, TLS_CERTIFICATE, "certificate");
	return false;
}

/* There is nobody to ask, and the terminal must not be. */
static int
on_passphrase(char *text, int size, int writes, void *arg)
{
	bool *is_asked = arg;

	(void)text;
	(void)size;
	(void)writes;
	*is_asked = true;
	return -1;
}

static EVP_PKEY *
read_key(struct loading *l, size_t at)
{
	BIO *bio = BIO_new_file(path_of(l, at, TLS_KEY), "r");
	bool is_asked = false;
	EVP_PKEY *key = NULL;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &is_asked);
	BIO_free(bio);
	if (key == NULL && is_asked)
		say(l, at, TLS_KEY, "%s needs a passphrase; write it without one, readable to "
		    "the service alone", path_of(l, at, TLS_KEY));
	else if (key == NULL)
		say_failure(l, at, TLS_KEY, "private key");
	return key;
}

static void
load_key(struct loading *l, size_t at, SSL_CTX *ctx)
{
	EVP_PKEY *key;

	if (!can_read(l, at, TLS_KEY))
		return;
	key = read_key(l, at);
	if (key == NULL)
		return;
	if (X509_check_private_key(SSL_CTX_get0_certificate(ctx), key) != 1)
		say(l, at, TLS_KEY, "%s does not belong to the certificate in %s",
		    path_of(l, at, TLS_KEY), path_of(l, at, TLS_CERTIFICATE));
	else if (SSL_CTX_use_PrivateKey(ctx, key) != 1)
		say_failure(l, at, TLS_KEY, "private key");
	EVP_PKEY_free(key);
}

/* A session holds whom it was opened by, so it is good under the same authorities alone. */
static void
sum_authorities(struct authorities *a)
{
	STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(a->store);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char one[EVP_MAX_MD_SIZE];
	unsigned len;

	EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		const X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));

		if (cert != NULL && X509_digest(cert, EVP_sha256(), one, &len) == 1)
			EVP_DigestUpdate(md, one, len);
	}
	EVP_DigestFinal_ex(md, a->sum, &a->sum_len);
	EVP_MD_CTX_free(md);
}

static void
load_authorities(struct loading *l)
{
	struct authorities *a = &l->authorities;

	for (size_t i = 0; i < l->options->n; i++) {
		const char *path = path_of(l, i, TLS_CLIENT_CA);

		if (path == NULL || !can_read(l, i, TLS_CLIENT_CA))
			continue;
		if (a->store == NULL) {
			a->store = X509_STORE_new();
			a->names = sk_X509_NAME_new_null();
		}
		if (X509_STORE_load_file(a->store, path) != 1 ||
		    SSL_add_file_cert_subjects_to_stack(a->names, path) != 1)
			say_failure(l, i, TLS_CLIENT_CA, "certificate");
	}
	if (a->store != NULL)
		sum_authorities(a);
}

static void
free_authorities(struct authorities *a)
{
	X509_STORE_free(a->store);
	sk_X509_NAME_pop_free(a->names, X509_NAME_free);
}

/* RFC 7301, 3.2: who would speak another protocol alone is told so. */
static int
on_protocols(SSL *ssl, const unsigned char **ret_chosen, unsigned char *ret_len,
    const unsigned char *offered, unsigned len, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;
	int r = SSL_select_next_proto(&chosen, ret_len, ours, sizeof(ours) - 1, offered, len);

	(void)ssl;
	(void)arg;
	*ret_chosen = chosen;
	return r == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *
find_ctx(const struct tls_context *context, const char *name, unsigned flags)
{
	for (size_t i = 0; i < context->n; i++)
		if (X509_check_host(SSL_CTX_get0_certificate(context->ctx[i]), name, 0, flags,
		    NULL) == 1)
			return context->ctx[i];
	return NULL;
}

/* One that bears the very name goes before one that bears it by an asterisk. */
static int
on_name(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	SSL_CTX *ctx;

	(void)alert;
	if (name == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	ctx = find_ctx(arg, name, X509_CHECK_FLAG_NO_WILDCARDS);
	if (ctx == NULL)
		ctx = find_ctx(arg, name, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (ctx != NULL)
		SSL_set_SSL_CTX(ssl, ctx);
	return SSL_TLSEXT_ERR_OK;
}

static void
set_rules(SSL_CTX *ctx)
{
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
	SSL_CTX_set_cipher_list(ctx, CIPHERS);
	/* A bare FIN is an end like any other: HTTP says itself how long its messages are. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* What is written may lie elsewhere the next time; idle connections hold nothing. */
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
}

static void
set_authorities(SSL_CTX *ctx, const struct authorities *a)
{
	SSL_CTX_set_session_id_context(ctx, a->sum, a->sum_len);
	if (a->store == NULL)
		return;
	SSL_CTX_set1_cert_store(ctx, a->store);
	SSL_CTX_set_client_CA_list(ctx, SSL_dup_CA_list(a->names));
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

static SSL_CTX *
load_ctx(struct loading *l, size_t at, struct tls_context *context)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL) {
		say(l, at, TLS_CERTIFICATE, "OpenSSL cannot speak TLS here");
		return NULL;
	}
	set_rules(ctx);
	set_authorities(ctx, &l->authorities);
	SSL_CTX_set_alpn_select_cb(ctx, on_protocols, NULL);
	SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
	SSL_CTX_set_tlsext_servername_arg(ctx, context);
	tls_tickets_use(context->tickets, ctx);
	if (load_certificate(l, at, ctx))
		load_key(l, at, ctx);
	return ctx;
}

int
tls_load(const struct tls_options *options, struct tls_context **ret_context)
{
	struct tls_context *context = xcalloc(1, sizeof(*context));
	struct tls_context *previous = options->previous;
	struct loading l = { .options = options };

	context->refs = 1;
	context->tickets = previous != NULL ? tls_tickets_ref(previous->tickets) :
	    tls_tickets_new();
	context->ctx = xcalloc(options->n, sizeof(SSL_CTX *));
	load_authorities(&l);
	for (; context->n < options->n; context->n++)
		context->ctx[context->n] = load_ctx(&l, context->n, context);
	free_authorities(&l.authorities);
	if (l.is_wrong) {
		tls_context_unref(context);
		return TLS_E_WRONG;
	}
	*ret_context = context;
	return 0;
}

struct tls_context *
tls_context_ref(struct tls_context *context)
{
	if (context != NULL)
		atomic_fetch_add_explicit(&context->refs, 1, memory_order_relaxed);
	return context;
}

struct tls_context *
tls_context_unref(struct tls_context *context)
{
	if (context == NULL ||
	    atomic_fetch_sub_explicit(&context->refs, 1, memory_order_acq_rel) > 1)
		return NULL;
	for (size_t i = 0; i < context->n; i++)
		SSL_CTX_free(context->ctx[i]);
	tls_tickets_unref(context->tickets);
	xfree(context->ctx);
	return xfree(context);
}

struct ssl_st *
tls_context_begin(struct tls_context *context)
{
	SSL *ssl = SSL_new(context->ctx[0]);

	if (ssl != NULL)
		SSL_set_accept_state(ssl);
	return ssl;
}
