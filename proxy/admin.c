/* SPDX-License-Identifier: MIT */
/*
 * admin.c - few clients, one request after another, nothing hurried.
 *
 * A browser on the same machine reaches a loopback address for whatever page it shows; so
 * the name it calls us by must be one of ours, and what changes something is no question
 * that a page could ask (H-75).
 */
#include "proxy/admin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "proxy/admin_priv.h"
#include "proxy/http/error_body.h"
#include "proxy/http/reader.h"
#include "proxy/http/respond.h"
#include "proxy/listening.h"
#include "proxy/net/conn.h"
#include "proxy/net/listen.h"
#include "proxy/net/loop.h"
#include "proxy/server_priv.h"

#define CLIENTS_MAX	64
#define CLIENT_TIME	(60 * USEC_PER_SEC)	/* for a request and its answer */
#define LINGER_TIME	(1 * USEC_PER_SEC)
#define ARENA_MAX	((size_t)256 << 10)
#define ANSWER_MAX	((size_t)64 << 20)
#define HEAD_MAX	((size_t)8 << 10)

struct door {
	struct admin	*admin;
	struct listener	*listener;	/* NULL: closed */
	char		 address[ADMIN_ADDRESS_SIZE];
	char		 tried[ADMIN_ADDRESS_SIZE];	/* in vain, which was told */
	bool		 is_private;	/* the file system says who may come */
};

struct admin {
	struct server	*srv;		/* borrowed: outlives us */
	struct door	 open;		/* where the configuration says */
	struct door	 private;
	bool		 is_unreachable;	/* for lack of the private one, which was told */
	struct admin_client *clients;
	unsigned	 n_clients;
};

struct admin_client {
	struct admin		*admin;
	struct admin_client	*next, **link;
	const struct door	*door;
	struct conn		*conn;
	struct reader		*reader;	/* NULL: no more requests */
	struct arena		*arena;
	struct loop_task	 task;
	struct loop_timer	*timer;
	struct respond_date	 date;
	struct admin_answer	 answer;	/* kept while it waits */
	bool			 is_waiting;
	bool			 is_lingering;
	bool			 is_late;
};

static const struct endpoint {
	const char	*method;
	const char	*path;
	admin_fn	*answer;
	bool		 is_private;
} endpoints[] = {
	{ "GET", "/healthz", admin_healthz, false },
	{ "GET", "/readyz", admin_readyz, false },
	{ "GET", "/metrics", admin_metrics, false },
	{ "GET", "/stats", admin_stats, false },
	{ "POST", "/purge", admin_purge, false },
	{ "POST", "/reload", admin_reload, true },
};

static void
free_client(void *arg)
{
	struct admin_client *client = arg;

	conn_free(client->conn);
	loop_timer_free(client->timer);
	reader_free(client->reader);
	arena_free(client->arena);
	buf_done(&client->answer.body);
	xfree(client);
}

static void
close_client(struct admin_client *client)
{
	*client->link = client->next;
	if (client->next != NULL)
		client->next->link = client->link;
	client->admin->n_clients--;
	loop_task_cancel(&client->task);
	loop_timer_clear(client->timer);
	loop_free_later(client->admin->srv->loop, client, free_client);
}

static void
begin_request(struct admin_client *client)
{
	const struct reader_limits limits = {
		.head_max = HEAD_MAX, .fields_max = 100, .target_max = HEAD_MAX,
		.body_max = ARENA_MAX / 2,
	};

	reader_free(client->reader);
	arena_free(client->arena);
	client->arena = arena_new(ARENA_MAX);
	client->answer = (struct admin_answer){ .status = 200, .type = "application/json" };
	buf_init(&client->answer.body, ANSWER_MAX);
	client->reader = reader_new(client->arena, &limits);
	loop_timer_set(client->timer, CLIENT_TIME);
}

int
admin_problem(struct admin_answer *answer, int status, const char *detail)
{
	int r;

	answer->status = status;
	answer->type = "application/problem+json";
	buf_consume(&answer->body, buf_len(&answer->body));
	r = buf_addf(&answer->body, "{\"title\":\"%s\",\"status\":%d,\"detail\":",
	    respond_phrase(status), status);
	if (r == 0)
		r = json_add_string(&answer->body, bytes_str(detail));
	return r == 0 ? buf_add_str(&answer->body, "}\n") : r;
}

static int
format_head(struct admin_client *client, bool keeps, struct buf *out)
{
	const struct admin_answer *answer = &client->answer;
	int r = respond_begin(out, answer->status);

	if (r == 0)
		r = respond_field(out, "x-compute-type", BYTES_LIT("none"));
	if (r == 0)
		r = respond_field(out, "Content-Type", bytes_str(answer->type));
	if (r == 0)
		r = respond_field(out, "Cache-Control", BYTES_LIT("no-store"));
	if (r == 0 && !keeps)
		r = respond_field(out, "Connection", BYTES_LIT("close"));
	if (r == 0)
		r = respond_number(out, BYTES_LIT("Content-Length"), buf_len(&answer->body));
	return r == 0 ? respond_end(out, &client->date, clock_wall()) : r;
}

/* Send what is in ANSWER; the connection goes on if it KEEPS. */
static void
send_answer(struct admin_client *client, bool keeps)
{
	const struct request_head *head = reader_head(client->reader);
	bool is_bare = head != NULL && bytes_eq_str(head->method, "HEAD");
	struct bytes parts[2];
	struct buf out;

	buf_init(&out, HEAD_MAX);
	if (format_head(client, keeps, &out) < 0)
		keeps = false;
	parts[0] = buf_bytes(&out);
	parts[1] = buf_bytes(&client->answer.body);
	if (conn_write(client->conn, parts, is_bare ? 1 : 2) < 0)
		conn_set_abortive(client->conn);
	buf_done(&out);
	buf_done(&client->answer.body);
	if (keeps) {
		begin_request(client);
		return;
	}
	client->reader = reader_free(client->reader);
	loop_timer_set(client->timer, CLIENT_TIME);
}

static struct bytes
host_of(struct bytes host_port)
{
	size_t end;

	if (bytes_has_prefix(host_port, "["))
		end = bytes_find_char(host_port, ']') + 1;
	else
		end = bytes_find_char(host_port, ':');
	return bytes_first(host_port, end < host_port.len ? end : host_port.len);
}

static bool
is_loopback(struct bytes name)
{
	struct bytes rest = bytes_skip(name, bytes_has_prefix(name, "127.") ? 4 : name.len);

	for (size_t i = 0; i < rest.len; i++)
		if ((rest.ptr[i] < '0' || rest.ptr[i] > '9') && rest.ptr[i] != '.')
			return false;
	return rest.len > 0;
}

/* A name that leads to this machine, whatever a name server says (H-75), or the one configured. */
static bool
is_our_name(const struct admin_client *client, struct bytes host)
{
	struct bytes name = host_of(host);

	return client->door->is_private || bytes_eq_str(name, "localhost") ||
	    bytes_eq_str(name, "[::1]") || is_loopback(name) ||
	    bytes_eq(name, host_of(bytes_str(client->door->address)));
}

/* A page of another site can send a form without asking, but no JSON. */
static bool
is_from_a_page(const struct request_head *head)
{
	struct bytes type = fields_get(&head->fields, "content-type");

	return fields_get(&head->fields, "origin").ptr != NULL ||
	    !bytes_eq_str_nocase(bytes_trim(bytes_cut(&type, ';')), "application/json");
}

static bool
is_method(struct bytes method, const char *name)
{
	return bytes_eq_str(method, name) ||
	    (strcmp(name, "GET") == 0 && bytes_eq_str(method, "HEAD"));
}

/* The endpoint that is asked; or NULL, and the status that says why. */
static const struct endpoint *
find_endpoint(const struct admin_client *client, const struct request_head *head, int *ret_status)
{
	*ret_status = 404;
	for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
		const struct endpoint *endpoint = &endpoints[i];

		if (!bytes_eq_str(head->path, endpoint->path) ||
		    (endpoint->is_private && !client->door->is_private))
			continue;
		if (is_method(head->method, endpoint->method))
			return endpoint;
		*ret_status = 405;
	}
	return NULL;
}

static int
answer_request(struct admin_client *client)
{
	const struct request_head *head = reader_head(client->reader);
	const struct endpoint *endpoint;
	int status;

	if (!is_our_name(client, head->host))
		return admin_problem(&client->answer, 403, "the Host is not one of this listener");
	endpoint = find_endpoint(client, head, &status);
	if (endpoint == NULL)
		return admin_problem(&client->answer, status, status == 404 ?
		    "no such path here; there are /healthz, /readyz, /metrics, /stats "
		    "and /purge" :
		    "this path is asked with the other method, GET or POST");
	if (strcmp(endpoint->method, "POST") == 0 && is_from_a_page(head))
		return admin_problem(&client->answer, 403, "send it with Content-Type: "
		    "application/json, and without Origin");
	return endpoint->answer(client->admin->srv, reader_body(client->reader),
	    &client->answer);
}

static void
answer(struct admin_client *client)
{
	const struct request_head *head = reader_head(client->reader);
	int r = answer_request(client);

	if (r == ADMIN_E_LATER) {
		client->is_waiting = true;
		return;
	}
	if (r < 0)
		r = admin_problem(&client->answer, 500, "the answer is too long");
	send_answer(client, r == 0 && head->keep_alive && !client->admin->srv->is_draining);
}

/* What cannot be read is told, and then the connection is of no use any more. */
static void
refuse(struct admin_client *client)
{
	struct refusal refusal = reader_refusal(client->reader);

	if (admin_problem(&client->answer, refusal.status, refusal.why) < 0)
		conn_set_abortive(client->conn);
	send_answer(client, false);
}

/* False when there is nothing more to be done now. */
static bool
read_request(struct admin_client *client)
{
	enum reader_state state;
	size_t used;

	do {
		state = reader_feed(client->reader, conn_in(client->conn), &used);
		conn_consume(client->conn, used);
	} while (state == READER_HEAD || (state == READER_MORE && used > 0));
	switch (state) {
	case READER_DONE:
		answer(client);
		return true;
	case READER_REFUSED:
		refuse(client);
		return true;
	default:
		return false;
	}
}

/* The last answer leaves; then its end is said, and the client's is awaited (H-7). */
static bool
linger(struct admin_client *client)
{
	conn_consume(client->conn, conn_in(client->conn).len);
	if (conn_unsent(client->conn) == 0 && !client->is_lingering) {
		client->is_lingering = true;
		conn_shutdown(client->conn);
		loop_timer_set(client->timer, LINGER_TIME);
	}
	return conn_is_at_end(client->conn);
}

static void
run_client(void *arg)
{
	struct admin_client *client = arg;
	bool is_over = client->is_late || conn_is_broken(client->conn);

	/* Who asks and does not take the answers asks no more. */
	while (!is_over && client->reader != NULL && !client->is_waiting &&
	    conn_unsent(client->conn) == 0) {
		if (read_request(client))
			continue;
		is_over = conn_is_at_end(client->conn);
		break;
	}
	if (!is_over && client->reader == NULL)
		is_over = linger(client);
	if (is_over)
		close_client(client);
}

static void
on_timer(void *arg)
{
	struct admin_client *client = arg;

	client->is_late = true;
	loop_task_wake(&client->task);
}

static void
on_client(void *arg, int fd, struct ip from)
{
	struct door *door = arg;
	struct admin *admin = door->admin;
	struct admin_client *client;

	(void)from;
	if (admin->n_clients == CLIENTS_MAX) {
		close(fd);
		return;
	}
	client = xcalloc(1, sizeof(*client));
	client->admin = admin;
	client->door = door;
	loop_task_init(&client->task, admin->srv->loop, run_client, client);
	client->timer = loop_timer_new(admin->srv->loop, on_timer, client);
	client->conn = conn_new(admin->srv->loop, fd, NULL, &client->task);
	client->next = admin->clients;
	client->link = &admin->clients;
	if (client->next != NULL)
		client->next->link = &client->next;
	admin->clients = client;
	admin->n_clients++;
	begin_request(client);
}

int
admin_address(const char *path, char ret_address[ADMIN_ADDRESS_SIZE])
{
	int len = snprintf(ret_address, ADMIN_ADDRESS_SIZE, "unix:%s/" ADMIN_SOCKET, path);

	return len < ADMIN_ADDRESS_SIZE ? 0 : -ENAMETOOLONG;
}

static void
shut(struct door *door)
{
	/* The name goes first: whoever comes next makes one of its own. */
	if (door->is_private && door->listener != NULL)
		(void)unlink(door->address + strlen("unix:"));
	door->listener = listener_free(door->listener);
	door->address[0] = '\0';
}

/* What cannot be opened is told, once, with what will be missing. */
static void
open_door(struct door *door, const char *address, const char *without)
{
	static const struct listen_calls calls = { .take = on_client };
	int fd = listen_open(address, false, NULL);

	if (fd < 0) {
		if (strcmp(door->tried, address) != 0)
			log_warn("cannot listen on %s: %s; %s", address, listening_why(fd),
			    without);
		snprintf(door->tried, sizeof(door->tried), "%s", address);
		return;
	}
	door->tried[0] = '\0';
	snprintf(door->address, sizeof(door->address), "%s", address);
	door->listener = listener_new(door->admin->srv->loop, fd, &calls, door);
}

static void
open_private(struct admin *admin)
{
	const char *path = admin->srv->config->cache.path;
	char address[ADMIN_ADDRESS_SIZE];

	if (admin->srv->store == NULL || admin->private.listener != NULL)
		return;
	if (admin_address(path, address) == 0)
		open_door(&admin->private, address, "reprise reload does not reach this server");
	else if (!admin->is_unreachable)
		log_warn("cache %s: its path is too long for a socket in it; reprise reload does "
		    "not reach this server", path);
	admin->is_unreachable = admin->private.listener == NULL;
}

void
admin_renew(struct admin *admin)
{
	const char *wanted = admin->srv->config->admin;
	char name[LISTEN_NAME_MAX];

	open_private(admin);
	if (wanted == NULL || strcmp(wanted, admin->open.address) != 0)
		shut(&admin->open);
	if (wanted == NULL || admin->open.listener != NULL)
		return;
	open_door(&admin->open, wanted, "there is no admin listener");
	if (admin->open.listener == NULL)
		return;
	listener_name(admin->open.listener, name);
	log_info("admin on %s", name);
	if (!config_is_local(name))
		log_warn("the admin listener %s is open to whoever reaches it", name);
}

struct admin *
admin_new(struct server *srv)
{
	struct admin *admin = xcalloc(1, sizeof(*admin));

	admin->srv = srv;
	admin->open.admin = admin;
	admin->private.admin = admin;
	admin->private.is_private = true;
	/* Whose place we take has its doors open still. */
	if (srv->succession.takeover.fd < 0)
		admin_renew(admin);
	return admin;
}

struct admin *
admin_free(struct admin *admin)
{
	if (admin == NULL)
		return NULL;
	shut(&admin->open);
	shut(&admin->private);
	while (admin->clients != NULL)
		close_client(admin->clients);
	return xfree(admin);
}

void
admin_reloaded(struct admin *admin)
{
	for (struct admin_client *client = admin->clients; client != NULL; client = client->next) {
		if (!client->is_waiting)
			continue;
		client->is_waiting = false;
		send_answer(client, false);
		loop_task_wake(&client->task);
	}
}
