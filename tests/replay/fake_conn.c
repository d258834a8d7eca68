/* SPDX-License-Identifier: MIT */
/*
 * fake_conn.c - conn.h over buffers; the descriptor is an index.
 */
#include "proxy/net/conn.h"

#include "base/mem.h"
#include "tests/replay/world.h"

#define FAKE_MAX	((size_t)64 << 20)

struct conn {
	struct fake_conn	*fake;
};

struct fake_conn world_conns[WORLD_CONNS];

struct conn *
conn_new(struct loop *loop, int fd, struct tls_context *context, struct loop_task *owner)
{
	struct conn *conn = xcalloc(1, sizeof(*conn));
	struct fake_conn *fake = &world_conns[fd];

	(void)loop;
	assert(fake->owner == NULL);
	buf_done(&fake->out);
	*fake = (struct fake_conn){
		.owner = owner, .was_open = true, .is_opening = context != NULL,
	};
	buf_init(&fake->in, FAKE_MAX);
	buf_init(&fake->unsent, FAKE_MAX);
	buf_init(&fake->out, FAKE_MAX);
	conn->fake = fake;
	return conn;
}

struct conn *
conn_free(struct conn *conn)
{
	conn->fake->owner = NULL;
	buf_done(&conn->fake->in);
	buf_done(&conn->fake->unsent);
	return xfree(conn);
}

/* Of its memory a replay has enough. */
void
conn_charge(struct conn *conn, struct quota *quota)
{
	(void)conn;
	(void)quota;
}

bool
conn_is_opening(const struct conn *conn)
{
	return conn->fake->is_opening;
}

bool
conn_is_mistaken(const struct conn *conn)
{
	(void)conn;
	return false;
}

struct bytes
conn_peer_name(const struct conn *conn, unsigned i)
{
	(void)conn;
	(void)i;
	return BYTES_NONE;
}

struct bytes
conn_in(const struct conn *conn)
{
	return buf_bytes(&conn->fake->in);
}

void
conn_consume(struct conn *conn, size_t len)
{
	buf_consume(&conn->fake->in, len);
}

bool
conn_is_at_end(const struct conn *conn)
{
	return conn->fake->is_at_end;
}

bool
conn_is_broken(const struct conn *conn)
{
	return conn->fake->is_broken;
}

static int
move(struct buf *to, struct bytes data, uint64_t *sent)
{
	*sent += data.len;
	return buf_add(to, data);
}

int
conn_write(struct conn *conn, const struct bytes *parts, unsigned n)
{
	struct fake_conn *fake = conn->fake;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < n; i++)
		r = fake->is_holding ? buf_add(&fake->unsent, parts[i]) :
		    move(&fake->out, parts[i], &fake->sent);
	return r;
}

size_t
conn_unsent(const struct conn *conn)
{
	return buf_len(&conn->fake->unsent);
}

uint64_t
conn_sent(const struct conn *conn)
{
	return conn->fake->sent;
}

void
conn_peer(const struct conn *conn, char ret_text[CONN_PEER_SIZE])
{
	(void)conn;
	ret_text[0] = '\0';
}

void
conn_shutdown(struct conn *conn)
{
	conn->fake->is_shut = true;
}

void
conn_set_abortive(struct conn *conn)
{
	conn->fake->is_abortive = true;
}

void
world_wake(unsigned n)
{
	if (world_conns[n].owner != NULL)
		loop_task_wake(world_conns[n].owner);
}

void
world_send(unsigned n, struct bytes data)
{
	assert(world_conns[n].owner != NULL);
	assert(buf_add(&world_conns[n].in, data) == 0);
	world_wake(n);
}

void
world_take(unsigned n, bool takes)
{
	struct fake_conn *fake = &world_conns[n];
	struct bytes held = buf_bytes(&fake->unsent);

	fake->is_holding = !takes;
	if (!takes)
		return;
	assert(move(&fake->out, held, &fake->sent) == 0);
	buf_consume(&fake->unsent, held.len);
	world_wake(n);
}
