/* SPDX-License-Identifier: MIT */
/*
 * secret.c - where tokens come from, and that they go.
 */
#include "config/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_MAX	8192
#define PATH_SIZE	4096

struct secret {
	size_t	len;
	char	bytes[];
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Visible bytes alone: what else there is, no header field may hold (H-15). */
static int
make(const char *text, size_t len, struct secret **ret_secret)
{
	struct secret *secret;

	while (len > 0 && is_space(text[len - 1]))
		len--;
	if (len == 0)
		return SECRET_E_EMPTY;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f)
			return SECRET_E_BAD;
	secret = xcalloc(1, sizeof(*secret) + len);
	secret->len = len;
	memcpy(secret->bytes, text, len);
	*ret_secret = secret;
	return 0;
}

int
secret_from_env(const char *variable, struct secret **ret_secret)
{
	const char *text = getenv(variable);

	return text != NULL ? make(text, strlen(text), ret_secret) : SECRET_E_UNSET;
}

int
secret_from_value(const char *value, struct secret **ret_secret)
{
	return make(value, strlen(value), ret_secret);
}

int
secret_from_file(const char *path, struct secret **ret_secret)
{
	char text[SECRET_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC), r;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text));
	if (n < 0)
		r = -errno;
	else if (n == sizeof(text))
		r = -EFBIG;
	else
		r = make(text, (size_t)n, ret_secret);
	close(fd);
	explicit_bzero(text, sizeof(text));
	return r;
}

/* systemd.exec(5), LoadCredential=: a file of that name in the directory it tells us. */
int
secret_from_credential(const char *name, struct secret **ret_secret)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_SIZE];
	int len;

	if (dir == NULL)
		return SECRET_E_UNSET;
	if (strchr(name, '/') != NULL)
		return -EINVAL;
	len = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (len < 0 || (size_t)len >= sizeof(path))
		return -ENAMETOOLONG;
	return secret_from_file(path, ret_secret);
}

struct secret *
secret_free(struct secret *secret)
{
	if (secret == NULL)
		return NULL;
	explicit_bzero(secret->bytes, secret->len);
	return xfree(secret);
}

struct bytes
secret_reveal(const struct secret *secret)
{
	return (struct bytes){ secret->bytes, secret->len };
}
