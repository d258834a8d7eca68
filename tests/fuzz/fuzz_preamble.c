/* SPDX-License-Identifier: MIT */
/*
 * fuzz_preamble.c - any bytes as a header of the PROXY protocol: read byte by byte the
 * verdict is that of the whole, comes once, and does not change with what follows.
 */
#include "proxy/http/preamble.h"

#include <string.h>

#include "base/mem.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct preamble whole = { 0 }, part = { 0 };
	enum preamble_state state = PREAMBLE_MORE, all;
	size_t n;

	all = preamble_read((struct bytes){ (const char *)data, size }, &whole);
	for (n = 0; n <= size && state == PREAMBLE_MORE; n++) {
		/* Of its own, so that a look behind its end is seen. */
		char *copy = memcpy(mem_try_realloc(NULL, n + 1), data, n);

		state = preamble_read((struct bytes){ copy, n }, &part);
		xfree(copy);
	}
	assert(state == all);
	if (all == PREAMBLE_DONE) {
		assert(whole.len == n - 1 && whole.len <= PREAMBLE_MAX);
		assert(part.len == whole.len && ip_eq(part.from, whole.from));
	}
	assert(size < PREAMBLE_MAX || all != PREAMBLE_MORE);
	return 0;
}
