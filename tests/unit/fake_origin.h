/*
 * For unit tests. One job: an upstream that does nothing by itself: it listens on a free loopback
 * port or a unix socket, accepts, and remembers what came. On a loop that the test runs.
 */
#ifndef SIGHTGLASS_TESTS_FAKE_ORIGIN_H
#define SIGHTGLASS_TESTS_FAKE_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

enum {
	FAKE_ORIGIN_PEERS = 64,
};

struct tls;
struct tls_context;

struct fake_peer {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	size_t received; /* bytes; over TLS those of the records */
	struct tls *tls; /* NULL: plain */
	bool gone;       /* the other side closed it */
	bool closed;
};

struct fake_origin {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	char directory[64]; /* of the unix socket; empty for TCP */
	char url[128];
	uint16_t port;
	struct tls_context *tls; /* NULL: plain */
	unsigned accepted;
	struct fake_peer peers[FAKE_ORIGIN_PEERS]; /* in the order in which they came */
};

void fake_origin_listen(struct fake_origin *origin, uv_loop_t *loop);
void fake_origin_listen_unix(struct fake_origin *origin, uv_loop_t *loop);
/* From here on it shakes hands by that context, which lives as long, and takes what comes. */
void fake_origin_secure(struct fake_origin *origin, struct tls_context *context);
/* Nobody can connect any more; what is accepted stays. */
void fake_origin_refuse(struct fake_origin *origin);
/* Closes everything; the loop must run once more. */
void fake_origin_close(struct fake_origin *origin);

/* Connections accepted that neither side closed. */
unsigned fake_origin_open(const struct fake_origin *origin);
void fake_peer_send(struct fake_peer *peer, const char *text);
void fake_peer_close(struct fake_peer *peer);

#endif
