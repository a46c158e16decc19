/*
 * Layer: base. One job: one TLS connection (RFC 8446, RFC 5246) as a machine without a socket:
 * bytes of the peer go in, text comes out, and what has to be sent is appended to a buffer that the
 * caller brings. So a big piece from the socket is one call, and so is all that a turn sends; a
 * connection at rest holds no buffer of either.
 *
 * After a failure the connection is of no more use: every further call fails in the same words.
 * Belongs to one thread; the context and the sessions may be gone before it.
 */
#ifndef SIGHTGLASS_BASE_TLS_H
#define SIGHTGLASS_BASE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/slice.h"

struct tls;
struct tls_context;
struct tls_sessions;

enum {
	TLS_RECORD_MAX = 16 * 1024, /* bytes of text in one record */
	TLS_NAME_MAX = 253,         /* of a host's name, RFC 1035 */
	/*
	 * The most that OpenSSL holds of a client's connection that is established, in bytes: 14
	 * KiB at rest, 17 KiB for a record that has come in part, as much while one is sent.
	 */
	TLS_CONNECTION_MAX = 64 * 1024,
	/* The most before that: it takes a greeting of 128 KiB, and keeps it for the hash, too. */
	TLS_HANDSHAKE_MAX = 512 * 1024,
};

/*
 * A connection to the server of that name or address (IPv6 with or without brackets), which its
 * certificate has to bear (RFC 6125: a wildcard for a whole label, the subject's common name does
 * not count), unless the context does not verify. A name is sent along (SNI, RFC 6066), an address
 * is not. `sessions` may be NULL; else one of them is resumed where there is one at `now_wall_us`,
 * and those that the server grants go there.
 *
 * The caller ends it with tls_close(). NULL and ERR_TLS where the name cannot be one, or one's own
 * certificate has expired by now.
 */
struct tls *tls_open_client(struct tls_context *context, const char *host,
	struct tls_sessions *sessions, uint64_t now_wall_us, struct err *err);
/* A connection of a client, which fails where that begins a second handshake (a renegotiation).
 * NULL and ERR_TLS where OpenSSL cannot make one. */
struct tls *tls_open_server(struct tls_context *context, struct err *err);
/* Frees; sends nothing. NULL is harmless. */
void tls_close(struct tls *tls);

/*
 * Appends what opens the handshake, once: a client's first message. Of a server nothing. 0, or
 * ERR_TLS.
 */
enum err_code tls_start(struct tls *tls, struct buffer *reply, struct err *err);

struct tls_received {
	size_t len;       /* bytes of text that were written */
	bool established; /* these bytes have ended the handshake: tls_send() may be used */
	bool closed;      /* the peer's close_notify was among them: no text follows */
};

/*
 * Room for the text of `len` bytes from the peer: what they complete may have begun in earlier
 * ones.
 */
static inline size_t tls_receive_room(size_t len)
{
	return len + TLS_RECORD_MAX;
}

/*
 * Takes all of `in`: goes on with the handshake, writes the text of whole records to `out` (at
 * least tls_receive_room(in.len) bytes), keeps what is not whole, at most a record. Appends to
 * `reply` what is to be sent: the handshake, an answer to a key update, an alert. 0, or ERR_TLS;
 * `got` is valid either way, and so is what the reply then holds: the alert that tells the peer.
 *
 * An end of the socket without `closed` before it is a connection that was cut off.
 */
enum err_code tls_receive(struct tls *tls, struct slice in, char *out, size_t room,
	struct tls_received *got, struct buffer *reply, struct err *err);

/*
 * How much to read at once, of at most `room` bytes, for whole records to come of it, as long as
 * the peer makes them all of one size. From 63 KiB come else four records of 16 KiB as often as
 * three, and 64 KiB leave as a segment and a runt (base/loop.h): 1 MiB from a TLS upstream cost 14
 * % more.
 */
size_t tls_read_size(const struct tls *tls, size_t room);

/*
 * Encrypts the parts, in their order, and appends the records to `out`: as few as there can be, so
 * a head goes with what follows it. Only on an established connection. Before tls_send_close(). 0,
 * or ERR_TLS.
 */
enum err_code tls_send(struct tls *tls, const struct iovec *parts, unsigned count,
	struct buffer *out, struct err *err);

/*
 * Appends close_notify, once: nothing can be sent from here on; receiving goes on. Nothing before
 * the connection is established, or after a failure.
 */
void tls_send_close(struct tls *tls, struct buffer *out);

/* Why the connection has failed; NULL where it has not. Lives as long as the connection. */
const struct err *tls_failure_of(const struct tls *tls);
bool tls_established(const struct tls *tls);
/* The first byte of a peer that speaks no TLS; -1 of one that may. */
int tls_heard_instead(const struct tls *tls);
/* The peer's close_notify has come. */
bool tls_closed(const struct tls *tls);
/* An earlier session was resumed. From when it is established. */
bool tls_resumed(const struct tls *tls);
/* "TLSv1.2" or "TLSv1.3". From when it is established. */
const char *tls_version_text(const struct tls *tls);

#endif
