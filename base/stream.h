/*
 * Layer: base. One job: a connected byte stream over TCP or a unix socket, read into the loop's one
 * buffer, written by gathering.
 *
 * libuv polls, connects and closes; reading and writing are our own system calls (base/socket.h),
 * one a turn: a read() of libuv's goes through the file system's layer first, and it reads on while
 * there is something, which on a large body starves the others.
 *
 * A stream is embedded in its owner. Reading is on from the start (an idle stream that reads sees
 * its peer's close at no cost) and is stopped for back-pressure only, since each stop and start is
 * an epoll_ctl. Writing borrows: slices stay with the caller until the turn ends; then all go out
 * by one try-write, and only what the socket did not take is copied (the backlog). With TLS it is
 * the same: what a read brought is decrypted at once, what a turn gathered encrypted at its end. An
 * owner that sees stream_blocked() pauses its source; what is copied is therefore at most what one
 * turn can produce.
 */
#ifndef SIGHTGLASS_BASE_STREAM_H
#define SIGHTGLASS_BASE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <uv.h>

#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/slice.h"

struct stream;
struct stream_gather;
struct tls;

/* Events up. All of them run within a turn; none comes after stream_close(). */
struct stream_ops {
	/* The connection attempt ended; status is 0 or a libuv error. Only after stream_connect_….
	 */
	void (*connected)(struct stream *stream, int status);
	/* `bytes` (never empty) live until the end of the turn. */
	void (*bytes)(struct stream *stream, struct slice bytes);
	/* The peer sent its end (of TLS its close_notify); writing may go on. It is told again
	 * where reading goes on. */
	void (*eof)(struct stream *stream);
	/*
	 * Reading or writing failed (a libuv error: UV_ECONNRESET, UV_EPIPE, …). The stream is of
	 * no more use: close it. Comes once. Of TLS, UV_EPROTO is what stream_failure() says, and
	 * UV_EOF an end without the peer's close_notify: what came may be cut off.
	 */
	void (*failed)(struct stream *stream, int status);
	/* The socket took less than was written: stop producing until `drained`. */
	void (*blocked)(struct stream *stream);
	void (*drained)(struct stream *stream);
	/* The handshake has ended: what is written from here on is encrypted. Only after
	 * stream_secure(). */
	void (*secured)(struct stream *stream);
};

typedef void (*stream_closed_fn)(struct stream *stream);

struct stream {
	const struct stream_ops *ops;
	struct loop *loop;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	struct task flush;              /* queued while something is gathered */
	struct stream_gather *gathered; /* in the loop's scratch memory */
	struct tls *tls;                /* NULL: plain */
	uint32_t writes;                /* copies of what the socket did not take, on their way */
	stream_closed_fn closed;
	ssize_t received; /* what the last read gave: bytes, 0 at the end, or a libuv error */
	int fd;
	uint64_t bytes_read;
	uint64_t bytes_written; /* accepted by the socket */
	int write_error;        /* why nothing can be written any more, or 0 */
	bool reading;
	bool filled;   /* the last read took all that there was room for */
	bool shutting; /* stream_shutdown was called */
	bool shutdown_sent;
	bool heard_out; /* see stream_hear_out() */
	bool broken;    /* `failed` was delivered, or will be */
	bool is_unix;
};

/*
 * Accepts from a listening handle of the same loop; `is_unix` says which kind. 0, or a libuv error.
 * Either way the stream is open from here on and must be closed by stream_close().
 */
int stream_accept(struct stream *stream, struct loop *loop, const struct stream_ops *ops,
	uv_stream_t *listener, bool is_unix);

/*
 * Begin to connect; `connected` tells the end, never before this returns. 0, or a libuv error: then
 * no event follows. Either way the stream must be closed by stream_close(). No timeout: the owner
 * has its timers.
 */
int stream_connect_tcp(struct stream *stream, struct loop *loop, const struct stream_ops *ops,
	const struct sockaddr *address);
int stream_connect_unix(
	struct stream *stream, struct loop *loop, const struct stream_ops *ops, const char *path);

/*
 * From here on TLS (base/tls.h) is spoken on a stream that is connected, and on which nothing was
 * read or written yet. `secured` tells the end of the handshake, `failed` its failure; nothing is
 * written before the former. Takes `tls` over, also where it fails (ERR_TLS): then the stream is to
 * be closed, and no event follows. No timeout: the owner has its timers.
 */
enum err_code stream_secure(struct stream *stream, struct tls *tls, struct err *err);
/*
 * From within `failed`, of a stream whose peer speaks something else (tls_heard_instead()): it is
 * plain from here on, of use again, and nothing was sent. What the peer had said is lost; reading
 * is paused.
 */
void stream_unsecure(struct stream *stream);
/* Why TLS has failed: a code and a sentence about the peer; NULL where it has not. Lives as long as
 * the stream. */
const struct err *stream_failure(const struct stream *stream);
/* What the peer and we agreed on; NULL on a plain stream. */
const struct tls *stream_tls(const struct stream *stream);

/* Queues `bytes`, which the caller keeps until the end of the turn. On a stream that is broken or
 * shutting, drops them. */
void stream_write(struct stream *stream, struct slice bytes);
/* Sends the end of our side after all that was written. */
void stream_shutdown(struct stream *stream);
/* True while the socket has not taken all that was written in earlier turns. */
bool stream_blocked(const struct stream *stream);
/* Bytes that wait to be taken by the socket. */
size_t stream_backlog_size(const struct stream *stream);
/*
 * Bytes that were written and the peer has not acknowledged, those in the kernel included where it
 * says so: what falls while a slow peer takes anything. One system call.
 */
size_t stream_untaken(const struct stream *stream);

/*
 * From here on, where the peer lets go of the connection while we write, it is heard out: what it
 * had sent before comes as `bytes`, and only then `failed`. For upstreams, which answer a request
 * early and reset what still comes of it. Nothing is written any more from the failure on.
 */
void stream_hear_out(struct stream *stream);

/*
 * From here on, the system asks now and then whether the peer is still there, so that `failed`
 * comes within minutes where it has vanished without a word. For connections that may be silent for
 * hours.
 */
void stream_probe(struct stream *stream);

void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);

/*
 * Ends the stream. What was gathered this turn is still offered to the socket once; a backlog is
 * dropped. `closed` is called when libuv has let go, and may then free the memory. No event comes
 * after this call.
 */
void stream_close(struct stream *stream, stream_closed_fn closed);
/* As stream_close, but nothing more is sent and a TCP peer gets a reset, so that what it has cannot
 * look whole. */
void stream_reset(struct stream *stream, stream_closed_fn closed);
bool stream_closing(const struct stream *stream);

/* 0, or a libuv error. Unix sockets have no addresses: `*address` is then of family AF_UNIX. */
int stream_peer(const struct stream *stream, struct sockaddr_storage *address);
int stream_local(const struct stream *stream, struct sockaddr_storage *address);

#endif
