/* SPDX-License-Identifier: MIT */
/*
 * log.h - lines to stderr for the journal, each with its priority prefix (sd-daemon(3)), or
 * each a JSON object that says its level.  The only global of the program.  Layers 0 to 3
 * never log above debug; no token, key or prompt is ever passed to it.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/line.h"

enum log_level {	/* values of syslog(3) */
	LOG_LEVEL_ERR = 3,
	LOG_LEVEL_WARN = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* Lines above LEVEL are dropped; info until set. */
void	log_set_level(enum log_level level);
bool	log_enabled(enum log_level level);

/* JSON instead of text, for all lines from now on. */
void	log_set_json(bool is_json);
bool	log_is_json(void);

/*
 * From now on until log_stop() a thread writes the lines, and nobody waits for stderr: what
 * does not fit into 1 MB of lines that wait is dropped and counted.  Without it, and where
 * it cannot be had, lines are written at once.
 */
void	log_start(void);

/* Write what is left, at most for a second; after that nothing is written any more. */
void	log_stop(void);

/* How many lines were dropped. */
uint64_t	log_dropped(void);

/* One line, without its newline; control bytes in it become '?'. */
void	log_line(enum log_level level, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/*
 * A line made piece by piece: begin it with what it says; append " name=value" to it, or
 * for JSON ",\"name\":value"; and end it.  The level is the caller's to ask for.
 */
void	log_begin(struct line *line, enum log_level level, const char *message);
void	log_end(struct line *line);

#define log_err(...)	log_line(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)	log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) \
	(log_enabled(LOG_LEVEL_DEBUG) ? log_line(LOG_LEVEL_DEBUG, __VA_ARGS__) : (void)0)

#endif
