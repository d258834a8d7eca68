/* SPDX-License-Identifier: MIT */
/*
 * certificates.c - from the configuration to tls_load(), and back with its notes.
 */
#include "proxy/certificates.h"

#include <stdio.h>

#include "base/mem.h"
#include "config/config.h"
#include "config/tls.h"
#include "proxy/net/tls_context.h"

#define LINE_SIZE	2048

struct hearing {
	const struct config	*config;
	certificates_say_fn	*say;
	void			*arg;
};

static void
on_note(void *arg, const struct tls_note *note)
{
	const struct hearing *hearing = arg;
	const struct config_tls *tls = &hearing->config->tls[note->at];
	const char *const places[TLS_N_FILES] = {
		[TLS_CERTIFICATE] = tls->certificate_at,
		[TLS_KEY] = tls->key_at,
		[TLS_CLIENT_CA] = tls->client_ca_at,
	};
	char line[LINE_SIZE];

	snprintf(line, sizeof(line), "%s: %s", places[note->file], note->what);
	hearing->say(hearing->arg, note->is_wrong, line);
}

int
certificates_load(const struct config *config, struct tls_context *previous,
    certificates_say_fn *say, void *arg, struct tls_context **ret_context)
{
	struct hearing hearing = { .config = config, .say = say, .arg = arg };
	struct tls_files *files;
	int r;

	if (config->n_tls == 0) {
		*ret_context = NULL;
		return 0;
	}
	files = xcalloc(config->n_tls, sizeof(*files));
	for (size_t i = 0; i < config->n_tls; i++) {
		const struct config_tls *tls = &config->tls[i];

		files[i] = (struct tls_files){ .path = {
			[TLS_CERTIFICATE] = tls->certificate,
			[TLS_KEY] = tls->key,
			[TLS_CLIENT_CA] = tls->client_ca,
		} };
	}
	r = tls_load(&(struct tls_options){
		.files = files, .n = config->n_tls, .previous = previous, .note = on_note,
		.arg = &hearing,
	}, ret_context);
	xfree(files);
	return r == 0 ? 0 : CERTIFICATES_E_WRONG;
}
