/* SPDX-License-Identifier: MIT */
/*
 * keyring.h - whose a key is, by its SHA-256.  How long finding takes depends
 * neither on how many keys there are nor on how much of one matches (H-73).
 */
#ifndef CONFIG_KEYRING_H
#define CONFIG_KEYRING_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"

#define KEYRING_SUM_LEN	32

struct keyring;

struct keyring	*keyring_new(void);
struct keyring	*keyring_free(struct keyring *ring);

/* Is TEXT "sha256:" and 64 hexadecimal digits?  Then they are in RET_SUM. */
bool	keyring_parse(struct bytes text, char ret_sum[KEYRING_SUM_LEN]);

/* The key of that SUM is OWNER's.  0, or KEYRING_E_TAKEN by *RET_OTHER. */
enum {
	KEYRING_E_TAKEN = 1,
};
int	keyring_add(struct keyring *ring, const char sum[KEYRING_SUM_LEN], size_t owner,
	    size_t *ret_other) MUST_USE;

/* Whose is it?  False if it is nobody's. */
bool	keyring_find(const struct keyring *ring, const char sum[KEYRING_SUM_LEN],
	    size_t *ret_owner);

#endif
