/*
 * Layer: inspector. One job: undo zstd (RFC 8878).
 */
#include <assert.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/list.h"
#include "base/memory.h"
#include "inspector/decode_stage.h"

enum {
	MAGIC_SIZE = 4, /* of a frame */
};

struct zstd_stage {
	struct decode_stage stage;
	ZSTD_DStream *stream;
	bool ended; /* a frame; another one may follow */
	size_t magic_len;
	char magic[MAGIC_SIZE]; /* of the frame that begins */
};

static struct decode_stage *create(void)
{
	struct zstd_stage *self = mem_zalloc(sizeof(*self));

	self->stage.ops = &decode_zstd;
	self->stream = ZSTD_createDStream();
	assert(self->stream != NULL); /* a library short of memory counts as the heap */
	(void)ZSTD_DCtx_setParameter(self->stream, ZSTD_d_windowLogMax, DECODE_WINDOW_BITS);
	return &self->stage;
}

static void destroy(struct decode_stage *stage)
{
	struct zstd_stage *self = container_of(stage, struct zstd_stage, stage);

	(void)ZSTD_freeDStream(self->stream);
	mem_free(self);
}

/* Whether a frame, or one that is to be skipped, may begin so. The library also takes what versions
 * before the standard wrote: nobody sends that. */
static bool may_begin(const char *magic, size_t len)
{
	static const char frame[] = "\x28\xb5\x2f\xfd";
	static const char skipped[] = "\x2a\x4d\x18"; /* behind 0x50 to 0x5f */

	return memcmp(magic, frame, len) == 0 || (((unsigned char)magic[0] & 0xf0) == 0x50 &&
							 memcmp(magic + 1, skipped, len - 1) == 0);
}

static enum decode_state decompress(
	struct zstd_stage *self, struct slice *in, char *out, size_t room, size_t *made)
{
	ZSTD_inBuffer input = {.src = in->len > 0 ? in->ptr : "", .size = in->len};
	ZSTD_outBuffer output = {.dst = out, .size = room};
	size_t rc = ZSTD_decompressStream(self->stream, &output, &input);

	decode_took(in, input.pos);
	*made = output.pos;
	if (ZSTD_isError(rc) != 0) {
		return ZSTD_getErrorCode(rc) == ZSTD_error_frameParameter_windowTooLarge
			       ? DECODE_TOO_WIDE
			       : DECODE_BROKEN;
	}
	if (rc > 0) {
		return DECODE_GOES_ON;
	}
	self->ended = true;
	self->magic_len = 0;
	return DECODE_WHOLE;
}

static enum decode_state next(
	struct decode_stage *stage, struct slice *in, char *out, size_t room, size_t *made)
{
	struct zstd_stage *self = container_of(stage, struct zstd_stage, stage);
	struct slice magic = slice_of(self->magic, MAGIC_SIZE);

	*made = 0;
	if (self->magic_len == MAGIC_SIZE) {
		return decompress(self, in, out, room, made);
	}
	if (self->ended && self->magic_len == 0 && in->len == 0) {
		return DECODE_WHOLE;
	}
	while (self->magic_len < MAGIC_SIZE && in->len > 0) {
		self->magic[self->magic_len++] = in->ptr[0];
		decode_took(in, 1);
		if (!may_begin(self->magic, self->magic_len)) {
			return self->ended ? DECODE_FOLLOWED : DECODE_BROKEN;
		}
	}
	return self->magic_len < MAGIC_SIZE ? DECODE_GOES_ON
					    : decompress(self, &magic, out, room, made);
}

const struct decode_stage_ops decode_zstd = {
	.create = create,
	.destroy = destroy,
	.next = next,
};
