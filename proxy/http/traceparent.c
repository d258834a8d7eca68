/* SPDX-License-Identifier: MIT */
/*
 * traceparent.c - four numbers, each of so many digits, with a dash between.
 */
#include "proxy/http/traceparent.h"

#include <string.h>

#include "base/num.h"

#define VERSION_LEN	2
#define FLAGS_LEN	2

/* N lower-case digits at the start of *REST; none if they are not there. */
static struct bytes
cut_digits(struct bytes *rest, size_t n)
{
	struct bytes digits = bytes_first(*rest, n);

	for (size_t i = 0; i < digits.len; i++)
		if (!(digits.ptr[i] >= '0' && digits.ptr[i] <= '9') &&
		    !(digits.ptr[i] >= 'a' && digits.ptr[i] <= 'f'))
			return BYTES_NONE;
	if (digits.len < n)
		return BYTES_NONE;
	*rest = bytes_skip(*rest, n);
	return digits;
}

static bool
cut_dash(struct bytes *rest)
{
	if (!bytes_has_prefix(*rest, "-"))
		return false;
	*rest = bytes_skip(*rest, 1);
	return true;
}

static bool
is_zero(struct bytes digits)
{
	for (size_t i = 0; i < digits.len; i++)
		if (digits.ptr[i] != '0')
			return false;
	return true;
}

/* What a later version puts behind it has a dash of its own. */
static bool
may_follow(struct bytes version, struct bytes rest)
{
	return rest.len == 0 || (!is_zero(version) && rest.ptr[0] == '-');
}

int
traceparent_parse(struct bytes text, struct traceparent *ret_traceparent)
{
	struct bytes version = cut_digits(&text, VERSION_LEN), trace, span, digits;
	uint64_t flags;

	if (version.len == 0 || bytes_eq_str(version, "ff") || !cut_dash(&text))
		return TRACEPARENT_E_BAD;
	trace = cut_digits(&text, TRACE_ID_LEN);
	if (is_zero(trace) || !cut_dash(&text))
		return TRACEPARENT_E_BAD;
	span = cut_digits(&text, SPAN_ID_LEN);
	if (is_zero(span) || !cut_dash(&text))
		return TRACEPARENT_E_BAD;
	digits = cut_digits(&text, FLAGS_LEN);
	if (num_parse_hex64(digits, &flags) != 0 || !may_follow(version, text))
		return TRACEPARENT_E_BAD;
	memcpy(ret_traceparent->trace, trace.ptr, TRACE_ID_LEN);
	memcpy(ret_traceparent->span, span.ptr, SPAN_ID_LEN);
	ret_traceparent->flags = (unsigned)flags & (TRACE_SAMPLED | TRACE_RANDOM);
	return 0;
}

void
traceparent_format(const struct traceparent *traceparent, char ret_text[TRACEPARENT_LEN])
{
	char *to = ret_text;

	memcpy(to, "00-", 3);
	to += 3;
	memcpy(to, traceparent->trace, TRACE_ID_LEN);
	to += TRACE_ID_LEN;
	*to++ = '-';
	memcpy(to, traceparent->span, SPAN_ID_LEN);
	to += SPAN_ID_LEN;
	*to++ = '-';
	*to++ = '0';
	*to = (char)('0' + traceparent->flags);
}

void
traceparent_put_id(uint64_t number, char ret_id[SPAN_ID_LEN])
{
	for (size_t i = SPAN_ID_LEN; i > 0; number >>= 4)
		ret_id[--i] = "0123456789abcdef"[number & 15];
}
