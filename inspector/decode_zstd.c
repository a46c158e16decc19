/*
 * Layer: inspector. One job: undo zstd (RFC 8878).
 */
#include <assert.h>
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
	bool ended;   /* with a frame; another one may follow */
	bool between; /* the same, and of what follows the beginning is not known yet */
	size_t taken; /* of that */
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

static enum decode_state next(
	struct decode_stage *stage, struct slice *in, char *out, size_t room, size_t *made)
{
	struct zstd_stage *self = container_of(stage, struct zstd_stage, stage);
	ZSTD_inBuffer input = {.src = in->len > 0 ? in->ptr : "", .size = in->len};
	ZSTD_outBuffer output = {.dst = out, .size = room};
	size_t rc;

	*made = 0;
	if (self->ended && in->len == 0) {
		return DECODE_WHOLE;
	}
	rc = ZSTD_decompressStream(self->stream, &output, &input);
	*in = slice_of(in->ptr + input.pos, in->len - input.pos);
	*made = output.pos;
	if (ZSTD_isError(rc) != 0) {
		return self->between && ZSTD_getErrorCode(rc) == ZSTD_error_prefix_unknown
			       ? DECODE_FOLLOWED
		       : ZSTD_getErrorCode(rc) == ZSTD_error_frameParameter_windowTooLarge
			       ? DECODE_TOO_WIDE
			       : DECODE_BROKEN;
	}
	/* Of what follows a frame up to four bytes are taken before it is known what they are. */
	self->taken = rc == 0 ? 0 : self->taken + input.pos;
	self->between = rc == 0 || (self->between && self->taken < MAGIC_SIZE);
	self->ended = rc == 0;
	return self->ended ? DECODE_WHOLE : DECODE_GOES_ON;
}

const struct decode_stage_ops decode_zstd = {
	.create = create,
	.destroy = destroy,
	.next = next,
};
