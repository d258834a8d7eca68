/* SPDX-License-Identifier: MIT */
/*
 * date.h - days and moments as people write them in a file, and as logs do (RFC 3339).
 */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"

enum {
	DATE_E_BAD = 1,		/* not one, or not in the calendar */
};

/*
 * When TEXT is over, on the wall clock: the end of a day in UTC (2027-01-31), or a
 * moment (2027-01-31T12:00:00Z, 2027-01-31T13:00:00.5+01:00).  Written only on success.
 */
int	date_parse_end(struct bytes text, usec_t *ret_end) MUST_USE;

/* TIME, of the wall clock, as 2027-01-31T12:00:00.000000Z; without a NUL. */
#define DATE_LEN	27
void	date_format(usec_t time, char ret_text[DATE_LEN]);

#endif
