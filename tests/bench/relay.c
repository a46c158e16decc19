/*
 * Layer: the benchmark's programs. One job: the floor. Copies bytes between a client and an
 * upstream with epoll, and knows no HTTP: what every proxy in user space has to pay.
 *
 *	bench_relay PORT UPSTREAM_PORT [BUFFER_BYTES]
 *
 * One buffer serves all connections; one owns bytes only while its peer takes none. Where either
 * side closes, both are closed. The buffer is of 64 KiB, if nothing else is said: a write of
 *exactly that is one segment of loopback's largest size and a second one of 53 bytes.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/sockets.h"

enum { BUFFER_BYTES = 64 * 1024, EVENTS = 512 };

struct side {
	int fd;
	uint32_t watched;
	struct side *peer;
	char *unsent; /* what the socket did not take, NULL mostly; then the peer is not read */
	uint32_t unsent_at, unsent_end;
};

struct pair {
	struct side client, upstream;
	struct pair *next_dead; /* events of the same batch may still point here */
	bool dead;
};

struct relay {
	int poll;
	int listener;
	uint16_t upstream_port;
	struct pair *dead;
	size_t buffer_bytes; /* that are used of: */
	char buffer[BUFFER_BYTES];
};

static void set_watched(struct relay *relay, struct side *side, uint32_t events)
{
	side->watched = events;
	watch(relay->poll, EPOLL_CTL_MOD, side->fd, events, side);
}

static struct pair *pair_of(struct side *side)
{
	/* The client's side comes first in its pair. */
	return (struct pair *)(void *)(side < side->peer ? side : side->peer);
}

static void close_pair(struct relay *relay, struct pair *pair)
{
	if (!pair->dead) {
		close(pair->client.fd);
		close(pair->upstream.fd);
		pair->dead = true;
		pair->next_dead = relay->dead;
		relay->dead = pair;
	}
}

static void free_dead(struct relay *relay)
{
	while (relay->dead != NULL) {
		struct pair *pair = relay->dead;
		relay->dead = pair->next_dead;
		free(pair->client.unsent);
		free(pair->upstream.unsent);
		free(pair);
	}
}

static void accept_pair(struct relay *relay)
{
	int fd = accept_next(relay->listener);

	if (fd < 0) {
		return;
	}
	struct pair *pair = calloc(1, sizeof(*pair));
	if (pair == NULL) {
		give_up("calloc");
	}
	pair->client = (struct side){.fd = fd, .peer = &pair->upstream, .watched = EPOLLIN};
	pair->upstream = (struct side){
		.fd = connect_to(relay->upstream_port),
		.peer = &pair->client,
		.watched = EPOLLIN,
	};
	watch(relay->poll, EPOLL_CTL_ADD, pair->client.fd, EPOLLIN, &pair->client);
	watch(relay->poll, EPOLL_CTL_ADD, pair->upstream.fd, EPOLLIN, &pair->upstream);
}

static void keep(struct relay *relay, struct side *to, const char *bytes, size_t len)
{
	to->unsent = malloc(len);
	if (to->unsent == NULL) {
		give_up("malloc");
	}
	memcpy(to->unsent, bytes, len);
	to->unsent_at = 0;
	to->unsent_end = (uint32_t)len;
	set_watched(relay, to, to->watched | EPOLLOUT);
	set_watched(relay, to->peer, to->peer->watched & ~(uint32_t)EPOLLIN);
}

static void send_unsent(struct relay *relay, struct side *to)
{
	ssize_t sent = send(
		to->fd, to->unsent + to->unsent_at, to->unsent_end - to->unsent_at, MSG_NOSIGNAL);

	if (sent < 0) {
		if (!would_block()) {
			close_pair(relay, pair_of(to));
		}
		return;
	}
	to->unsent_at += (uint32_t)sent;
	if (to->unsent_at == to->unsent_end) {
		free(to->unsent);
		to->unsent = NULL;
		set_watched(relay, to, to->watched & ~(uint32_t)EPOLLOUT);
		set_watched(relay, to->peer, to->peer->watched | EPOLLIN);
	}
}

static void pass_on(struct relay *relay, struct side *from)
{
	ssize_t got = recv(from->fd, relay->buffer, relay->buffer_bytes, 0);

	if (got <= 0) {
		if (got == 0 || !would_block()) {
			close_pair(relay, pair_of(from));
		}
		return;
	}
	ssize_t sent = send(from->peer->fd, relay->buffer, (size_t)got, MSG_NOSIGNAL);
	if (sent < 0) {
		if (!would_block()) {
			close_pair(relay, pair_of(from));
			return;
		}
		sent = 0;
	}
	if (sent < got) {
		keep(relay, from->peer, relay->buffer + sent, (size_t)(got - sent));
	}
}

static void serve(struct relay *relay, struct side *side, uint32_t events)
{
	if ((events & EPOLLOUT) != 0 && !pair_of(side)->dead) {
		send_unsent(relay, side);
	}
	if ((events & ~(uint32_t)EPOLLOUT) == 0 || pair_of(side)->dead) {
		return;
	}
	if ((side->watched & EPOLLIN) != 0) {
		pass_on(relay, side);
	} else if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
		close_pair(relay, pair_of(side));
	}
}

int main(int argc, char **argv)
{
	static struct relay relay = {.buffer_bytes = BUFFER_BYTES};
	struct epoll_event events[EVENTS];

	if (argc != 3 && argc != 4) {
		(void)fprintf(stderr, "usage: %s PORT UPSTREAM_PORT [BUFFER_BYTES]\n", argv[0]);
		return 2;
	}
	if (argc == 4) {
		relay.buffer_bytes = (size_t)parse_number(argv[3], BUFFER_BYTES);
	}
	if (relay.buffer_bytes == 0) {
		errno = EINVAL;
		give_up("BUFFER_BYTES");
	}
	relay.listener = listen_on((uint16_t)parse_number(argv[1], UINT16_MAX));
	relay.upstream_port = (uint16_t)parse_number(argv[2], UINT16_MAX);
	relay.poll = create_poll();
	watch(relay.poll, EPOLL_CTL_ADD, relay.listener, EPOLLIN, NULL);
	for (;;) {
		int count = epoll_wait(relay.poll, events, EVENTS, -1);

		if (count < 0 && errno != EINTR) {
			give_up("epoll_wait");
		}
		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == NULL) {
				accept_pair(&relay);
			} else {
				serve(&relay, events[i].data.ptr, events[i].events);
			}
		}
		free_dead(&relay);
	}
}
