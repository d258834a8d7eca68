/* SPDX-License-Identifier: MIT */
/*
 * retry_after.c - seconds, or a date in the one form that servers still send
 * (IMF-fixdate); those in the other two are as good as none.
 */
#include "proxy/http/retry_after.h"

#include <string.h>
#include <time.h>

#include "base/num.h"

#define SECONDS_MAX	(UINT64_C(365) * 24 * 3600)	/* as good as never */
#define DATE_LEN	(sizeof("Sun, 06 Nov 1994 08:49:37 GMT") - 1)
#define MONTHS		"JanFebMarAprMayJunJulAugSepOctNovDec"

static bool
read_number(struct bytes text, size_t at, size_t len, int *ret_value)
{
	uint64_t value;

	if (num_parse_u64(bytes_first(bytes_skip(text, at), len), &value) != 0)
		return false;
	*ret_value = (int)value;
	return true;
}

/* Only what stands between the numbers is taken on trust. */
static bool
read_date(struct bytes text, usec_t *ret_time)
{
	struct tm tm = { 0 };
	size_t month;

	if (text.len != DATE_LEN || !bytes_has_suffix(text, " GMT"))
		return false;
	for (month = 0; month < 12; month++)
		if (memcmp(MONTHS + 3 * month, text.ptr + 8, 3) == 0)
			break;
	tm.tm_mon = (int)month;
	if (month == 12 || !read_number(text, 5, 2, &tm.tm_mday) ||
	    !read_number(text, 12, 4, &tm.tm_year) || !read_number(text, 17, 2, &tm.tm_hour) ||
	    !read_number(text, 20, 2, &tm.tm_min) || !read_number(text, 23, 2, &tm.tm_sec))
		return false;
	tm.tm_year -= 1900;
	*ret_time = (usec_t)timegm(&tm) * USEC_PER_SEC;
	return true;
}

bool
retry_after_read(struct bytes value, usec_t wall, usec_t *ret_delay)
{
	uint64_t seconds;
	usec_t at;

	value = bytes_trim(value);
	if (num_parse_u64(value, &seconds) == 0) {
		*ret_delay = (usec_t)(seconds < SECONDS_MAX ? seconds : SECONDS_MAX) *
		    USEC_PER_SEC;
		return true;
	}
	if (!read_date(value, &at))
		return false;
	*ret_delay = at > wall ? at - wall : 0;
	return true;
}
