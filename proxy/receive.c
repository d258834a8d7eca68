/* SPDX-License-Identifier: MIT */
/*
 * receive.c - the head, whether its body is wanted, and the body.
 */
#include "proxy/receive.h"

#include "base/num.h"
#include "base/quota.h"
#include "config/config.h"
#include "proxy/answer.h"
#include "proxy/client.h"
#include "proxy/guests.h"
#include "proxy/net/conn.h"
#include "proxy/worker.h"

/* H-12: only once it is known that the body is wanted, and only if it waits for it. */
static int
send_continue(struct request *req)
{
	const struct bytes line = BYTES_LIT("HTTP/1.1 100 Continue\r\n\r\n");

	if (!req->head->expects_continue || !req->head->has_body)
		return 0;
	if (conn_in(client_conn(req->client)).len > 0)
		return 0;
	return conn_write(client_conn(req->client), &line, 1);
}

/* Returns the length of the body, or the largest it may have. */
static uint64_t
note_head(struct request *req)
{
	const struct request_head *head = reader_head(req->reader);
	uint64_t len = req->config->max_body;

	req->head = head;
	dialect_recognise(head, &req->call);
	if (num_parse_u64(fields_get(&head->fields, "content-length"), &len) != 0)
		len = req->config->max_body;
	if (head->has_body)
		client_expects_body(req->client, len);
	return len;
}

/* Small bodies cost nothing; of one in chunks it is not known what it will cost. */
static bool
has_room(const struct request *req, uint64_t len)
{
	if (!req->head->has_body || len <= QUOTA_FREE)
		return true;
	if (fields_count(&req->head->fields, "content-length") == 0)
		len = 0;
	return quota_has_room(guests_memory(req->worker->guests), len);
}

/* Whatever came with it was open to all between: nothing of it is looked at. */
static enum step
refuse_plain(struct request *req)
{
	req->reply.must_close = true;
	return answer_error(req, 400, "tls_needed",
	    "TLS is spoken here; write https:// in the URL");
}

/* The head is there; does the body find us ready for it? */
static enum step
receive_head(struct request *req)
{
	uint64_t len = note_head(req);

	if (conn_is_mistaken(client_conn(req->client)))
		return refuse_plain(req);
	if (!has_room(req, len)) {
		req->reply.must_close = true;
		return answer_starved(req);
	}
	if (send_continue(req) < 0)
		return answer_error(req, 503, "overloaded", "out of memory");
	return STEP_RECEIVE;
}

static enum step
refuse(struct request *req)
{
	struct refusal refusal = reader_refusal(req->reader);

	req->reply.must_close = true;
	if (refusal.status == 503)
		return answer_starved(req);
	return answer_error(req, refusal.status, "bad_request", refusal.why);
}

enum step
receive_step(struct request *req)
{
	struct conn *conn = client_conn(req->client);
	enum reader_state state;
	size_t used;

	do {
		state = reader_feed(req->reader, conn_in(conn), &used);
		conn_consume(conn, used);
		if (state == READER_HEAD && receive_head(req) == STEP_ENDED)
			return STEP_ENDED;
	} while (state == READER_HEAD || (state == READER_MORE && used > 0));

	switch (state) {
	case READER_DONE:
		req->body = reader_body(req->reader);
		req->timing.whole = clock_mono();
		client_request_is_read(req->client);
		return STEP_IDENTIFY;
	case READER_REFUSED:
		return refuse(req);
	default:
		if (!conn_is_at_end(conn))
			return STEP_RECEIVE;
		request_end(req, END_CLIENT_GONE);
		return STEP_ENDED;
	}
}
