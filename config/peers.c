/* SPDX-License-Identifier: MIT */
/*
 * peers.c - addresses to listen on, and proxies that are trusted.
 */
#include "config/peers.h"

#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "config/option.h"

bool
config_trusts(const struct config *config, struct ip ip)
{
	return ip_net_has(config->peers.trusted, config->peers.n_trusted, ip);
}

struct config_listen *
config_add_listen(struct config *config, const char *address)
{
	struct config_peers *peers = &config->peers;
	struct config_listen *listen;

	peers->listen = xreallocarray(peers->listen, peers->n_listen + 1, sizeof(*listen));
	listen = &peers->listen[peers->n_listen++];
	*listen = (struct config_listen){ .address = address != NULL ? xstrdup(address) : NULL };
	return listen;
}

void
config_clear_listen(struct config *config)
{
	struct config_peers *peers = &config->peers;

	for (size_t i = 0; i < peers->n_listen; i++)
		option_free_all(PLACE_LISTEN, &peers->listen[i]);
	peers->listen = xfree(peers->listen);
	peers->n_listen = 0;
}

/* What was checked when it was read; whoever comes through a unix socket has no address. */
static struct ip_net
read_net(const char *text)
{
	struct ip_net net = { IP_NONE, 8 * IP_LEN };

	if (strcmp(text, "unix:") != 0 && !ip_net_parse(bytes_str(text), &net))
		unreachable("a net that was checked");
	return net;
}

void
peers_end(struct config *config)
{
	struct config_peers *peers = &config->peers;
	char **list = peers->trusted_proxies;

	if (peers->n_listen == 0)
		config_add_listen(config, option_find(PLACE_TOP, "listen")->def);
	for (; list != NULL && list[peers->n_trusted] != NULL; peers->n_trusted++) {
		peers->trusted = xreallocarray(peers->trusted, peers->n_trusted + 1,
		    sizeof(*peers->trusted));
		peers->trusted[peers->n_trusted] = read_net(list[peers->n_trusted]);
	}
}

void
peers_free(struct config *config)
{
	config_clear_listen(config);
	xfree(config->peers.trusted);
}
