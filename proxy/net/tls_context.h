/* SPDX-License-Identifier: MIT */
/*
 * tls_context.h - how clients are spoken to over TLS: certificates, whom we believe, the
 * keys of tickets.  Immutable once loaded, and counted: all workers share one, and a
 * connection keeps the one it began with.
 *
 * TLS 1.2 and 1.3, AEAD with forward secrecy alone, no compression, no renegotiation, no
 * early data; http/1.1 is what is spoken within.  Which certificate a client sees is
 * decided by the name it asks for: the first of them that bears it, else the very first.
 */
#ifndef PROXY_NET_TLS_CONTEXT_H
#define PROXY_NET_TLS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct ssl_st;
struct tls_context;

enum tls_file {
	TLS_CERTIFICATE,	/* PEM: its own, then those that vouch for it */
	TLS_KEY,
	TLS_CLIENT_CA,		/* or NULL */
};
#define TLS_N_FILES	3

struct tls_files {
	const char	*path[TLS_N_FILES];
};

/* What is wrong with a file; or, where it can be lived with, only strange. */
struct tls_note {
	size_t		 at;		/* of the list */
	enum tls_file	 file;
	bool		 is_wrong;
	const char	*what;
};

typedef void tls_note_fn(void *arg, const struct tls_note *note);

struct tls_options {
	const struct tls_files	*files;
	size_t			 n;
	struct tls_context	*previous;	/* whose tickets stay good; NULL: none */
	tls_note_fn		*note;
	void			*arg;
};

/*
 * Read the files.  0, or TLS_E_WRONG: NOTE has heard why, and there is no context.
 * Where any of them has a client_ca, a client must show a certificate of one of those
 * authorities, whatever name it asks for: for that it chooses itself.
 */
enum {
	TLS_E_WRONG = 1,
};
int	tls_load(const struct tls_options *options, struct tls_context **ret_context) MUST_USE;

struct tls_context	*tls_context_ref(struct tls_context *context);
struct tls_context	*tls_context_unref(struct tls_context *context);	/* returns NULL */

/* The server's end of a new connection; NULL: no memory. */
struct ssl_st	*tls_context_begin(struct tls_context *context);

#endif
