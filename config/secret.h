/* SPDX-License-Identifier: MIT */
/*
 * secret.h - a token: read once, never printed (H-70).  There is no way to
 * format one; whoever sends it asks for its bytes by name.
 */
#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"

struct secret;

enum {
	SECRET_E_UNSET = 1,	/* the environment has no such variable */
	SECRET_E_EMPTY,		/* nothing but white space */
	SECRET_E_BAD,		/* holds bytes that no header field may (H-15) */
};

/* Each returns 0, a SECRET_E_*, or -errno; trailing white space is cut off. */
int	secret_from_env(const char *variable, struct secret **ret_secret) MUST_USE;
int	secret_from_file(const char *path, struct secret **ret_secret) MUST_USE;
int	secret_from_credential(const char *name, struct secret **ret_secret) MUST_USE;
int	secret_from_value(const char *value, struct secret **ret_secret) MUST_USE;

/* Wipes it first. */
struct secret	*secret_free(struct secret *secret);

/* For the one who sends it, and nobody else. */
struct bytes	secret_reveal(const struct secret *secret);

#endif
