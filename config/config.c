/* SPDX-License-Identifier: MIT */
/*
 * config.c - the life of a configuration.
 */
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/defaults.h"
#include "config/keyring.h"
#include "config/load.h"
#include "config/option.h"
#include "config/tls.h"

#define DEFAULT_FILE	"/etc/reprise/reprise.yaml"
#define FILE_MAX	((size_t)1 << 20)
#define LINE_SIZE	512

/* The whole of FD in BUF; -EFBIG when it does not fit. */
static int
read_all(int fd, struct buf *buf)
{
	char *space;
	ssize_t n;
	int r;

	for (;;) {
		r = buf_space(buf, 4096, &space);
		if (r < 0)
			return r == -E2BIG ? -EFBIG : r;
		n = read(fd, space, 4096);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		buf_fill(buf, (size_t)n);
	}
}

static int
read_file(const char *file, struct buf *buf)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = read_all(fd, buf);
	close(fd);
	return r;
}

static int
load_file(const char *file, config_complain_fn *complain, void *arg, struct config *config)
{
	char line[LINE_SIZE];
	struct buf text;
	int r;

	buf_init(&text, FILE_MAX);
	r = read_file(file, &text);
	if (r < 0) {
		snprintf(line, sizeof(line), "%s: %s", file, strerror(-r));
		complain(arg, line);
	} else {
		r = load_text(buf_bytes(&text), file, complain, arg, config);
	}
	buf_done(&text);
	return r;
}

static int
load(const char *file, config_complain_fn *complain, void *arg, bool is_aside,
    struct config **ret_config)
{
	struct config *config = xcalloc(1, sizeof(*config));
	int r = 0;

	config->refs = 1;
	config->is_aside = is_aside;
	defaults_begin(config);
	if (file != NULL)
		r = load_file(file, complain, arg, config);
	else
		defaults_upstream(config);
	if (r != 0) {
		config_unref(config);
		return r;
	}
	defaults_end(config);
	*ret_config = config;
	return 0;
}

int
config_load(const char *file, config_complain_fn *complain, void *arg, struct config **ret_config)
{
	return load(file, complain, arg, false, ret_config);
}

int
config_load_aside(const char *file, config_complain_fn *complain, void *arg,
    struct config **ret_config)
{
	return load(file, complain, arg, true, ret_config);
}

struct config *
config_ref(struct config *config)
{
	atomic_fetch_add_explicit(&config->refs, 1, memory_order_relaxed);
	return config;
}

static void
free_upstream(struct config_upstream *up)
{
	for (size_t i = 0; i < up->n_tokens; i++)
		secret_free(up->tokens[i]);
	xfree(up->tokens);
	xfree(up->name);
	option_free_all(PLACE_UPSTREAM, up);
}

struct config *
config_unref(struct config *config)
{
	if (config == NULL ||
	    atomic_fetch_sub_explicit(&config->refs, 1, memory_order_acq_rel) > 1)
		return NULL;
	for (size_t i = 0; i < config->n_upstreams; i++) {
		free_upstream(&config->upstreams[i]);
	}
	for (size_t i = 0; i < config->n_tls; i++) {
		xfree(config->tls[i].certificate_at);
		xfree(config->tls[i].key_at);
		xfree(config->tls[i].client_ca_at);
		option_free_all(PLACE_TLS, &config->tls[i]);
	}
	for (size_t i = 0; i < config->n_teams; i++) {
		xfree(config->teams[i].name);
		option_free_all(PLACE_TEAM, &config->teams[i]);
	}
	for (size_t i = 0; i < config->n_routes; i++) {
		xfree(config->routes[i].to);
		xfree(config->routes[i].weights);
		xfree(config->routes[i].teams);
		edits_done(&config->routes[i].edits);
		option_free_all(PLACE_ROUTE, &config->routes[i]);
	}
	for (size_t i = 0; i < config->n_prices; i++)
		option_free_all(PLACE_PRICE, &config->prices[i]);
	xfree(config->prices);
	peers_free(config);
	xfree(config->upstreams);
	xfree(config->routes);
	xfree(config->teams);
	xfree(config->teams_by_name);
	xfree(config->tls);
	keyring_free(config->keys);
	option_free_all(PLACE_TOP, config);
	return xfree(config);
}

bool
config_is_name(const char *text)
{
	return text[0] != '\0' && strspn(text, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(text);
}

const char *
config_default_file(void)
{
	const char *file = getenv("REPRISE_CONFIG");

	if (file != NULL && file[0] != '\0')
		return file;
	return access(DEFAULT_FILE, F_OK) == 0 ? DEFAULT_FILE : NULL;
}
