/*
 * Layer: base. One job: a connected byte stream over TCP or a unix socket; see stream.h.
 */
#include "base/stream.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "base/socket.h"
#include "base/stream_state.h"
#include "base/tls.h"

enum {
	PROBE_AFTER_S = 60,
};

void stream_fail(struct stream *stream, int status)
{
	if (!stream->broken && !stream_closing(stream)) {
		stream->broken = true;
		stream->ops->failed(stream, status);
	}
}

/*
 * libuv asks for a buffer where there is something to read. We read then, and hand it none: what
 * has come waits for on_read(), which libuv calls next, with UV_ENOBUFS, and from which the stream
 * may be paused and closed.
 */
static void on_readable(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct stream *stream = handle->data;
	size_t room = stream->filled ? LOOP_READ_ON_SIZE : LOOP_READ_BUFFER_SIZE;

	(void)suggested;
	if (stream->tls != NULL) {
		room = tls_read_size(stream->tls, room);
	}
	stream->received = socket_receive(stream->fd, stream->loop->read_buffer, room);
	stream->filled = stream->received == (ssize_t)room;
	if (stream->received < 0) {
		stream->received = uv_translate_sys_error(errno);
	}
	*buf = uv_buf_init(NULL, 0);
}

/* The system tells of a reset once: after a write has heard of it, reading meets an end. */
static void on_end(struct stream *stream, int error)
{
	if (error == 0) {
		error = stream->write_error;
	}
	if (error == 0 && stream->tls != NULL && !tls_closed(stream->tls)) {
		error = UV_EOF;
	}
	stream_pause(stream); /* it would be told of again and again */
	if (error == 0) {
		stream->ops->eof(stream);
	} else {
		stream_fail(stream, error);
	}
}

static void on_read(uv_stream_t *handle, ssize_t status, const uv_buf_t *buf)
{
	struct stream *stream = handle->data;
	struct loop *loop = stream->loop;
	ssize_t received = status == UV_ENOBUFS ? stream->received : status;

	(void)buf;
	if (received == UV_EAGAIN || received == UV_EINTR) {
		return; /* nothing was there after all */
	}
	if (received > 0) {
		struct slice bytes = slice_of(loop->read_buffer, (size_t)received);

		stream->bytes_read += bytes.len;
		if (stream->tls == NULL) {
			stream->ops->bytes(stream, bytes);
		} else {
			stream_receive_records(stream, bytes);
		}
	} else {
		on_end(stream, (int)received);
	}
	loop_settle(loop); /* `stream` may be closing by now, but its memory stands until a later
			      callback */
}

static void start_reading(struct stream *stream)
{
	if (!stream->reading) {
		int rc = uv_read_start(&stream->uv.stream, on_readable, on_read);

		/* Fails only on a stream that is closing or has ended, where there is nothing to
		 * read. */
		stream->reading = rc == 0;
	}
}

static void open_stream(
	struct stream *stream, struct loop *loop, const struct stream_ops *ops, bool is_unix)
{
	*stream = (struct stream){.ops = ops, .loop = loop, .fd = -1, .is_unix = is_unix};
	task_init(&stream->flush, stream_on_flush);
	if (is_unix) {
		(void)uv_pipe_init(
			&loop->uv, &stream->uv.pipe, 0); /* makes no socket yet: cannot fail */
	} else {
		(void)uv_tcp_init(&loop->uv, &stream->uv.tcp);
	}
	stream->uv.handle.data = stream;
}

int stream_accept(struct stream *stream, struct loop *loop, const struct stream_ops *ops,
	uv_stream_t *listener, bool is_unix)
{
	int rc;

	open_stream(stream, loop, ops, is_unix);
	rc = uv_accept(listener, &stream->uv.stream);
	if (rc < 0) {
		return rc;
	}
	(void)uv_fileno(&stream->uv.handle, &stream->fd); /* it has one now */
	if (!is_unix) {
		(void)uv_tcp_nodelay(&stream->uv.tcp, 1); /* only a matter of speed */
	}
	start_reading(stream);
	return 0;
}

static void on_connected(uv_connect_t *request, int status)
{
	struct stream *stream = request->handle->data;
	struct loop *loop = stream->loop;

	mem_free(request);
	if (!stream_closing(stream)) {
		if (status == 0) {
			(void)uv_fileno(&stream->uv.handle, &stream->fd);
			if (!stream->is_unix) {
				(void)uv_tcp_nodelay(&stream->uv.tcp, 1);
			}
			start_reading(stream);
		}
		stream->ops->connected(stream, status);
	}
	loop_settle(loop);
}

int stream_connect_tcp(struct stream *stream, struct loop *loop, const struct stream_ops *ops,
	const struct sockaddr *address)
{
	uv_connect_t *request = mem_alloc(sizeof(*request));
	int rc;

	open_stream(stream, loop, ops, false);
	rc = uv_tcp_connect(request, &stream->uv.tcp, address, on_connected);
	if (rc < 0) {
		mem_free(request);
	}
	return rc;
}

int stream_connect_unix(
	struct stream *stream, struct loop *loop, const struct stream_ops *ops, const char *path)
{
	uv_connect_t *request = mem_alloc(sizeof(*request));

	open_stream(stream, loop, ops, true);
	uv_pipe_connect(request, &stream->uv.pipe, path, on_connected);
	return 0;
}

void stream_hear_out(struct stream *stream)
{
	stream->heard_out = true;
}

void stream_probe(struct stream *stream)
{
	if (!stream->is_unix) { /* whose peer cannot vanish */
		(void)uv_tcp_keepalive(&stream->uv.tcp, 1, PROBE_AFTER_S);
	}
}

void stream_pause(struct stream *stream)
{
	if (stream->reading) {
		stream->reading = false;
		(void)uv_read_stop(&stream->uv.stream);
	}
}

void stream_resume(struct stream *stream)
{
	if (!stream->broken && !stream_closing(stream)) {
		start_reading(stream);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct stream *stream = handle->data;
	struct loop *loop = stream->loop;

	tls_close(stream->tls);
	stream->tls = NULL;
	if (stream->closed != NULL) {
		stream->closed(stream); /* may free it */
	}
	loop_settle(loop);
}

static void close_handle(struct stream *stream, stream_closed_fn closed)
{
	task_cancel(&stream->flush);
	stream->gathered = NULL;
	stream->reading = false;
	stream->closed = closed;
	uv_close(&stream->uv.handle, on_closed);
}

void stream_close(struct stream *stream, stream_closed_fn closed)
{
	assert(!stream_closing(stream));
	stream_write_last(stream);
	close_handle(stream, closed);
}

void stream_reset(struct stream *stream, stream_closed_fn closed)
{
	uv_os_fd_t fd;

	assert(!stream_closing(stream));
	if (!stream->is_unix && uv_fileno(&stream->uv.handle, &fd) == 0) {
		const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	}
	close_handle(stream, closed);
}

bool stream_closing(const struct stream *stream)
{
	return uv_is_closing(&stream->uv.handle) != 0;
}

static int address_of(const struct stream *stream, struct sockaddr_storage *address,
	int (*get)(const uv_tcp_t *, struct sockaddr *, int *))
{
	int len = (int)sizeof(*address);

	*address = (struct sockaddr_storage){.ss_family = AF_UNIX};
	if (stream->is_unix) {
		return 0;
	}
	return get(&stream->uv.tcp, (struct sockaddr *)address, &len);
}

int stream_peer(const struct stream *stream, struct sockaddr_storage *address)
{
	return address_of(stream, address, uv_tcp_getpeername);
}

int stream_local(const struct stream *stream, struct sockaddr_storage *address)
{
	return address_of(stream, address, uv_tcp_getsockname);
}
