/* SPDX-License-Identifier: MIT */
/*
 * tls.c - OpenSSL's outcomes into ours.
 */
#include "proxy/net/tls.h"

#include <errno.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "base/mem.h"
#include "proxy/net/tls_context.h"

#define NAMES_MAX	16

struct tls {
	SSL			*ssl;
	struct tls_context	*context;	/* a reference of our own */
	char			*names[NAMES_MAX];
	unsigned		 n_names;
	uint64_t		 sent_before;	/* in the handshake */
	bool			 is_open;
	bool			 waits_for_room;
};

struct tls *
tls_new(struct tls_context *context, int fd)
{
	SSL *ssl = tls_context_begin(context);
	struct tls *tls;

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	tls = xcalloc(1, sizeof(*tls));
	tls->ssl = ssl;
	tls->context = tls_context_ref(context);
	return tls;
}

struct tls *
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return NULL;
	for (unsigned i = 0; i < tls->n_names; i++)
		xfree(tls->names[i]);
	SSL_free(tls->ssl);
	tls_context_unref(tls->context);
	return xfree(tls);
}

static void
add_name(struct tls *tls, const void *name, int len)
{
	if (len > 0 && tls->n_names < NAMES_MAX && memchr(name, '\0', (size_t)len) == NULL)
		tls->names[tls->n_names++] = xstrndup(name, (size_t)len);
}

static void
add_common_name(struct tls *tls, const X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1), len;
	unsigned char *text = NULL;

	if (at < 0)
		return;
	len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(
	    X509_NAME_get_entry(subject, at)));
	if (len > 0)
		add_name(tls, text, len);
	OPENSSL_free(text);
}

static void
add_dns_names(struct tls *tls, const X509 *cert)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);

		if (name->type == GEN_DNS)
			add_name(tls, ASN1_STRING_get0_data(name->d.dNSName),
			    ASN1_STRING_length(name->d.dNSName));
	}
	GENERAL_NAMES_free(all);
}

/* A session that is resumed is not verified again, and a ticket may outlive its certificate. */
static void
read_names(struct tls *tls)
{
	const X509 *cert = SSL_get0_peer_certificate(tls->ssl);

	if (cert == NULL || SSL_get_verify_result(tls->ssl) != X509_V_OK ||
	    X509_cmp_current_time(X509_get0_notAfter(cert)) <= 0)
		return;
	add_common_name(tls, cert);
	add_dns_names(tls, cert);
}

static void
note_open(struct tls *tls)
{
	tls->is_open = true;
	tls->sent_before = BIO_number_written(SSL_get_wbio(tls->ssl));
	read_names(tls);
}

/* Anybody can make this happen as often as they like, so it is no more than debug. */
static int
note_failure(const struct tls *tls)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	if (reason == NULL)
		reason = errno != 0 ? strerror(errno) : "the connection ended";
	log_debug("TLS %s: %s", tls->is_open ? "connection broken" : "handshake failed", reason);
	ERR_clear_error();
	return TLS_E_BROKEN;
}

/* What became of a call that was no success.  The error queue is the thread's. */
static int
outcome(struct tls *tls)
{
	switch (SSL_get_error(tls->ssl, 0)) {
	case SSL_ERROR_WANT_READ:
		return TLS_E_WAIT;
	case SSL_ERROR_WANT_WRITE:
		tls->waits_for_room = true;
		return TLS_E_WAIT;
	case SSL_ERROR_ZERO_RETURN:
		return tls->is_open ? TLS_E_END : note_failure(tls);
	default:
		return note_failure(tls);
	}
}

int
tls_read(struct tls *tls, char *space, size_t size, size_t *ret_n)
{
	int r;

	ERR_clear_error();
	errno = 0;
	tls->waits_for_room = false;
	r = SSL_read_ex(tls->ssl, space, size, ret_n) == 1 ? 0 : outcome(tls);
	if (!tls->is_open && SSL_is_init_finished(tls->ssl))
		note_open(tls);
	return r;
}

int
tls_write(struct tls *tls, struct bytes data, size_t *ret_n)
{
	int r;

	ERR_clear_error();
	errno = 0;
	if (SSL_write_ex(tls->ssl, data.ptr, data.len, ret_n) == 1)
		return 0;
	r = outcome(tls);
	tls->waits_for_room = false;	/* its caller has the bytes, and tries again with them */
	return r;
}

int
tls_end(struct tls *tls)
{
	int r;

	if (!tls->is_open)
		return 0;
	ERR_clear_error();
	r = SSL_shutdown(tls->ssl);
	if (r < 0 && SSL_get_error(tls->ssl, r) == SSL_ERROR_WANT_WRITE)
		return TLS_E_WAIT;
	ERR_clear_error();
	return 0;
}

bool
tls_is_open(const struct tls *tls)
{
	return tls->is_open;
}

bool
tls_has_more(const struct tls *tls)
{
	return SSL_has_pending(tls->ssl) == 1;
}

bool
tls_waits_for_room(const struct tls *tls)
{
	return tls->waits_for_room;
}

uint64_t
tls_sent(const struct tls *tls)
{
	return tls->is_open ? BIO_number_written(SSL_get_wbio(tls->ssl)) - tls->sent_before : 0;
}

struct bytes
tls_peer_name(const struct tls *tls, unsigned i)
{
	return i < tls->n_names ? bytes_str(tls->names[i]) : BYTES_NONE;
}
