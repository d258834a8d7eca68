/* SPDX-License-Identifier: MIT */
/*
 * tls.h - what a configuration says of TLS; the files are read by who speaks it.
 */
#ifndef CONFIG_TLS_H
#define CONFIG_TLS_H

#include <stdbool.h>

struct config;

/* Each file, and where the configuration names it: "FILE:LINE:COL: tls.key". */
struct config_tls {
	char	*certificate, *certificate_at;
	char	*key, *key_at;
	char	*client_ca, *client_ca_at;	/* or NULL, both */
};

/* Must clients over TCP show a certificate of theirs? */
bool	config_asks_for_certificate(const struct config *config);

#endif
