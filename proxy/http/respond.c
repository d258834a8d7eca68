/* SPDX-License-Identifier: MIT */
/*
 * respond.c - status lines, fields, dates.
 */
#include "proxy/http/respond.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define VALUE_SIZE	512
#define DATE_SIZE	32

const char *
respond_phrase(int status)
{
	static const struct {
		int		 status;
		const char	*phrase;
	} rows[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 402, "Payment Required" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" },
		{ 424, "Failed Dependency" },
		{ 425, "Too Early" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].status == status)
			return rows[i].phrase;
	return "";
}

int
respond_begin(struct buf *out, int status)
{
	return buf_addf(out, "HTTP/1.1 %d %s\r\n", status, respond_phrase(status));
}

int
respond_copy(struct buf *out, struct bytes name, struct bytes value)
{
	const size_t len = name.len + value.len + strlen(": \r\n");
	char *p;
	int r;

	if (!field_name_is_valid(name) || !field_value_is_valid(value))
		return 0;
	r = buf_space(out, len, &p);
	if (r < 0)
		return r;
	p = mempcpy(p, name.ptr, name.len);
	p = mempcpy(p, ": ", 2);
	if (value.len > 0)
		p = mempcpy(p, value.ptr, value.len);
	memcpy(p, "\r\n", 2);
	buf_fill(out, len);
	return 0;
}

int
respond_field(struct buf *out, const char *name, struct bytes value)
{
	return respond_copy(out, bytes_str(name), value);
}

int
respond_fieldf(struct buf *out, const char *name, const char *fmt, ...)
{
	char value[VALUE_SIZE];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	assert(len >= 0);
	if ((size_t)len >= sizeof(value))
		return -E2BIG;
	return respond_copy(out, bytes_str(name), (struct bytes){ value, (size_t)len });
}

/* RFC 9110, 5.6.7: always English, whatever the locale. */
static struct bytes
format_date(char date[DATE_SIZE], int64_t wall_usec)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)(wall_usec / USEC_PER_SEC);
	struct tm tm;
	int len;

	gmtime_r(&t, &tm);
	len = snprintf(date, DATE_SIZE, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
	    days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
	return (struct bytes){ date, (size_t)len };
}

int
respond_end(struct buf *out, int64_t wall_usec)
{
	char date[DATE_SIZE];
	int r = respond_field(out, "Date", format_date(date, wall_usec));

	return r == 0 ? buf_add_str(out, "\r\n") : r;
}
