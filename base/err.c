/* SPDX-License-Identifier: MIT */
/*
 * err.c - the end of a process that found itself wrong.
 */
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

static _Thread_local const char *thread_context = "no request";

void
err_set_context(const char *context)
{
	thread_context = context != NULL ? context : "no request";
}

void
err_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "<2>%s:%d: assertion failed (%s): %s\n", file, line, thread_context,
	    expr);
	abort();
}

void
err_unreachable(const char *why, const char *file, int line)
{
	fprintf(stderr, "<2>%s:%d: reached the impossible (%s): %s\n", file, line,
	    thread_context, why);
	abort();
}
