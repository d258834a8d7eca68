/* SPDX-License-Identifier: MIT */
/*
 * buf.c - one allocation that slides before it grows.
 */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/quota.h"

#define BUF_SIZE_MIN	512

void
buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){ .max = max };
}

void
buf_charge(struct buf *buf, struct quota *quota, size_t free_size)
{
	assert(buf->mem == NULL);
	buf->quota = quota;
	buf->free_size = free_size;
}

static size_t
charge_of(const struct buf *buf, size_t size)
{
	return size > buf->free_size ? size : 0;
}

void
buf_done(struct buf *buf)
{
	quota_give_back(buf->quota, charge_of(buf, buf->size));
	xfree(buf->mem);
	*buf = (struct buf){ .max = buf->max, .quota = buf->quota, .free_size = buf->free_size };
}

struct bytes
buf_bytes(const struct buf *buf)
{
	if (buf->mem == NULL)
		return BYTES_NONE;
	return (struct bytes){ buf->mem + buf->head, buf_len(buf) };
}

static void
slide(struct buf *buf)
{
	size_t len = buf_len(buf);

	if (buf->head == 0)
		return;
	assert(buf->mem != NULL);
	if (len > 0)
		memmove(buf->mem, buf->mem + buf->head, len);
	buf->head = 0;
	buf->tail = len;
}

static int
grow(struct buf *buf, size_t need)
{
	size_t size = buf->size < BUF_SIZE_MIN ? BUF_SIZE_MIN : buf->size;
	size_t charge;
	char *mem;

	while (size < need)
		size *= 2;
	if (size > buf->max)
		size = buf->max > need ? buf->max : need;
	charge = charge_of(buf, size) - charge_of(buf, buf->size);
	if (!quota_take(buf->quota, charge))
		return -ENOMEM;
	mem = mem_try_realloc(buf->mem, size);
	if (mem == NULL) {
		quota_give_back(buf->quota, charge);
		return -ENOMEM;
	}
	buf->mem = mem;
	buf->size = size;
	return 0;
}

int
buf_space(struct buf *buf, size_t len, char **ret_space)
{
	if (len > buf->max || buf_len(buf) > buf->max - len)
		return -E2BIG;
	if (buf->mem == NULL || buf->size - buf->tail < len) {
		slide(buf);
		if (buf->mem == NULL || buf->size - buf->tail < len) {
			int r = grow(buf, buf->tail + len);

			if (r < 0)
				return r;
		}
	}
	*ret_space = buf->mem + buf->tail;
	return 0;
}

void
buf_fill(struct buf *buf, size_t len)
{
	assert(len <= buf->size - buf->tail);
	buf->tail += len;
}

int
buf_add(struct buf *buf, struct bytes b)
{
	char *space;
	int r = buf_space(buf, b.len, &space);

	if (r < 0)
		return r;
	if (b.len > 0)
		memcpy(space, b.ptr, b.len);
	buf_fill(buf, b.len);
	return 0;
}

int
buf_add_str(struct buf *buf, const char *s)
{
	return buf_add(buf, bytes_str(s));
}

int
buf_addf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	char *space;
	int len, r;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(len >= 0);
	r = buf_space(buf, (size_t)len + 1, &space);
	if (r < 0)
		return r;
	va_start(ap, fmt);
	vsnprintf(space, (size_t)len + 1, fmt, ap);
	va_end(ap);
	buf_fill(buf, (size_t)len);
	return 0;
}

void
buf_consume(struct buf *buf, size_t len)
{
	assert(len <= buf_len(buf));
	buf->head += len;
	if (buf->head == buf->tail)
		buf->head = buf->tail = 0;
}
