/* SPDX-License-Identifier: MIT */
/*
 * digest.h - SHA-256 (FIPS 180-4), for what must be told apart and never be
 * read back: a client's credential in the name of its part of the cache.
 */
#ifndef CACHE_DIGEST_H
#define CACHE_DIGEST_H

#include "base/bytes.h"

#define DIGEST_LEN	32
#define DIGEST_HEX_LEN	64

void	digest_bytes(struct bytes data, char ret_sum[DIGEST_LEN]);

/* 64 hexadecimal digits and a NUL. */
void	digest_hex(struct bytes data, char ret_hex[DIGEST_HEX_LEN + 1]);

#endif
