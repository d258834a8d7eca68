/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a growing run of bytes with a ceiling: append at the end, consume
 * at the front.  Owned by whoever embeds it.  All appends report -E2BIG when
 * the ceiling would be passed and -ENOMEM when there is no memory; the buffer
 * is then as it was.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/bytes.h"
#include "base/err.h"

struct quota;

struct buf {
	char	*mem;
	size_t	 head;		/* first byte not yet consumed */
	size_t	 tail;		/* end of what was appended */
	size_t	 size;
	size_t	 max;		/* of tail - head */
	struct quota *quota;	/* borrowed: outlives us; NULL: nobody counts */
	size_t	 free_size;	/* so large it may be and cost nothing */
};

/* An empty buffer that holds at most MAX bytes; allocates nothing. */
void	buf_init(struct buf *buf, size_t max);

/*
 * From now on charge QUOTA for its memory where it is more than FREE_SIZE; an append that
 * would pass the bound reports -ENOMEM.
 */
void	buf_charge(struct buf *buf, struct quota *quota, size_t free_size);

/* Give its memory back; the buffer is then empty and usable again. */
void	buf_done(struct buf *buf);

struct bytes	buf_bytes(const struct buf *buf);
static inline size_t buf_len(const struct buf *buf) { return buf->tail - buf->head; }

/*
 * Make room for at least LEN bytes behind the end and return in *RET_SPACE
 * where they go; buf_fill() then says how many were written there.
 */
int	buf_space(struct buf *buf, size_t len, char **ret_space) MUST_USE;
void	buf_fill(struct buf *buf, size_t len);

int	buf_add(struct buf *buf, struct bytes b) MUST_USE;
int	buf_add_str(struct buf *buf, const char *s) MUST_USE;
int	buf_addf(struct buf *buf, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3))) MUST_USE;

/* Drop the first LEN bytes; memory stays until buf_done(). */
void	buf_consume(struct buf *buf, size_t len);

#endif
