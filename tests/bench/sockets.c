/* Layer: the benchmark's programs. One job: loopback sockets. See sockets.h. */
#include "tests/bench/sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

void give_up(const char *what)
{
	int error = errno;

	(void)fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(error));
	exit(1);
}

uint64_t parse_number(const char *text, uint64_t max)
{
	char *end;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno == 0 && (end == text || *end != '\0' || value > max)) {
		errno = EINVAL;
	}
	if (errno != 0) {
		give_up(text);
	}
	return value;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static void without_nagle(int fd)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0) {
		give_up("TCP_NODELAY");
	}
}

int listen_on(uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(fd, BACKLOG) < 0) {
		give_up("listen");
	}
	return fd;
}

int accept_next(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		without_nagle(fd);
	} else if (!would_block() && errno != ECONNABORTED) {
		give_up("accept");
	}
	return fd;
}

int connect_to(uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* To loopback a connection is made within the call, so waiting for it stops nobody. */
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		ioctl(fd, FIONBIO, &on) < 0) {
		give_up("connect");
	}
	without_nagle(fd);
	return fd;
}

int create_poll(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0) {
		give_up("epoll_create1");
	}
	return fd;
}

void watch(int poll, int change, int fd, uint32_t events, void *owner)
{
	struct epoll_event event = {.events = events, .data.ptr = owner};

	if (epoll_ctl(poll, change, fd, &event) < 0) {
		give_up("epoll_ctl");
	}
}

int would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}
