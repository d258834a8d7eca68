/* SPDX-License-Identifier: MIT */
/*
 * target.c - address and token of an upstream.
 */
#include "proxy/target.h"

#include <string.h>

#include "config/config.h"
#include "proxy/net/fetch.h"

#define UNIX_PREFIX	"unix:"

void
target_address(const struct config *config, const struct config_upstream *up,
    struct fetch_request *fr)
{
	fr->base_url = up->url;
	if (bytes_has_prefix(bytes_str(up->url), UNIX_PREFIX)) {
		fr->base_url = "http://localhost";
		fr->unix_socket = up->url + strlen(UNIX_PREFIX);
	}
	fr->ca_file = up->ca_file != NULL ? up->ca_file : config->ca_file;
	fr->timeouts = (struct fetch_timeouts){
		.connect = up->timeouts.connect,
		.first_byte = up->timeouts.first_byte,
		.idle = up->timeouts.idle,
		.total = up->timeouts.total,
	};
}

/* In the form its API takes, or the one that was configured (H-29b). */
int
target_add_token(const struct config_upstream *up, size_t at, enum token_form form,
    struct arena *arena, struct fields *fields)
{
	struct bytes name = bytes_str(up->token_header), value;
	int r;

	if (up->n_tokens == 0)
		return 0;
	assert(at < up->n_tokens);
	if (name.ptr == NULL)
		name = form == TOKEN_X_API_KEY ? BYTES_LIT("x-api-key") :
		    BYTES_LIT("Authorization");
	value = secret_reveal(up->tokens[at]);
	if (bytes_eq_str_nocase(name, "authorization")) {
		r = arena_printf(arena, &value, "Bearer %.*s", BYTES_ARG(value));
		if (r < 0)
			return r;
	}
	return fields_add(fields, arena, name, value);
}
