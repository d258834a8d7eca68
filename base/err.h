/* SPDX-License-Identifier: MIT */
/*
 * err.h - two kinds of failure, and what may never happen.
 *
 * An int result is 0 (done), negative (-errno: unexpected, forwarded
 * unchanged, never compared with anything) or positive (a documented outcome
 * of that one function, handled by its immediate caller, never forwarded).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define MUST_USE	__attribute__((warn_unused_result))

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

/* Ours: always compiled in, cheap, about our own logic, never about input. */
#undef assert
#define assert(expr)	((expr) ? (void)0 : err_assert_failed(#expr, __FILE__, __LINE__))
#define unreachable(why)	err_unreachable(why, __FILE__, __LINE__)

/* What the thread works on (a request id), printed when an assert fails. */
void	err_set_context(const char *context);

void	err_assert_failed(const char *expr, const char *file, int line)
	    __attribute__((noreturn));
void	err_unreachable(const char *why, const char *file, int line)
	    __attribute__((noreturn));

#endif
