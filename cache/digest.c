/* SPDX-License-Identifier: MIT */
/*
 * digest.c - OpenSSL's SHA-256, fetched once, and written out as text.
 */
#include "cache/digest.h"

#include <openssl/evp.h>
#include <pthread.h>

#include "base/err.h"

static EVP_MD *sha256;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* SHA256() looks for it each time, which takes longer than a key does. */
static void
look_for_it(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	assert(sha256 != NULL);
}

void
digest_bytes(struct bytes data, char ret_sum[DIGEST_LEN])
{
	int r;

	pthread_once(&once, look_for_it);
	r = EVP_Digest(data.ptr, data.len, (unsigned char *)ret_sum, NULL, sha256, NULL);
	assert(r == 1);
}

void
digest_hex(struct bytes data, char ret_hex[DIGEST_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	char sum[DIGEST_LEN];

	digest_bytes(data, sum);
	for (size_t i = 0; i < sizeof(sum); i++) {
		ret_hex[2 * i] = digits[(unsigned char)sum[i] >> 4];
		ret_hex[2 * i + 1] = digits[(unsigned char)sum[i] & 15];
	}
	ret_hex[DIGEST_HEX_LEN] = '\0';
}
