/*
 * Layer: base. One job: what a stream writes, from what a turn gathers to what the socket takes;
 * see stream.h.
 */
#include "base/stream_state.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

#include "base/memory.h"
#include "base/socket.h"

enum {
	JOIN_MAX = 1024, /* so few bytes in parts are sooner copied than described to the kernel */
};

/* What the socket did not take of one turn's writes. */
struct backlog {
	uv_write_t request;
	struct stream *stream;
	size_t len;
	char bytes[];
};

/*
 * Writing failed. Where the peer has let go of the connection and is to be heard out, it is reading
 * that tells of the end, behind what the peer had sent before.
 */
static void fail_writing(struct stream *stream, int status)
{
	stream->write_error = status;
	if (!stream->heard_out || (status != UV_EPIPE && status != UV_ECONNRESET)) {
		stream_fail(stream, status);
	}
}

static void on_backlog_written(uv_write_t *request, int status)
{
	struct backlog *backlog = request->data;
	struct stream *stream = backlog->stream;
	struct loop *loop = stream->loop;

	if (status == 0) {
		stream->bytes_written += backlog->len;
	}
	mem_free(backlog);
	stream->writes--;
	if (status < 0) {
		fail_writing(stream, status);
	} else if (stream->writes == 0 && !stream->broken && !stream_closing(stream)) {
		stream->ops->drained(stream);
	}
	loop_settle(loop);
}

/* Copies what is left of the parts from byte `skip` on, and leaves it to libuv. Returns 0 or a
 * libuv error. */
static int write_backlog(struct stream *stream, const struct stream_gather *gather, size_t skip)
{
	size_t len = 0;
	struct backlog *backlog;
	uv_buf_t buf;

	for (const struct stream_gather *part = gather; part != NULL; part = part->next) {
		len += part->len;
	}
	len -= skip;
	backlog = mem_alloc(sizeof(*backlog) + len);
	backlog->stream = stream;
	backlog->len = 0;
	backlog->request.data = backlog;
	for (const struct stream_gather *part = gather; part != NULL; part = part->next) {
		for (unsigned i = 0; i < part->count; i++) {
			const struct iovec *from = &part->parts[i];
			size_t passed = skip < from->iov_len ? skip : from->iov_len;
			size_t rest = from->iov_len - passed;

			skip -= passed;
			memcpy(backlog->bytes + backlog->len, (char *)from->iov_base + passed,
				rest);
			backlog->len += rest;
		}
	}
	buf = uv_buf_init(backlog->bytes, (unsigned)backlog->len);
	stream->writes++;
	int rc = uv_write(&backlog->request, &stream->uv.stream, &buf, 1, on_backlog_written);
	if (rc < 0) {
		stream->writes--;
		mem_free(backlog);
	}
	return rc;
}

/* Offers the gathered parts to the socket. Returns bytes taken, or a libuv error. */
static ssize_t try_parts(struct stream *stream, struct stream_gather *gather, bool *all)
{
	ssize_t taken = 0;

	*all = true;
	for (struct stream_gather *part = gather; part != NULL && *all; part = part->next) {
		ssize_t sent = socket_send(stream->fd, part->parts, part->count);

		if (sent < 0 && errno != EAGAIN && errno != EINTR) {
			return uv_translate_sys_error(errno);
		}
		sent = sent < 0 ? 0 : sent;
		taken += sent;
		*all = (size_t)sent == part->len;
	}
	stream->bytes_written += (uint64_t)taken;
	return taken;
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
	struct stream *stream = request->handle->data;
	struct loop *loop = stream->loop;

	mem_free(request);
	if (status < 0 && status != UV_ECANCELED && status != UV_ENOTCONN) {
		stream_fail(stream, status);
	}
	loop_settle(loop);
}

static void send_shutdown(struct stream *stream)
{
	uv_shutdown_t *request = mem_alloc(sizeof(*request));

	stream->shutdown_sent = true;
	if (uv_shutdown(request, &stream->uv.stream, on_shutdown) < 0) {
		mem_free(request); /* not connected any more: reading tells */
	}
}

/* A head and a small body: one part leaves by sendto(), for which the kernel need not fetch a
 * message header and a vector first. */
static void join_parts(struct stream *stream, struct stream_gather *gather)
{
	char *joined = loop_scratch(stream->loop, gather->len);
	char *at = joined;

	for (unsigned i = 0; i < gather->count; i++) {
		memcpy(at, gather->parts[i].iov_base, gather->parts[i].iov_len);
		at += gather->parts[i].iov_len;
	}
	gather->parts[0] = (struct iovec){.iov_base = joined, .iov_len = gather->len};
	gather->count = 1;
}

/*
 * A head, and a body as it was read: the head is put before the body, over what was read before it.
 * That was its own head, or bytes that have been dealt with: whoever is told of bytes writes them
 * or copies them at once, and what one stream read is written to one other.
 */
static void join_before(struct stream *stream, struct stream_gather *gather)
{
	const struct loop *loop = stream->loop;
	struct iovec *first = &gather->parts[0];
	struct iovec *second = &gather->parts[1];
	char *at = second->iov_base;

	if (at < loop->read_buffer || at >= loop->read_buffer + LOOP_READ_BUFFER_SIZE ||
		(size_t)(at - loop->read_memory) < first->iov_len) {
		return;
	}
	at -= first->iov_len;
	memmove(at, first->iov_base, first->iov_len);
	*first = (struct iovec){.iov_base = at, .iov_len = gather->len};
	gather->count = 1;
}

/* One part is cheaper than two: see join_parts(). */
static void join(struct stream *stream, struct stream_gather *gather)
{
	if (gather->count > 1 && gather->len <= JOIN_MAX) {
		join_parts(stream, gather);
	} else if (gather->count == 2) {
		join_before(stream, gather);
	}
}

void stream_deliver(struct stream *stream, struct stream_gather *gather)
{
	bool first = stream->writes == 0;
	bool all = false; /* in order behind the backlog, where there is one */
	ssize_t taken = 0;
	int rc;

	if (first) {
		taken = try_parts(stream, gather, &all);
	}
	if (taken < 0) {
		fail_writing(stream, (int)taken);
	} else if (!all) {
		rc = write_backlog(stream, gather, (size_t)taken);
		if (rc < 0) {
			fail_writing(stream, rc);
		} else if (first) {
			stream->ops->blocked(stream);
		}
	}
}

void stream_on_flush(struct task *task)
{
	struct stream *stream = container_of(task, struct stream, flush);
	struct stream_gather *gather = stream->gathered;
	bool ends = stream->shutting && !stream->shutdown_sent;

	stream->gathered = NULL;
	if (stream->broken || stream->write_error != 0 || stream_closing(stream)) {
		return;
	}
	if (stream->tls != NULL) {
		gather = stream_encrypt(stream, gather, ends);
	} else if (gather != NULL) {
		join(stream, gather);
	}
	if (stream->write_error != 0) {
		stream_fail(stream, stream->write_error);
	} else if (gather != NULL) {
		stream_deliver(stream, gather);
	}
	if (ends && stream->write_error == 0 && !stream_closing(stream)) {
		send_shutdown(stream);
	}
}

void stream_write_last(struct stream *stream)
{
	struct stream_gather *gather = stream->gathered;
	bool all;

	if (stream->broken || stream->write_error != 0 || stream->writes > 0) {
		return;
	}
	if (stream->tls != NULL) {
		gather = stream_encrypt(stream, gather, true);
	}
	if (gather != NULL) {
		(void)try_parts(stream, gather, &all);
	}
}

static struct stream_gather *new_gather(struct stream *stream)
{
	return stream_gather_init(loop_scratch(stream->loop, sizeof(struct stream_gather)));
}

static bool may_write(const struct stream *stream)
{
	return !stream->broken && stream->write_error == 0 && !stream->shutting &&
	       !stream_closing(stream);
}

void stream_write(struct stream *stream, struct slice bytes)
{
	struct stream_gather *last;

	if (bytes.len == 0 || !may_write(stream)) {
		return;
	}
	if (stream->gathered == NULL) {
		stream->gathered = new_gather(stream);
		loop_flush(stream->loop, &stream->flush);
	}
	last = stream->gathered->last;
	if (last->count > 0) {
		struct iovec *previous = &last->parts[last->count - 1];

		if ((char *)previous->iov_base + previous->iov_len == bytes.ptr) {
			previous->iov_len += bytes.len;
			last->len += bytes.len;
			return;
		}
	}
	if (last->count == GATHER_PARTS) {
		last->next = new_gather(stream);
		last = last->next;
		stream->gathered->last = last;
	}
	/* An iovec has no const; what is written is only read. */
	last->parts[last->count].iov_base = (void *)(uintptr_t)bytes.ptr;
	last->parts[last->count].iov_len = bytes.len;
	last->count++;
	last->len += bytes.len;
}

void stream_shutdown(struct stream *stream)
{
	if (!may_write(stream)) {
		return;
	}
	stream->shutting = true;
	loop_flush(stream->loop, &stream->flush);
}

bool stream_blocked(const struct stream *stream)
{
	return stream->writes > 0;
}

size_t stream_backlog_size(const struct stream *stream)
{
	return uv_stream_get_write_queue_size(&stream->uv.stream);
}

size_t stream_untaken(const struct stream *stream)
{
	size_t queued = stream_backlog_size(stream);
	int in_kernel = 0;
	uv_os_fd_t fd;

#ifdef SIOCOUTQ
	if (uv_fileno(&stream->uv.handle, &fd) == 0 && ioctl(fd, SIOCOUTQ, &in_kernel) == 0 &&
		in_kernel > 0) {
		queued += (size_t)in_kernel;
	}
#else
	(void)fd;
	(void)in_kernel;
#endif
	return queued;
}
