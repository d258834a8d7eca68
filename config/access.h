/* SPDX-License-Identifier: MIT */
/*
 * access.h - the fields of the access log as a set: one bit for each of access_tbl.h.
 */
#ifndef CONFIG_ACCESS_H
#define CONFIG_ACCESS_H

#include <stdint.h>

enum access_field {
#define ACCESS(name, word, is_usual) name,
#include "config/access_tbl.h"
#undef ACCESS
	ACCESS_FIELDS,
};

#define ACCESS_BIT(field)	(UINT64_C(1) << (field))

#endif
