/* SPDX-License-Identifier: MIT */
/*
 * mem.h - small fixed objects, and ownership made visible.
 *
 * What comes from here is small and of our own making: when there is no memory
 * even for that, the process ends and the service manager starts it afresh.
 * Anything sized by a peer goes through buf or arena, which have ceilings.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#define CLEANUP(fn)	__attribute__((cleanup(fn)))
#define DEFINE_CLEANUP(type, fn) \
	static inline void fn##p(type **p) { *p = fn(*p); }
#define take_ptr(pp)	({ __typeof__(*(pp)) p_ = *(pp); *(pp) = NULL; p_; })

/* Zeroed memory for N objects of SIZE bytes; never NULL. */
void	*xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));

/* A copy of the string S; never NULL. */
char	*xstrdup(const char *s) __attribute__((malloc, returns_nonnull));

/* A NUL-terminated copy of the LEN bytes at P; never NULL. */
char	*xstrndup(const char *p, size_t len) __attribute__((malloc, returns_nonnull));

/* PTR grown or shrunk to N objects of SIZE bytes; what is new is not zeroed. */
void	*xreallocarray(void *ptr, size_t n, size_t size) __attribute__((returns_nonnull));

/* Like realloc(3), for the owners of ceilings (buf, arena): may return NULL. */
void	*mem_try_realloc(void *ptr, size_t size);

/* Free PTR, which may be NULL; returns NULL. */
void	*xfree(void *ptr);

#endif
