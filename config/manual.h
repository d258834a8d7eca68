/* SPDX-License-Identifier: MIT */
/*
 * manual.h - the options as a section of a manual page, made from option_tbl.h.
 */
#ifndef CONFIG_MANUAL_H
#define CONFIG_MANUAL_H

#include <stdio.h>

/* Print all options to OUT, place by place, in mdoc(7). */
void	manual_print(FILE *out);

#endif
