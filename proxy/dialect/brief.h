/* SPDX-License-Identifier: MIT */
/*
 * brief.h - a JSON text without what nobody looks at: the tails of long strings.
 *
 * Most of an answer is prose, and jansson goes through it byte by byte only to
 * give back what nobody asked for.  A brief is JSON exactly if its text is, of the
 * same shape, and in it an empty string is empty and a short one what it was.
 */
#ifndef PROXY_DIALECT_BRIEF_H
#define PROXY_DIALECT_BRIEF_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

/* Strings up to here are what they were, longer ones no shorter than this. */
#define BRIEF_LEN_MIN	32

/* Append the brief of TEXT, which may be anything; at most as long. */
int	brief_make(struct bytes text, struct buf *out) MUST_USE;

#endif
