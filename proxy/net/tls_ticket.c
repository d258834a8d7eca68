/* SPDX-License-Identifier: MIT */
/*
 * tls_ticket.c - a key a day, and the one before it (RFC 5077, 4 and 5.5).  Whoever gets
 * at a key can read what was resumed under it, so none of them lives longer.
 */
#include "proxy/net/tls_ticket.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

#define KEY_TIME	(24 * 60 * 60 * USEC_PER_SEC)
#define NAME_LEN	16	/* as OpenSSL hands it over */
#define SECRET_LEN	32

struct ticket_key {
	unsigned char	name[NAME_LEN];
	unsigned char	cipher[SECRET_LEN];
	unsigned char	mac[SECRET_LEN];
	usec_t		born;
	bool		is_drawn;
};

struct tls_tickets {
	pthread_mutex_t		lock;
	struct ticket_key	keys[2];	/* that of today; and the one before */
	_Atomic unsigned	refs;
};

struct tls_tickets *
tls_tickets_new(void)
{
	struct tls_tickets *tickets = xcalloc(1, sizeof(*tickets));

	pthread_mutex_init(&tickets->lock, NULL);
	tickets->refs = 1;
	return tickets;
}

struct tls_tickets *
tls_tickets_ref(struct tls_tickets *tickets)
{
	atomic_fetch_add_explicit(&tickets->refs, 1, memory_order_relaxed);
	return tickets;
}

struct tls_tickets *
tls_tickets_unref(struct tls_tickets *tickets)
{
	if (tickets == NULL ||
	    atomic_fetch_sub_explicit(&tickets->refs, 1, memory_order_acq_rel) > 1)
		return NULL;
	pthread_mutex_destroy(&tickets->lock);
	OPENSSL_cleanse(tickets, sizeof(*tickets));
	return xfree(tickets);
}

static bool
draw_key(struct ticket_key *key, usec_t now)
{
	struct ticket_key new = { .born = now, .is_drawn = true };

	if (RAND_bytes(new.name, sizeof(new.name)) != 1 ||
	    RAND_priv_bytes(new.cipher, sizeof(new.cipher)) != 1 ||
	    RAND_priv_bytes(new.mac, sizeof(new.mac)) != 1)
		return false;
	*key = new;
	OPENSSL_cleanse(&new, sizeof(new));
	return true;
}

/* The key to seal with. */
static bool
get_key(struct tls_tickets *tickets, struct ticket_key *ret_key)
{
	struct ticket_key *keys = tickets->keys;
	usec_t now = clock_mono();
	bool is_there = true;

	pthread_mutex_lock(&tickets->lock);
	if (!keys[0].is_drawn || now - keys[0].born >= KEY_TIME) {
		keys[1] = keys[0];
		is_there = draw_key(&keys[0], now);
	}
	*ret_key = keys[0];
	pthread_mutex_unlock(&tickets->lock);
	return is_there;
}

/* The key that was called NAME, unless it is too old by now. */
static bool
find_key(struct tls_tickets *tickets, const unsigned char *name, struct ticket_key *ret_key)
{
	usec_t now = clock_mono();
	bool is_found = false;

	pthread_mutex_lock(&tickets->lock);
	for (size_t i = 0; i < ARRAY_LEN(tickets->keys) && !is_found; i++) {
		const struct ticket_key *key = &tickets->keys[i];

		is_found = key->is_drawn && now - key->born < 2 * KEY_TIME &&
		    memcmp(key->name, name, NAME_LEN) == 0;
		if (is_found)
			*ret_key = *key;
	}
	pthread_mutex_unlock(&tickets->lock);
	return is_found;
}

static bool
set_mac(struct ticket_key *key, EVP_MAC_CTX *mac)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac,
		    sizeof(key->mac)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* As SSL_CTX_set_tlsext_ticket_key_evp_cb(3) wants it: -1 failed, 0 unknown key, 1 done. */
static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac, int seals)
{
	struct tls_tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct ticket_key key;
	bool is_done;

	if (!seals && !find_key(tickets, name, &key))
		return 0;
	if (seals && (!get_key(tickets, &key) || RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1))
		return -1;
	if (seals)
		memcpy(name, key.name, NAME_LEN);
	is_done = set_mac(&key, mac) && EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL,
	    key.cipher, iv, seals) == 1;
	OPENSSL_cleanse(&key, sizeof(key));
	return is_done ? 1 : -1;
}

void
tls_tickets_use(struct tls_tickets *tickets, struct ssl_ctx_st *ctx)
{
	SSL_CTX_set_app_data(ctx, tickets);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
}
