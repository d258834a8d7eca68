/* SPDX-License-Identifier: MIT */
/*
 * respond.c - status lines, fields, dates.
 */
#include "proxy/http/respond.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/num.h"

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
	const char ok[] = "HTTP/1.1 200 OK\r\n";

	if (status == 200)
		return buf_add(out, (struct bytes){ ok, sizeof(ok) - 1 });
	return buf_addf(out, "HTTP/1.1 %d %s\r\n", status, respond_phrase(status));
}

int
respond_own(struct buf *out, struct bytes name, struct bytes value)
{
	const size_t len = name.len + value.len + strlen(": \r\n");
	char *p;
	int r = buf_space(out, len, &p);

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
respond_number(struct buf *out, struct bytes name, uint64_t value)
{
	char digits[NUM_DIGITS_MAX], *end = digits + sizeof(digits);
	char *start = num_format_u64(value, end);

	return respond_own(out, name, (struct bytes){ start, (size_t)(end - start) });
}

int
respond_copy(struct buf *out, struct bytes name, struct bytes value)
{
	if (!field_name_is_valid(name) || !field_value_is_valid(value))
		return 0;
	return respond_own(out, name, value);
}

int
respond_field(struct buf *out, const char *name, struct bytes value)
{
	return respond_copy(out, bytes_str(name), value);
}

/* RFC 9110, 5.6.7: always English, whatever the locale. */
static void
format_date(struct respond_date *date, int64_t second)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)second;
	struct tm tm;
	int len;

	gmtime_r(&t, &tm);
	len = snprintf(date->text, sizeof(date->text), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
	    days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
	date->len = (size_t)len;
	date->second = second;
}

int
respond_end(struct buf *out, struct respond_date *date, int64_t wall_usec)
{
	int64_t second = wall_usec / USEC_PER_SEC;
	int r;

	if (date->len == 0 || second != date->second)
		format_date(date, second);
	r = respond_own(out, BYTES_LIT("Date"), (struct bytes){ date->text, date->len });
	return r == 0 ? buf_add(out, BYTES_LIT("\r\n")) : r;
}
