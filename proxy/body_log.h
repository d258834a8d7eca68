/* SPDX-License-Identifier: MIT */
/*
 * body_log.h - questions and answers in files, where a route says so: a JSON object a line,
 * a file a day, for the owner alone, without the credentials in them.
 *
 * Each directory has a thread that writes; who hands on a line waits for nobody, and what
 * finds no room is dropped and counted.
 */
#ifndef PROXY_BODY_LOG_H
#define PROXY_BODY_LOG_H

#include "base/bytes.h"
#include "proxy/stats.h"

struct body_logs;
struct config;
struct request;

struct body_logs	*body_logs_new(void);

/* Write what is left, for at most a second each.  NULL is fine. */
struct body_logs	*body_logs_free(struct body_logs *logs);

/* How many lines were dropped, or could not be written. */
uint64_t	body_logs_dropped(struct body_logs *logs);

/* Tell of each route of CONFIG that has it: it is easily forgotten. */
void	body_log_warn(const struct config *config);

/* Of the answer to REQ, PIECE goes to its client. */
void	body_log_piece(struct request *req, struct bytes piece);

/* REQ has ended for its client. */
void	body_log_end(struct request *req, enum end_reason why);

#endif
