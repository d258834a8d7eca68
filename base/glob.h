/* SPDX-License-Identifier: MIT */
/*
 * glob.h - the one pattern of the configuration: '*' stands for any run of
 * bytes, the empty one and '/' included; everything else for itself.
 */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include "base/bytes.h"

/* Does PATTERN match all of TEXT?  Case counts; time is linear in their product. */
bool	glob_match(const char *pattern, struct bytes text);

#endif
