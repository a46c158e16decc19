/*
 * Layer: base. One job: the two system calls of the hot path, reading from and writing to a
 * connected socket, without what the C library puts around them.
 *
 * recv() and sendmsg() are cancellation points: in a process with threads each call costs two
 * atomic exchanges, of which a small request has eight. No thread of this program is ever
 * cancelled. As the system calls do, both return -1 and set errno.
 */
#ifndef SIGHTGLASS_BASE_SOCKET_H
#define SIGHTGLASS_BASE_SOCKET_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#ifdef MSG_NOSIGNAL
#define SOCKET_FLAGS (MSG_NOSIGNAL | MSG_DONTWAIT)
#else
#define SOCKET_FLAGS MSG_DONTWAIT
#endif

static inline ssize_t socket_receive(int fd, void *to, size_t room)
{
#if defined(__linux__) && defined(SYS_recvfrom)
	return syscall(SYS_recvfrom, fd, to, room, MSG_DONTWAIT, NULL, NULL);
#else
	return recv(fd, to, room, MSG_DONTWAIT);
#endif
}

/* One part goes by sendto(), which copies no vector into the kernel first. */
static inline ssize_t socket_send(int fd, struct iovec *parts, unsigned count)
{
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};

#if defined(__linux__) && defined(SYS_sendto) && defined(SYS_sendmsg)
	if (count == 1) {
		return syscall(
			SYS_sendto, fd, parts->iov_base, parts->iov_len, SOCKET_FLAGS, NULL, 0);
	}
	return syscall(SYS_sendmsg, fd, &message, SOCKET_FLAGS);
#else
	return sendmsg(fd, &message, SOCKET_FLAGS);
#endif
}

#endif
