/* SPDX-License-Identifier: MIT */
/*
 * listening.c - addresses by their words in the configuration, and by what the system made
 * of them: the same words are the same sockets, and so is what they became.
 */
#include "proxy/listening.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "proxy/net/listen.h"
#include "proxy/net/notify.h"
#include "proxy/net/pass.h"
#include "proxy/worker.h"

struct address {
	char	*words;
	char	 name[LISTEN_NAME_MAX];	/* with the port that the system chose */
	int	*fds;		/* one for each worker */
	unsigned n_handed;	/* how many of them belong to workers by now */
	bool	 is_announced;	/* by a header of the PROXY protocol */
};

struct listening {
	struct address	*list;
	size_t		 n;
	unsigned	 n_workers;
	bool		 is_given;	/* by the service manager */
	bool		 has_too_many;	/* sockets for its workers */
};

/* What listening_pass() says first. */
#define GIVEN	"given"
#define OPENED	"opened"

struct listening *
listening_new(unsigned n_workers)
{
	struct listening *listening = xcalloc(1, sizeof(*listening));

	listening->n_workers = n_workers;
	return listening;
}

struct listening *
listening_free(struct listening *listening)
{
	if (listening == NULL)
		return NULL;
	for (size_t i = 0; i < listening->n; i++) {
		for (unsigned w = listening->list[i].n_handed; w < listening->n_workers; w++)
			if (listening->list[i].fds[w] >= 0)
				close(listening->list[i].fds[w]);
		xfree(listening->list[i].fds);
		xfree(listening->list[i].words);
	}
	xfree(listening->list);
	return xfree(listening);
}

/* An address without sockets, yet. */
static struct address *
add(struct listening *listening, const char *words, const char *name)
{
	struct address *address;

	listening->list = xreallocarray(listening->list, listening->n + 1,
	    sizeof(*listening->list));
	address = &listening->list[listening->n++];
	*address = (struct address){ .words = xstrdup(words) };
	snprintf(address->name, sizeof(address->name), "%s", name);
	address->fds = xcalloc(listening->n_workers, sizeof(int));
	for (unsigned w = 0; w < listening->n_workers; w++)
		address->fds[w] = -1;
	return address;
}

/* FD is the first worker's, each other one gets its own beside it. */
static int
add_socket(struct listening *listening, const char *words, int fd, bool is_announced)
{
	char name[LISTEN_NAME_MAX];
	struct address *address;

	listen_name(fd, name);
	address = add(listening, words, name);
	address->is_announced = is_announced;
	address->fds[0] = fd;
	for (unsigned w = 1; w < listening->n_workers; w++) {
		address->fds[w] = listen_share(fd, listening->is_given);
		if (address->fds[w] < 0)
			return address->fds[w];
	}
	return 0;
}

static struct address *
find(const struct listening *listening, const char *words)
{
	for (size_t i = 0; listening != NULL && i < listening->n; i++)
		if (strcmp(listening->list[i].words, words) == 0 ||
		    strcmp(listening->list[i].name, words) == 0)
			return &listening->list[i];
	return NULL;
}

static const char *
port_of(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon != NULL ? colon : name;
}

/* Would a socket of ours be in the way of one at WORDS, as 127.0.0.1:80 is of :80? */
static bool
is_beside(const struct listening *listening, const char *words)
{
	for (size_t i = 0; listening != NULL && i < listening->n; i++)
		if (strcmp(port_of(listening->list[i].name), port_of(words)) == 0)
			return true;
	return false;
}

static void
tell(const struct config *config, int fd)
{
	char name[LISTEN_NAME_MAX];

	listen_name(fd, name);
	log_info("listening on %s", name);
	if (config_is_open(config, name))
		log_warn("%s is open to whoever reaches it; teams would say who may ask", name);
}

/* The sockets of THERE, whoever has them, are those of ADDRESS now; new ones to us are told. */
static void
take_over(const struct config *config, struct address *address, struct address *there,
    unsigned n_workers)
{
	memcpy(address->fds, there->fds, n_workers * sizeof(int));
	address->n_handed = there->n_handed;
	there->n_handed = n_workers;
	if (address->n_handed == 0)
		tell(config, address->fds[0]);
}

static int
open_one(const struct config *config, struct listening *old,
    const struct config_listen *listen, struct listening *listening)
{
	const struct listen_permission permission = { listen->mode, listen->group };
	const char *words = listen->address;
	struct address *there = find(old, words), *address;
	int fd, r;

	if (find(listening, words) != NULL)
		return 0;
	if (there != NULL) {
		address = add(listening, words, there->name);
		address->is_announced = listen->proxy_protocol;
		take_over(config, address, there, listening->n_workers);
		return listen_permit(words, &permission);
	}
	fd = listen_open(words, is_beside(old, words), &permission);
	if (fd < 0)
		return fd;
	r = add_socket(listening, words, fd, listen->proxy_protocol);
	if (r == 0)
		tell(config, fd);
	return r;
}

/* What is to be said of a socket that others opened stands beside its address. */
static bool
is_announced(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->peers.n_listen; i++)
		if (strcmp(config->peers.listen[i].address, name) == 0)
			return config->peers.listen[i].proxy_protocol;
	return false;
}

/* Those of the service manager stay for good: it has them, and gives them to whoever follows. */
static int
take_given(const struct config *config, int n, struct listening *listening)
{
	char name[LISTEN_NAME_MAX];
	int r;

	listening->is_given = true;
	for (int fd = NOTIFY_FD_FIRST; fd < NOTIFY_FD_FIRST + n; fd++) {
		r = listen_adopt(fd);
		if (r < 0)
			return r;
		listen_name(fd, name);
		r = add_socket(listening, name, fd, is_announced(config, name));
		if (r < 0)
			return r;
		tell(config, fd);
	}
	return 0;
}

static int
open_all(const struct config *config, struct listening *old, struct listening *listening,
    const char **ret_address)
{
	int r = 0, n_given = old == NULL ? notify_listen_fds() : 0;

	*ret_address = "a socket of the service manager";
	if (n_given > 0)
		return take_given(config, n_given, listening);
	if (old != NULL && old->is_given) {
		listening->is_given = true;
		for (size_t i = 0; i < old->n; i++) {
			struct address *address = add(listening, old->list[i].words,
			    old->list[i].name);

			address->is_announced = is_announced(config, old->list[i].name);
			take_over(config, address, &old->list[i], listening->n_workers);
		}
		return 0;
	}
	for (size_t i = 0; r == 0 && i < config->peers.n_listen; i++) {
		*ret_address = config->peers.listen[i].address;
		r = open_one(config, old, &config->peers.listen[i], listening);
	}
	return r;
}

int
listening_open(const struct config *config, struct listening *old, unsigned n_workers,
    struct listening **ret_listening, const char **ret_address)
{
	struct listening *listening = listening_new(n_workers);
	int r = open_all(config, old, listening, ret_address);

	if (r < 0) {
		listening_free(listening);
		return r;
	}
	*ret_listening = listening;
	return 0;
}

size_t
listening_count(const struct listening *listening)
{
	return listening->n;
}

void
listening_hand_out(struct listening *listening, unsigned worker, struct worker_socket *sockets)
{
	for (size_t i = 0; i < listening->n; i++) {
		struct address *address = &listening->list[i];
		bool has_it = worker < address->n_handed;

		sockets[i] = (struct worker_socket){
			address->name, has_it ? -1 : address->fds[worker], address->is_announced,
		};
		if (!has_it)
			address->n_handed = worker + 1;
	}
}

int
listening_pass(const struct listening *listening, int fd)
{
	int r = pass_send(fd, listening->is_given ? GIVEN : OPENED, NULL, 0);

	for (size_t i = 0; r == 0 && i < listening->n; i++) {
		const struct address *address = &listening->list[i];

		r = pass_send(fd, address->words, address->fds, listening->n_workers);
	}
	return r;
}

void
listening_receive(struct listening *listening, const char *words, const int *fds, size_t n)
{
	char name[LISTEN_NAME_MAX];
	struct address *address;

	if (n == 0) {
		listening->is_given = strcmp(words, GIVEN) == 0;
		return;
	}
	listen_name(fds[0], name);
	address = add(listening, words, name);
	for (size_t i = 0; i < n; i++) {
		if (i < listening->n_workers)
			address->fds[i] = fds[i];
		else
			close(fds[i]);
	}
	listening->has_too_many |= n > listening->n_workers;
}

/* Workers that the other server had not get sockets of their own. */
int
listening_complete(struct listening *listening)
{
	if (listening->has_too_many)
		return -E2BIG;
	for (size_t i = 0; i < listening->n; i++) {
		int *fds = listening->list[i].fds;

		for (unsigned w = 1; w < listening->n_workers; w++) {
			if (fds[w] < 0)
				fds[w] = listen_share(fds[0], listening->is_given);
			if (fds[w] < 0)
				return fds[w];
		}
	}
	return 0;
}

const char *
listening_why(int error)
{
	if (error == -EDESTADDRREQ)
		return "no such host";
	if (error == -EADDRINUSE)
		return "the address is in use; is another server running there?";
	if (error == -EOPNOTSUPP)
		return "it does not listen: a socket unit needs ListenStream= and Accept=no";
	if (error == -ESRCH)
		return "its group is not there any more";
	if (error == -EPERM)
		return "the group is none of this process; add its user to it";
	return strerror(-error);
}
