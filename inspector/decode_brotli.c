/*
 * Layer: inspector. One job: undo br (RFC 7932).
 */
#include <assert.h>
#include <brotli/decode.h>

#include "base/list.h"
#include "base/memory.h"
#include "inspector/decode_stage.h"

enum {
	/* The decoder's ring grows by copying: the old and the new one, and its tables. */
	MEMORY_MAX = (1 << DECODE_WINDOW_BITS) + (1 << (DECODE_WINDOW_BITS - 1)) + 1024 * 1024,
};

struct brotli_stage {
	struct decode_stage stage;
	BrotliDecoderState *state;
	size_t allocated;
};

struct block { /* before each piece of memory, so that giving it back counts */
	size_t size;
	max_align_t bytes[];
};

/* A bound, and so the one place where memory may be refused: the decoder fails then. */
static void *allocate(void *context, size_t size)
{
	struct brotli_stage *self = context;
	struct block *block;

	if (size > MEMORY_MAX - self->allocated) {
		return NULL;
	}
	block = mem_alloc(sizeof(*block) + size);
	block->size = size;
	self->allocated += size;
	return block->bytes;
}

static void release(void *context, void *memory)
{
	struct brotli_stage *self = context;

	if (memory != NULL) {
		struct block *block = container_of(memory, struct block, bytes);

		self->allocated -= block->size;
		mem_free(block);
	}
}

static struct decode_stage *create(void)
{
	struct brotli_stage *self = mem_zalloc(sizeof(*self));

	self->stage.ops = &decode_brotli;
	self->state = BrotliDecoderCreateInstance(allocate, release, self);
	assert(self->state != NULL); /* far below the bound */
	return &self->stage;
}

static void destroy(struct decode_stage *stage)
{
	struct brotli_stage *self = container_of(stage, struct brotli_stage, stage);

	BrotliDecoderDestroyInstance(self->state);
	mem_free(self);
}

static enum decode_state why(const BrotliDecoderState *state)
{
	BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(state);

	return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
			       code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES
		       ? DECODE_TOO_WIDE
		       : DECODE_BROKEN;
}

static enum decode_state next(
	struct decode_stage *stage, struct slice *in, char *out, size_t room, size_t *made)
{
	struct brotli_stage *self = container_of(stage, struct brotli_stage, stage);
	const uint8_t *next_in = (const uint8_t *)in->ptr;
	uint8_t *next_out = (uint8_t *)out;
	size_t left = room;
	BrotliDecoderResult result;

	*made = 0;
	if (BrotliDecoderIsFinished(self->state)) {
		return in->len == 0 ? DECODE_WHOLE : DECODE_FOLLOWED;
	}
	result = BrotliDecoderDecompressStream(
		self->state, &in->len, &next_in, &left, &next_out, NULL);
	in->ptr = (const char *)next_in;
	*made = room - left;
	switch (result) {
	case BROTLI_DECODER_RESULT_SUCCESS:
		return DECODE_WHOLE;
	case BROTLI_DECODER_RESULT_ERROR:
		return why(self->state);
	default:
		return DECODE_GOES_ON;
	}
}

const struct decode_stage_ops decode_brotli = {
	.create = create,
	.destroy = destroy,
	.next = next,
};
