/* SPDX-License-Identifier: MIT */
/*
 * cli_key.c - a new key for a team.  It is printed once; the configuration knows only
 * its SHA-256, which says nothing of it, as it was drawn by chance (H-73).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "cache/digest.h"
#include "proxy/cli_priv.h"

#define PREFIX		"rp-"
#define SECRET_LEN	32
#define KEY_SIZE	(sizeof(PREFIX) + (SECRET_LEN * 8 + 5) / 6)

/* RFC 4648, 5, without padding. */
static void
add_base64url(const unsigned char *data, size_t len, char *to)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned bits = 0, n_bits = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | data[i];
		for (n_bits += 8; n_bits >= 6; n_bits -= 6)
			*to++ = digits[bits >> (n_bits - 6) & 63];
	}
	if (n_bits > 0)
		*to++ = digits[bits << (6 - n_bits) & 63];
	*to = '\0';
}

static int
draw_key(char ret_key[KEY_SIZE])
{
	unsigned char secret[SECRET_LEN];
	ssize_t n = getrandom(secret, sizeof(secret), 0);

	if (n != (ssize_t)sizeof(secret))
		return n < 0 ? -errno : -EIO;
	add_base64url(secret, sizeof(secret), stpcpy(ret_key, PREFIX));
	explicit_bzero(secret, sizeof(secret));
	return 0;
}

int
cli_key_new(const struct arguments *args)
{
	char key[KEY_SIZE], sum[DIGEST_HEX_LEN + 1];
	int r;

	if (!config_is_name(args->operand)) {
		fputs("reprise: the name of a team has letters, digits, '_' and '-'\n", stderr);
		return EXIT_USAGE;
	}
	r = draw_key(key);
	if (r < 0) {
		fprintf(stderr, "reprise: no random bytes: %s\n", strerror(-r));
		return EXIT_FAILED;
	}
	digest_hex(bytes_str(key), sum);
	printf("%s\nteams:\n  %s: {key: \"sha256:%s\"}\n", key, args->operand, sum);
	explicit_bzero(key, sizeof(key));
	return EXIT_FINE;
}
