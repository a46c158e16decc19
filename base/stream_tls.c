/*
 * Layer: base. One job: a stream whose bytes are TLS records; see stream.h. Records come out of the
 * loop's read buffer and go out of its buffer for records, each by one system call for all of a
 * turn, and a connection that is idle holds none of either.
 */
#include "base/stream_state.h"

#include <assert.h>

#include "base/memory.h"
#include "base/tls.h"

enum err_code stream_secure(struct stream *stream, struct tls *tls, struct err *err)
{
	struct buffer opening = BUFFER_INIT;
	enum err_code code;

	stream->tls = tls;
	code = tls_start(tls, &opening, err);
	if (opening.len > 0) {
		char *copy = loop_scratch(stream->loop, opening.len);

		memcpy(copy, opening.ptr, opening.len);
		stream_write(stream, slice_of(copy, opening.len));
	}
	buffer_fini(&opening);
	return code;
}

void stream_unsecure(struct stream *stream)
{
	assert(tls_heard_instead(stream->tls) >= 0);
	tls_close(stream->tls);
	stream->tls = NULL;
	stream->broken = false;
}

const struct err *stream_failure(const struct stream *stream)
{
	return stream->tls == NULL ? NULL : tls_failure_of(stream->tls);
}

const struct tls *stream_tls(const struct stream *stream)
{
	return stream->tls;
}

/* --- writing */

static void put_records(struct stream_gather *gather, const struct buffer *records)
{
	(void)stream_gather_init(gather);
	gather->parts[0] = (struct iovec){.iov_base = records->ptr, .iov_len = records->len};
	gather->count = 1;
	gather->len = records->len;
}

/* Adds the records of all parts. False where the session is broken. */
static bool encrypt_parts(
	struct stream *stream, const struct stream_gather *gather, struct buffer *records)
{
	struct err err;

	for (; gather != NULL; gather = gather->next) {
		if (tls_send(stream->tls, gather->parts, gather->count, records, &err) !=
			ERR_NONE) {
			return false;
		}
	}
	return true;
}

struct stream_gather *stream_encrypt(struct stream *stream, struct stream_gather *gather, bool last)
{
	struct buffer *records = &stream->loop->records;

	if (!tls_established(stream->tls)) {
		return gather; /* the handshake's first message, if anything */
	}
	buffer_clear(records);
	if (!encrypt_parts(stream, gather, records)) {
		stream->write_error = UV_EPROTO;
		return NULL;
	}
	if (last) {
		tls_send_close(stream->tls, records);
	}
	if (records->len == 0) {
		return NULL;
	}
	if (gather == NULL) {
		gather = loop_scratch(stream->loop, sizeof(*gather));
	}
	put_records(gather, records);
	return gather;
}

/* --- reading */

/* What TLS itself has to say leaves at once: before what the owner writes about it. */
static void reply(struct stream *stream)
{
	struct stream_gather gather;

	if (stream->loop->records.len > 0 && stream->write_error == 0) {
		put_records(&gather, &stream->loop->records);
		stream_deliver(stream, &gather);
	}
}

/* Whether there is somebody to tell: each event may have closed the stream. */
static bool heard(const struct stream *stream)
{
	return !stream->broken && !stream_closing(stream);
}

void stream_receive_records(struct stream *stream, struct slice records)
{
	struct loop *loop = stream->loop;
	struct tls_received got;
	struct err err;
	enum err_code code;

	if (loop->text == NULL) {
		loop->text = mem_alloc(tls_receive_room(LOOP_READ_BUFFER_SIZE));
	}
	buffer_clear(&loop->records);
	code = tls_receive(stream->tls, records, loop->text, tls_receive_room(records.len), &got,
		&loop->records, &err);
	reply(stream);
	if (got.established && heard(stream)) {
		stream->ops->secured(stream);
	}
	if (got.len > 0 && heard(stream)) {
		stream->ops->bytes(stream, slice_of(loop->text, got.len));
	}
	if (code != ERR_NONE) {
		stream_pause(stream);
		stream_fail(stream, UV_EPROTO);
	} else if (got.closed && heard(stream)) {
		stream_pause(stream); /* what follows counts for nothing */
		stream->ops->eof(stream);
	}
}
