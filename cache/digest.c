/* SPDX-License-Identifier: MIT */
/*
 * digest.c - OpenSSL's SHA-256, written out as text.
 */
#include "cache/digest.h"

#include <openssl/sha.h>

void
digest_bytes(struct bytes data, char ret_sum[DIGEST_LEN])
{
	SHA256((const unsigned char *)data.ptr, data.len, (unsigned char *)ret_sum);
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
