/*
 * Layer: inspector. One job: undo gzip (RFC 1952) and deflate, which is zlib's format (RFC 1950) to
 * the standard and raw deflate (RFC 1951) to some who send it.
 */
#include <assert.h>
#include <limits.h>
#include <zlib.h>

#include "base/list.h"
#include "base/memory.h"
#include "inspector/decode_stage.h"

enum {
	GZIP_BITS = 16 + MAX_WBITS, /* inflateInit2(): a gzip header, any window */
	HEAD_SIZE = 2,
};

struct zlib_stage {
	struct decode_stage stage;
	z_stream stream;
	bool begun;
	bool ended;
	unsigned char head[HEAD_SIZE]; /* of deflate: tells which of the two it is */
	size_t head_len;
};

static struct zlib_stage *of_stage(struct decode_stage *stage)
{
	return container_of(stage, struct zlib_stage, stage);
}

static voidpf allocate(voidpf context, uInt count, uInt size)
{
	(void)context;
	return mem_alloc_array(count, size);
}

static void release(voidpf context, voidpf memory)
{
	(void)context;
	mem_free(memory);
}

static struct decode_stage *create(const struct decode_stage_ops *ops)
{
	struct zlib_stage *self = mem_zalloc(sizeof(*self));

	self->stage.ops = ops;
	self->stream.zalloc = allocate;
	self->stream.zfree = release;
	return &self->stage;
}

static struct decode_stage *create_gzip(void)
{
	return create(&decode_gzip);
}

static struct decode_stage *create_deflate(void)
{
	return create(&decode_deflate);
}

static void destroy(struct decode_stage *stage)
{
	struct zlib_stage *self = of_stage(stage);

	if (self->begun) {
		(void)inflateEnd(&self->stream);
	}
	mem_free(self);
}

static void begin(struct zlib_stage *self, int bits)
{
	int rc = inflateInit2(&self->stream, bits);

	assert(rc == Z_OK); /* the heap aborts, and the rest is ours */
	self->begun = true;
}

/* RFC 1950: method 8, a window of 32 KiB at most, and a check sum over the two bytes. */
static bool is_zlib(const unsigned char head[static HEAD_SIZE])
{
	return (head[0] & 0x0f) == 8 && head[0] >> 4 <= 7 && (head[0] << 8 | head[1]) % 31 == 0;
}

static enum decode_state inflate_some(
	struct zlib_stage *self, struct slice *in, char *out, size_t room, size_t *made)
{
	z_stream *stream = &self->stream;
	uInt given = in->len < UINT_MAX ? (uInt)in->len : UINT_MAX;
	int rc;

	stream->next_in = (z_const Bytef *)(uintptr_t)(in->len > 0 ? in->ptr : "");
	stream->avail_in = given;
	stream->next_out = (Bytef *)out;
	stream->avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
	rc = inflate(stream, Z_NO_FLUSH);
	*made = (size_t)((char *)stream->next_out - out);
	decode_took(in, given - stream->avail_in);
	switch (rc) {
	case Z_STREAM_END:
		self->ended = true;
		return DECODE_WHOLE;
	case Z_OK:
	case Z_BUF_ERROR:
		return DECODE_GOES_ON;
	default:
		return DECODE_BROKEN;
	}
}

/* Several files in one are one file (RFC 1952 section 2.2). */
static enum decode_state next_gzip(
	struct decode_stage *stage, struct slice *in, char *out, size_t room, size_t *made)
{
	struct zlib_stage *self = of_stage(stage);

	*made = 0;
	if (!self->begun) {
		begin(self, GZIP_BITS);
	}
	if (self->ended) {
		if (in->len == 0) {
			return DECODE_WHOLE;
		}
		if ((unsigned char)in->ptr[0] != 0x1f) {
			return DECODE_FOLLOWED;
		}
		(void)inflateReset(&self->stream);
		self->ended = false;
	}
	return inflate_some(self, in, out, room, made);
}

static enum decode_state next_deflate(
	struct decode_stage *stage, struct slice *in, char *out, size_t room, size_t *made)
{
	struct zlib_stage *self = of_stage(stage);
	struct slice head;
	enum decode_state state;

	*made = 0;
	if (self->ended) {
		return in->len == 0 ? DECODE_WHOLE : DECODE_FOLLOWED;
	}
	if (self->begun) {
		return inflate_some(self, in, out, room, made);
	}
	while (self->head_len < HEAD_SIZE && in->len > 0) {
		self->head[self->head_len++] = (unsigned char)in->ptr[0];
		*in = slice_of(in->ptr + 1, in->len - 1);
	}
	if (self->head_len < HEAD_SIZE) {
		return DECODE_GOES_ON;
	}
	begin(self, is_zlib(self->head) ? MAX_WBITS : -MAX_WBITS);
	head = slice_of((const char *)self->head, HEAD_SIZE);
	state = inflate_some(self, &head, out, room, made);
	/* Two bytes hold no more than fits anywhere; what an end leaves over is too much. */
	return state == DECODE_WHOLE && head.len > 0 ? DECODE_FOLLOWED : state;
}

const struct decode_stage_ops decode_gzip = {
	.create = create_gzip,
	.destroy = destroy,
	.next = next_gzip,
};

const struct decode_stage_ops decode_deflate = {
	.create = create_deflate,
	.destroy = destroy,
	.next = next_deflate,
};
