/* SPDX-License-Identifier: MIT */
/*
 * redact.h - a text without the credentials in it (H-70).  Pure.
 */
#ifndef PROXY_REDACT_H
#define PROXY_REDACT_H

#include "base/buf.h"
#include "base/bytes.h"

#define REDACTED	"[redacted]"

/*
 * Append TEXT to OUT with REDACTED in place of each of the N SECRETS, those of less than 8
 * bytes apart, and of all that looks like a key: rp-, hf_ or sk- and 8 more letters,
 * digits, '-' or '_'.  0 or a negative error.
 */
int	redact(struct bytes text, const struct bytes *secrets, size_t n, struct buf *out) MUST_USE;

#endif
