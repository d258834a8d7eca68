/* SPDX-License-Identifier: MIT */
/*
 * listen.c - bind, listen, accept; and a pause instead of a storm when
 * descriptors run out (H-10).
 */
#include "proxy/net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"

#define BACKLOG			1024
#define ACCEPT_PER_TURN		64
#define PAUSE			(100 * USEC_PER_MSEC)
#define UNIX_PREFIX		"unix:"

struct listener {
	struct loop		*loop;
	struct loop_watch	*watch;
	struct loop_timer	*pause;
	const struct listen_calls *calls;	/* borrowed */
	void			*arg;
	int			 fd;
	int			 reserve;	/* to close when there are no more; or -1 */
};

static int
bind_and_listen(int fd, const struct sockaddr *sa, socklen_t len)
{
	int r;

	if (bind(fd, sa, len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

/* Descriptors are non-blocking and close on exec, here as everywhere. */
static int
open_socket(const struct sockaddr *sa, socklen_t len, bool is_shared)
{
	const int on = 1;
	int fd;

	fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (is_shared)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (sa->sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	return bind_and_listen(fd, sa, len);
}

/* A socket file outlives its process; one that still answers is not ours to remove. */
static int
remove_dead_socket(const struct sockaddr_un *sun)
{
	struct stat st;
	int fd, r;

	if (lstat(sun->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return 0;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = connect(fd, (const struct sockaddr *)sun, sizeof(*sun));
	close(fd);
	if (r == 0)
		return -EADDRINUSE;
	return unlink(sun->sun_path) < 0 ? -errno : 0;
}

static int
permit(const char *path, const struct listen_permission *permission)
{
	const struct group *group;

	if (permission == NULL)
		return 0;
	if (permission->group != NULL) {
		group = getgrnam(permission->group);
		if (group == NULL)
			return -ESRCH;
		if (lchown(path, (uid_t)-1, group->gr_gid) < 0)
			return -errno;
	}
	return permission->mode != 0 && chmod(path, permission->mode) < 0 ? -errno : 0;
}

/*
 * A socket has a mode before it has a name, and gets its name with it: so nobody comes
 * in between the two who may not.
 */
static int
open_unix(const char *path, const struct listen_permission *permission)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, r;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	r = remove_dead_socket(&sun);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (permission != NULL && permission->mode != 0)
		(void)fchmod(fd, permission->mode & S_IRWXU);
	fd = bind_and_listen(fd, (struct sockaddr *)&sun, sizeof(sun));
	if (fd < 0)
		return fd;
	r = permit(path, permission);
	if (r == 0)
		return fd;
	close(fd);
	(void)unlink(path);
	return r;
}

/*
 * SO_REUSEPORT lets a second process of the same user in without a word: so
 * the address is first taken for ourselves alone, unless we are there ourselves.
 */
static int
open_tcp(const struct addrinfo *ai, bool is_beside_us)
{
	int fd;

	if (!is_beside_us) {
		fd = open_socket(ai->ai_addr, ai->ai_addrlen, false);
		if (fd < 0)
			return fd;
		close(fd);
	}
	return open_socket(ai->ai_addr, ai->ai_addrlen, true);
}

static int
open_host_port(const char *address, bool is_beside_us)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	const char *colon = strrchr(address, ':');
	struct addrinfo *ai;
	char host[256];
	size_t len;
	int fd;

	if (colon == NULL)
		return -EINVAL;
	len = (size_t)(colon - address);
	if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return -ENAMETOOLONG;
	memcpy(host, address, len);
	host[len] = '\0';
	if (getaddrinfo(len > 0 ? host : NULL, colon + 1, &hints, &ai) != 0)
		return -EDESTADDRREQ;
	fd = open_tcp(ai, is_beside_us);
	freeaddrinfo(ai);
	return fd;
}

bool
listen_is_unix(int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);

	return getsockname(fd, (struct sockaddr *)&ss, &len) == 0 && ss.ss_family == AF_UNIX;
}

void
listen_name(int fd, char ret_name[LISTEN_NAME_MAX])
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	char host[64], port[8];

	snprintf(ret_name, LISTEN_NAME_MAX, "descriptor %d", fd);
	if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
		return;
	if (ss.ss_family == AF_UNIX) {
		const struct sockaddr_un *sun = (const struct sockaddr_un *)&ss;

		snprintf(ret_name, LISTEN_NAME_MAX, UNIX_PREFIX "%.108s", sun->sun_path);
		return;
	}
	if (getnameinfo((struct sockaddr *)&ss, len, host, sizeof(host), port, sizeof(port),
	    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(ret_name, LISTEN_NAME_MAX,
		    ss.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

int
listen_open(const char *address, bool is_beside_us, const struct listen_permission *permission)
{
	if (bytes_has_prefix(bytes_str(address), UNIX_PREFIX))
		return open_unix(address + strlen(UNIX_PREFIX), permission);
	return open_host_port(address, is_beside_us);
}

int
listen_permit(const char *address, const struct listen_permission *permission)
{
	if (!bytes_has_prefix(bytes_str(address), UNIX_PREFIX))
		return 0;
	return permit(address + strlen(UNIX_PREFIX), permission);
}

int
listen_adopt(int fd)
{
	socklen_t len = sizeof(int);
	int listens = 0, flags;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0 || listens == 0)
		return -EOPNOTSUPP;
	flags = fcntl(fd, F_GETFL);
	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int
listen_share(int fd, bool is_adopted)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss), on_len = sizeof(int);
	int on = 0;

	(void)getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, &on_len);
	if (on != 0 && !is_adopted && getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
	    ss.ss_family != AF_UNIX)
		return open_socket((struct sockaddr *)&ss, len, true);
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

static int
open_reserve(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* The one that waits longest is told by the end of its connection, instead of by nothing. */
static void
turn_one_away(struct listener *listener)
{
	int fd;

	if (listener->reserve < 0)
		return;
	close(listener->reserve);
	fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	listener->reserve = open_reserve();
}

/* A full table of descriptors would make the socket readable at once, again and again. */
static void
pause_accepting(struct listener *listener, int error)
{
	loop_watch_set(listener->watch, false, false);
	loop_timer_set(listener->pause, PAUSE);
	if (listener->calls->paused != NULL)
		listener->calls->paused(listener->arg, error);
}

static bool
has_room(const struct listener *listener)
{
	return listener->calls->has_room == NULL || listener->calls->has_room(listener->arg);
}

static struct ip
address_of(const struct sockaddr_storage *ss)
{
	switch (ss->ss_family) {
	case AF_INET:
		return ip_v4(&((const struct sockaddr_in *)ss)->sin_addr);
	case AF_INET6:
		return ip_v6(&((const struct sockaddr_in6 *)ss)->sin6_addr);
	default:
		return IP_NONE;
	}
}

/* Is there perhaps another one to accept? */
static bool
accept_one(struct listener *listener)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(ss);
	int fd = accept4(listener->fd, (struct sockaddr *)&ss, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		listener->calls->take(listener->arg, fd, address_of(&ss));
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		pause_accepting(listener, errno);
		turn_one_away(listener);
		return false;
	}
	return errno == ECONNABORTED || errno == EINTR;
}

static void
accept_some(struct listener *listener)
{
	for (int i = 0; i < ACCEPT_PER_TURN; i++) {
		if (!has_room(listener)) {
			pause_accepting(listener, 0);
			return;
		}
		if (!accept_one(listener))
			return;
	}
}

static void
on_readable(void *arg, bool readable, bool writable)
{
	(void)readable;
	(void)writable;
	accept_some(arg);
}

static void
on_pause_over(void *arg)
{
	struct listener *listener = arg;

	loop_watch_set(listener->watch, true, false);
}

struct listener *
listener_new(struct loop *loop, int fd, const struct listen_calls *calls, void *arg)
{
	struct listener *listener = xcalloc(1, sizeof(*listener));

	*listener = (struct listener){
		.loop = loop, .calls = calls, .arg = arg, .fd = fd, .reserve = open_reserve(),
	};
	listener->watch = loop_watch_new(loop, fd, on_readable, listener);
	listener->pause = loop_timer_new(loop, on_pause_over, listener);
	loop_watch_set(listener->watch, true, false);
	return listener;
}

void
listener_name(const struct listener *listener, char ret_name[LISTEN_NAME_MAX])
{
	listen_name(listener->fd, ret_name);
}

struct listener *
listener_free(struct listener *listener)
{
	if (listener == NULL)
		return NULL;
	accept_some(listener);
	loop_timer_free(listener->pause);
	loop_watch_free(listener->watch);
	close(listener->fd);
	if (listener->reserve >= 0)
		close(listener->reserve);
	return xfree(listener);
}
