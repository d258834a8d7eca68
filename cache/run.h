/* SPDX-License-Identifier: MIT */
/*
 * run.h - runs of plain bytes, copied as many at a time as the processor can.
 * A byte is plain if it is ASCII and stands for itself in a JSON string: neither
 * '"' nor '\', not below 0x20, not above 0x7f.
 */
#ifndef CACHE_RUN_H
#define CACHE_RUN_H

#include <stddef.h>

/*
 * Copy the plain bytes at FROM to TO; returns where the first other one is, or
 * END.  TO has room for END - FROM bytes, of which any may be written.
 */
typedef const char *run_copy_fn(char *to, const char *from, const char *end);

/* The Nth of the ways that this machine has, the fastest first; NULL past the last. */
run_copy_fn	*run_way(size_t n);

#endif
