/* SPDX-License-Identifier: MIT */
/*
 * fuzz_config.c - any bytes as a configuration: loaded or complained of, with
 * nothing lost and nothing left behind.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/load.h"

static void
count(void *arg, const char *line)
{
	assert(strncmp(line, "f:", 2) == 0);
	++*(unsigned *)arg;
}

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = xcalloc(1, sizeof(*config));
	unsigned n_said = 0;
	int r;

	config->refs = 1;
	r = load_text((struct bytes){ (const char *)data, size }, "f", count, &n_said, config);
	assert((r == 0) == (n_said == 0));
	config_unref(config);
	return 0;
}
