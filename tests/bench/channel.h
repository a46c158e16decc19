/*
 * Layer: the benchmark's programs; none of the product is seen from here. One job: a connection on
 * loopback, with TLS or without, that is read and written as a non-blocking socket is: -1, and
 * would_block() says whether there was only nothing to do.
 *
 * TLS is 1.3 with TLS_AES_128_GCM_SHA256 and X25519, and nothing else: so every proxy does the same
 * work, whatever it prefers. A client does not verify whom it speaks with, as its time is not what
 * is measured. Whoever cannot speak so ends the program, as in sockets.h.
 */
#ifndef SIGHTGLASS_TESTS_BENCH_CHANNEL_H
#define SIGHTGLASS_TESTS_BENCH_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/types.h>
#include <sys/uio.h>

struct ssl_ctx_st; /* OpenSSL's SSL_CTX, */
struct ssl_st;     /* and SSL */

struct channel {
	int fd;
	struct ssl_st *ssl; /* NULL without TLS */
};

/* What the connections of one side have in common. Never NULL, and never freed. The server's is of
 * PEM files. */
struct ssl_ctx_st *channel_client_context(void);
struct ssl_ctx_st *channel_server_context(const char *certificate, const char *key);

/* Takes the socket; `context` is NULL for a channel without TLS. */
void channel_open(struct channel *channel, int fd, struct ssl_ctx_st *context);
/* Says farewell, unless the peer did. */
void channel_close(struct channel *channel);

/* Goes on with the handshake: true where it has ended, or there is none; else input is due. A
 * server need not call it: receiving does the same. */
bool channel_shake_hands(struct channel *channel);

/*
 * As sendmsg() does: how much was taken. What was not has to be sent by the next call, in the same
 * order and at least as much of it: a record of it may be on its way.
 */
ssize_t channel_send(struct channel *channel, const struct iovec *slices, size_t count);
/* As recv() does, and 0 is the end. */
ssize_t channel_receive(struct channel *channel, char *to, size_t room);
/* More is to be received that no poll of the socket tells of. */
bool channel_holds_more(const struct channel *channel);

#endif
