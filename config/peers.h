/* SPDX-License-Identifier: MIT */
/*
 * peers.h - what a configuration says of where clients come, and who they are.
 */
#ifndef CONFIG_PEERS_H
#define CONFIG_PEERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ip.h"

#define CONFIG_MEMORY_PER_BODY	8	/* bodies that one request may have in memory, nearly */

struct config;

/* An address to listen on. */
struct config_listen {
	char		*address;	/* host:port, [v6]:port, unix:/path */
	bool		 proxy_protocol;
	unsigned	 mode;		/* of a unix socket; 0: by the umask */
	char		*group;		/* likewise, or NULL: that of the process */
};

struct config_peers {
	struct config_listen *listen;	/* at least one */
	size_t		 n_listen;
	unsigned	 per_address;	/* connections; 0: any number */
	char		**trusted_proxies; /* NULL-terminated, or NULL: none */
	struct ip_net	*trusted;	/* the same, read */
	size_t		 n_trusted;
};

/* Is IP that of a proxy which is believed in whose name it speaks? */
bool	config_trusts(const struct config *config, struct ip ip);

/* Listen on ADDRESS too, with nothing more to say of it; or on none any more. */
struct config_listen	*config_add_listen(struct config *config, const char *address);
void			 config_clear_listen(struct config *config);

/* When all is read: the default where nothing was said, and the proxies. */
void	peers_end(struct config *config);
void	peers_free(struct config *config);

#endif
