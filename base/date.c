/* SPDX-License-Identifier: MIT */
/*
 * date.c - the calendar that is read is the C library's; what it would bend into shape
 * (30 February) is refused.  The one that is written is ours, since the library's takes a
 * lock for all threads.
 */
#include "base/date.h"

#include <string.h>
#include <time.h>

#include "base/num.h"

#define SEC_PER_DAY	86400

/* N digits at the start of *REST, and what must follow them. */
static bool
cut_number(struct bytes *rest, size_t n, const char *next, int *ret_value)
{
	uint64_t value;

	if (rest->len < n || num_parse_u64(bytes_first(*rest, n), &value) != 0)
		return false;
	*rest = bytes_skip(*rest, n);
	if (!bytes_has_prefix(*rest, next))
		return false;
	*rest = bytes_skip(*rest, bytes_str(next).len);
	*ret_value = (int)value;
	return true;
}

static bool
cut_day(struct bytes *rest, struct tm *tm)
{
	if (!cut_number(rest, 4, "-", &tm->tm_year) || !cut_number(rest, 2, "-", &tm->tm_mon) ||
	    !cut_number(rest, 2, "", &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return true;
}

/* Parts of a second are of no account. */
static bool
cut_time(struct bytes *rest, struct tm *tm)
{
	if (!cut_number(rest, 2, ":", &tm->tm_hour) || !cut_number(rest, 2, ":", &tm->tm_min) ||
	    !cut_number(rest, 2, "", &tm->tm_sec))
		return false;
	if (!bytes_has_prefix(*rest, "."))
		return true;
	*rest = bytes_skip(*rest, 1);
	while (rest->len > 0 && rest->ptr[0] >= '0' && rest->ptr[0] <= '9')
		*rest = bytes_skip(*rest, 1);
	return true;
}

/* Seconds east of Greenwich. */
static bool
read_zone(struct bytes rest, int *ret_seconds)
{
	int sign = bytes_has_prefix(rest, "-") ? -1 : 1, hours, minutes;

	*ret_seconds = 0;
	if (bytes_eq_str_nocase(rest, "z"))
		return true;
	if (!bytes_has_prefix(rest, "-") && !bytes_has_prefix(rest, "+"))
		return false;
	rest = bytes_skip(rest, 1);
	if (!cut_number(&rest, 2, ":", &hours) || !cut_number(&rest, 2, "", &minutes) ||
	    rest.len > 0 || hours > 23 || minutes > 59)
		return false;
	*ret_seconds = sign * (hours * 60 + minutes) * 60;
	return true;
}

static bool
to_seconds(struct tm tm, time_t *ret_seconds)
{
	struct tm normal = tm;

	*ret_seconds = timegm(&normal);
	return normal.tm_mon == tm.tm_mon && normal.tm_mday == tm.tm_mday &&
	    normal.tm_hour == tm.tm_hour && normal.tm_min == tm.tm_min &&
	    normal.tm_sec == tm.tm_sec;
}

int
date_parse_end(struct bytes text, usec_t *ret_end)
{
	struct tm tm = { 0 };
	time_t seconds;
	int zone = 0;

	if (!cut_day(&text, &tm))
		return DATE_E_BAD;
	if (text.len > 0) {
		if (text.ptr[0] != 'T' && text.ptr[0] != 't' && text.ptr[0] != ' ')
			return DATE_E_BAD;
		text = bytes_skip(text, 1);
		if (!cut_time(&text, &tm) || !read_zone(text, &zone))
			return DATE_E_BAD;
	}
	if (!to_seconds(tm, &seconds))
		return DATE_E_BAD;
	seconds += text.len > 0 ? -zone : SEC_PER_DAY;
	*ret_end = (usec_t)seconds * USEC_PER_SEC;
	return 0;
}

static void
put_digits(char *to, unsigned value, size_t n)
{
	for (; n > 0; value /= 10)
		to[--n] = (char)('0' + value % 10);
}

/* Years begin in March here, so that the leap day is their last. */
static void
put_day(char *to, int64_t days)
{
	int64_t since = days + 719468;			/* 1 March of the year 0 */
	int64_t era = since / 146097;			/* of 400 years */
	unsigned day = (unsigned)(since - era * 146097);
	unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	unsigned of_year = day - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * of_year + 2) / 153;	/* 0: March */

	put_digits(to, (unsigned)era * 400 + year + (month >= 10), 4);
	put_digits(to + 5, month < 10 ? month + 3 : month - 9, 2);
	put_digits(to + 8, of_year - (153 * month + 2) / 5 + 1, 2);
}

void
date_format(usec_t time, char ret_text[DATE_LEN])
{
	int64_t seconds = time / USEC_PER_SEC;
	unsigned of_day = (unsigned)(seconds % SEC_PER_DAY);

	memcpy(ret_text, "0000-00-00T00:00:00.000000Z", DATE_LEN);
	put_day(ret_text, seconds / SEC_PER_DAY);
	put_digits(ret_text + 11, of_day / 3600, 2);
	put_digits(ret_text + 14, of_day / 60 % 60, 2);
	put_digits(ret_text + 17, of_day % 60, 2);
	put_digits(ret_text + 20, (unsigned)(time % USEC_PER_SEC), 6);
}
