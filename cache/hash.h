/* SPDX-License-Identifier: MIT */
/*
 * hash.h - xxHash in the fastest form that the machine has: where the library
 * comes with its own choice between SSE2, AVX2 and AVX512, that one, else what
 * the compiler was told.  The results are the same.
 */
#ifndef CACHE_HASH_H
#define CACHE_HASH_H

#include <xxhash.h>

#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif

#endif
