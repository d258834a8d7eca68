/* SPDX-License-Identifier: MIT */
/*
 * access_tbl.h - what a line of the access log may tell of its request: name, the word for
 * it, whether `access: true` means it too.  Expanded where ACCESS is defined, which is
 * undefined again there.  What is not known is left out of the line.
 */
ACCESS(ACCESS_ID,		"id",			true)
ACCESS(ACCESS_METHOD,		"method",		true)
ACCESS(ACCESS_PATH,		"path",			true)
ACCESS(ACCESS_MODEL,		"model",		true)
ACCESS(ACCESS_ROUTE,		"route",		false)
ACCESS(ACCESS_TEAM,		"team",			true)
ACCESS(ACCESS_UPSTREAM,		"upstream",		true)
ACCESS(ACCESS_CALLS,		"calls",		false)
ACCESS(ACCESS_RESULT,		"result",		true)
ACCESS(ACCESS_STATUS,		"status",		true)
ACCESS(ACCESS_BYTES,		"bytes",		true)
ACCESS(ACCESS_MS,		"ms",			true)
ACCESS(ACCESS_OVERHEAD_MS,	"overhead_ms",		false)
ACCESS(ACCESS_UPSTREAM_MS,	"upstream_ms",		false)
ACCESS(ACCESS_AGE,		"age",			false)
ACCESS(ACCESS_INPUT_TOKENS,	"input_tokens",		false)
ACCESS(ACCESS_OUTPUT_TOKENS,	"output_tokens",	false)
ACCESS(ACCESS_TRACE,		"trace",		true)
ACCESS(ACCESS_CLIENT,		"client",		false)
