/* SPDX-License-Identifier: MIT */
/*
 * certificates.h - what the configuration says of TLS, loaded; what is wrong with a file
 * is said with the place that names it.
 */
#ifndef PROXY_CERTIFICATES_H
#define PROXY_CERTIFICATES_H

#include <stdbool.h>

#include "base/err.h"

struct config;
struct tls_context;

/* "FILE:LINE:COL: tls.key: what"; not IS_WRONG: it can be lived with. */
typedef void certificates_say_fn(void *arg, bool is_wrong, const char *line);

/*
 * Load the files that CONFIG names; the tickets of PREVIOUS, which may be NULL, stay
 * good.  0, with NULL where CONFIG has no TLS, or CERTIFICATES_E_WRONG once SAY has heard
 * of everything.
 */
enum {
	CERTIFICATES_E_WRONG = 1,
};
int	certificates_load(const struct config *config, struct tls_context *previous,
	    certificates_say_fn *say, void *arg, struct tls_context **ret_context) MUST_USE;

#endif
