/* SPDX-License-Identifier: MIT */
/*
 * page.h - a page of metrics in Prometheus' text format (version 0.0.4), written line by
 * line; every name gets the prefix reprise_.  After a failure nothing more is written.
 */
#ifndef PROXY_PAGE_H
#define PROXY_PAGE_H

#include "base/buf.h"

#define PAGE_MICRO	1e-6	/* times are given in seconds */

struct page {
	struct buf	*out;
	int		 r;		/* 0, or why nothing more is written */
};

/* What a metric is, before its values. */
void	page_begin(struct page *page, const char *name, const char *type, const char *help);

/* One that has no labels. */
void	page_put_one(struct page *page, const char *name, const char *type, const char *help,
	    double value);

/* Text as it is. */
void	page_put(struct page *page, struct bytes text);
void	page_putf(struct page *page, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
