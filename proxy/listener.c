/*
 * Layer: proxy. One job: one worker's end of a listening address; see listener.h.
 */
#include "proxy/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "proxy/client.h"
#include "proxy/network.h"
#include "proxy/server.h"
#include "proxy/worker.h"

enum {
	BACKLOG = 4096, /* cut by the kernel to net.core.somaxconn */
};

bool listener_is_local(const struct listen_settings *settings)
{
	return settings->is_unix ||
	       (!settings->any_family &&
		       network_is_local((const struct sockaddr *)&settings->address));
}

static int fail(int fd, const struct listen_settings *settings, const char *what, struct err *err)
{
	int reason = errno;

	err_set(err, ERR_SYSTEM, "listen %s: %s: %s", settings->text, what, strerror(reason));
	if (fd >= 0) {
		(void)close(fd);
	}
	return -1;
}

/* A socket file that nobody listens on any more is in the way of a restart; one that somebody does
 * is an error. */
static void remove_stale_socket(const char *path, const struct sockaddr_un *address)
{
	struct stat status;
	int fd;

	if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
		return;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return;
	}
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
		errno == ECONNREFUSED) {
		(void)unlink(path);
	}
	(void)close(fd);
}

static int bind_unix(const struct listen_settings *settings, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	memcpy(address.sun_path, settings->path, sizeof(address.sun_path) - 1);
	remove_stale_socket(settings->path, &address);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return fail(fd, settings, "socket", err);
	}
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		return fail(fd, settings, "bind", err);
	}
	return fd;
}

static void set_port(struct sockaddr_storage *address, uint16_t port)
{
	if (address->ss_family == AF_INET6) {
		((struct sockaddr_in6 *)(void *)address)->sin6_port = htons(port);
	} else {
		((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
	}
}

static uint16_t port_of(const struct sockaddr_storage *address)
{
	return ntohs(address->ss_family == AF_INET6
			     ? ((const struct sockaddr_in6 *)(const void *)address)->sin6_port
			     : ((const struct sockaddr_in *)(const void *)address)->sin_port);
}

static int open_tcp(sa_family_t family)
{
	return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
}

static int bind_tcp(const struct listen_settings *settings, uint16_t *port, struct err *err)
{
	struct sockaddr_storage address = settings->address;
	socklen_t len = sizeof(address);
	const int on = 1, off = 0;
	int fd = open_tcp(address.ss_family);

	if (fd < 0 && settings->any_family && errno == EAFNOSUPPORT) { /* a system without IPv6 */
		uint16_t wanted = port_of(&address);

		address = (struct sockaddr_storage){.ss_family = AF_INET};
		set_port(&address, wanted);
		fd = open_tcp(AF_INET);
	}
	if (fd < 0) {
		return fail(fd, settings, "socket", err);
	}
	if (*port != 0) {
		set_port(&address, *port);
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address.ss_family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, settings->any_family ? &off : &on,
			sizeof(on));
	}
#ifdef __linux__
	/* Only once the first socket has the address to itself: another process's listener must be
	 * an error. */
	if (*port != 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) {
		return fail(fd, settings, "SO_REUSEPORT", err);
	}
#endif
	if (bind(fd, (const struct sockaddr *)&address,
		    address.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						  : sizeof(struct sockaddr_in)) != 0) {
		return fail(fd, settings, "bind", err);
	}
#ifdef __linux__
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
#endif
	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
		return fail(fd, settings, "getsockname", err);
	}
	*port = port_of(&address);
	return fd;
}

int listener_bind(const struct listen_settings *settings, uint16_t *port, struct err *err)
{
	return settings->is_unix ? bind_unix(settings, err) : bind_tcp(settings, port, err);
}

static void on_connection(uv_stream_t *handle, int status)
{
	struct listener *self = handle->data;
	struct worker *worker = self->worker;

	if (status < 0) {
		log_warn("accept: %s", uv_strerror(status));
	} else {
		client_accept(worker, handle, self->is_unix, self->over_loopback, self->role,
			server_connection_opened(worker->server, self->role));
	}
	loop_settle(&worker->loop);
}

static void on_closed(uv_handle_t *handle)
{
	mem_free(handle->data);
}

enum err_code listener_open(struct worker *worker, int fd, const struct listen_settings *settings,
	enum listener_role role, struct err *err)
{
	struct listener *self = mem_zalloc(sizeof(*self));
	int rc;

	self->worker = worker;
	self->is_unix = settings->is_unix;
	self->over_loopback = listener_is_local(settings);
	self->role = role;
	list_push_back(&worker->listeners, &self->node);
	if (settings->is_unix) {
		(void)uv_pipe_init(&worker->loop.uv, &self->uv.pipe, 0);
		self->uv.handle.data = self;
		rc = uv_pipe_open(&self->uv.pipe, fd);
	} else {
		(void)uv_tcp_init(&worker->loop.uv, &self->uv.tcp);
		self->uv.handle.data = self;
		rc = uv_tcp_open(&self->uv.tcp, fd);
	}
	if (rc < 0) {
		(void)close(fd); /* libuv has not taken it */
	} else {
		rc = uv_listen(&self->uv.stream, BACKLOG, on_connection);
	}
	if (rc < 0) {
		listener_close(self);
		return err_set(err, ERR_SYSTEM, "listen %s: %s", settings->text, uv_strerror(rc));
	}
	return ERR_NONE;
}

void listener_close(struct listener *self)
{
	list_remove(&self->node);
	uv_close(&self->uv.handle, on_closed);
}
