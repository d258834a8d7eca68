/* SPDX-License-Identifier: MIT */
/*
 * schema.h - the JSON Schema of the configuration, made from option_tbl.h, for
 * editors.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

/* The schema as indented JSON text; the caller frees it with xfree(). */
char	*schema_text(void);

#endif
