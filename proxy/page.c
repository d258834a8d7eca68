/* SPDX-License-Identifier: MIT */
/*
 * page.c - lines of a page.
 */
#include "proxy/page.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_SIZE	1024

void
page_put(struct page *page, struct bytes text)
{
	if (page->r == 0)
		page->r = buf_add(page->out, text);
}

void
page_putf(struct page *page, const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	page_put(page, bytes_str(line));
}

void
page_begin(struct page *page, const char *name, const char *type, const char *help)
{
	page_putf(page, "# HELP reprise_%s %s\n# TYPE reprise_%s %s\n", name, help, name, type);
}

void
page_put_one(struct page *page, const char *name, const char *type, const char *help,
    double value)
{
	page_begin(page, name, type, help);
	page_putf(page, "reprise_%s %.15g\n", name, value);
}
