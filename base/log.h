/* SPDX-License-Identifier: MIT */
/*
 * log.h - lines to stderr for the journal, each with its priority prefix
 * (sd-daemon(3)).  The only global of the program.  Layers 0 to 3 never log
 * above debug; no token, key or prompt is ever passed to it.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level {	/* values of syslog(3) */
	LOG_LEVEL_ERR = 3,
	LOG_LEVEL_WARN = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* Lines above LEVEL are dropped; info until set. */
void	log_set_level(enum log_level level);
bool	log_enabled(enum log_level level);

/* One line, without its newline; control bytes in it become '?'. */
void	log_line(enum log_level level, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

#define log_err(...)	log_line(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)	log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) \
	(log_enabled(LOG_LEVEL_DEBUG) ? log_line(LOG_LEVEL_DEBUG, __VA_ARGS__) : (void)0)

#endif
