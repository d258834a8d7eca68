/* SPDX-License-Identifier: MIT */
/*
 * nomem.c - a library to be loaded before the C library's allocator: of the allocations
 * of NOMEM_SIZE bytes and more, every NOMEM_EVERYth fails.  Smaller ones are those that
 * may end a process (F16).
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static atomic_ulong n_large;

static size_t
number(const char *name)
{
	const char *digit = getenv(name);
	size_t n = 0;

	for (; digit != NULL && *digit >= '0' && *digit <= '9'; digit++)
		n = n * 10 + (size_t)(*digit - '0');
	return n;
}

static bool
must_fail(size_t size)
{
	static size_t at_least, every;

	if (every == 0) {
		at_least = number("NOMEM_SIZE");
		every = number("NOMEM_EVERY");
	}
	if (every == 0 || size < at_least || ++n_large % every != 0)
		return false;
	errno = ENOMEM;
	return true;
}

/* By the names that programs call. */
void	*take(size_t size) __asm__("malloc");
void	*resize(void *mem, size_t size) __asm__("realloc");

void *
take(size_t size)
{
	static void *(*real)(size_t);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "malloc");
	return must_fail(size) ? NULL : real(size);
}

void *
resize(void *mem, size_t size)
{
	static void *(*real)(void *, size_t);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "realloc");
	return must_fail(size) ? NULL : real(mem, size);
}
