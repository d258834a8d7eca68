/* SPDX-License-Identifier: MIT */
/*
 * pass.h - descriptors from one process to another, over a unix socket that keeps
 * messages apart (unix(7), SCM_RIGHTS).
 */
#ifndef PROXY_NET_PASS_H
#define PROXY_NET_PASS_H

#include <stddef.h>

#include "base/err.h"

#define PASS_TEXT_SIZE	256	/* of a message, its NUL included */
#define PASS_FDS_MAX	250	/* with it; the kernel takes 253 */

/* Listen at PATH, in place of what nobody listens at any more; or connect there.  -errno. */
int	pass_listen(const char *path) MUST_USE;
int	pass_connect(const char *path) MUST_USE;

/* Send TEXT with N descriptors, which stay ours, too. */
int	pass_send(int fd, const char *text, const int *fds, size_t n) MUST_USE;

/*
 * Receive the next message: its text, and its descriptors, *RET_N of them, which are the
 * caller's.  0, -errno, or -ECONNRESET when the other side has closed.
 */
int	pass_receive(int fd, char ret_text[PASS_TEXT_SIZE], int ret_fds[PASS_FDS_MAX],
	    size_t *ret_n) MUST_USE;

#endif
