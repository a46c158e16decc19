/*
 * Layer: inspector. One job: a chain of codings; see decode.h. The last one named was applied last,
 * so it is undone first; what it gives goes into the one before it.
 */
#include "inspector/decode.h"

#include "base/memory.h"
#include "inspector/decode_stage.h"

enum {
	BETWEEN = 4 * 1024, /* bytes between two stages */
};

struct layer {
	struct decode_stage *stage;
	enum decode_state state;
	uint64_t made;   /* bytes so far */
	char *bytes;     /* where the layer that follows reads from; the last one has none */
	struct slice in; /* what is left of those of the layer before */
};

struct decoder {
	struct layer layers[DECODE_LAYERS_MAX]; /* the first one is undone first */
	size_t count;
};

static const struct decode_stage_ops *find(struct slice coding)
{
	static const struct {
		struct slice name;
		const struct decode_stage_ops *ops;
	} known[] = {
		{SLICE_INIT("gzip"), &decode_gzip},
		{SLICE_INIT("x-gzip"), &decode_gzip},
		{SLICE_INIT("deflate"), &decode_deflate},
		{SLICE_INIT("br"), &decode_brotli},
		{SLICE_INIT("zstd"), &decode_zstd},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (slice_equal_nocase(coding, known[i].name)) {
			return known[i].ops;
		}
	}
	return NULL;
}

static bool is_identity(struct slice coding)
{
	return slice_equal_nocase(coding, SLICE("identity"));
}

bool decode_is_coded(struct slice codings)
{
	struct slice coding;

	while (slice_next_token(&codings, &coding)) {
		if (!is_identity(coding)) {
			return true;
		}
	}
	return false;
}

struct decoder *decoder_create(struct slice codings)
{
	const struct decode_stage_ops *found[DECODE_LAYERS_MAX];
	struct decoder *decoder;
	struct slice coding;
	size_t count = 0;

	while (slice_next_token(&codings, &coding)) {
		const struct decode_stage_ops *ops = find(coding);

		if (is_identity(coding)) {
			continue;
		}
		if (ops == NULL || count == DECODE_LAYERS_MAX) {
			return NULL;
		}
		found[count++] = ops;
	}
	if (count == 0) {
		return NULL;
	}
	decoder = mem_zalloc(sizeof(*decoder));
	decoder->count = count;
	for (size_t i = 0; i < count; i++) {
		struct layer *layer = &decoder->layers[i];

		layer->stage = found[count - 1 - i]->create();
		layer->bytes = i + 1 < count ? mem_alloc(BETWEEN) : NULL;
	}
	return decoder;
}

void decoder_destroy(struct decoder *decoder)
{
	if (decoder == NULL) {
		return;
	}
	for (size_t i = 0; i < decoder->count; i++) {
		decoder->layers[i].stage->ops->destroy(decoder->layers[i].stage);
		mem_free(decoder->layers[i].bytes);
	}
	mem_free(decoder);
}

/* One call of one stage, whose input is `*in`. */
static size_t advance(struct layer *layer, struct slice *in, char *out, size_t room)
{
	size_t made = 0;

	if (room > DECODE_MAX - layer->made) {
		room = (size_t)(DECODE_MAX - layer->made);
	}
	if (room == 0) {
		layer->state = DECODE_TOO_LONG;
		return 0;
	}
	layer->state = layer->stage->ops->next(layer->stage, in, out, room, &made);
	layer->made += made;
	return made;
}

/* What the layers before `i` have for it; true where it changed something. */
static bool feed(struct decoder *decoder, size_t i, struct slice *in)
{
	struct layer *before = &decoder->layers[i - 1];
	struct layer *layer = &decoder->layers[i];
	struct slice *source = i == 1 ? in : &before->in;
	size_t had = source->len;
	enum decode_state was = before->state;
	size_t made;

	if (layer->in.len > 0) {
		return false;
	}
	if (before->state == DECODE_GOES_ON || (before->state == DECODE_WHOLE && source->len > 0)) {
		made = advance(before, source, before->bytes, BETWEEN);
		layer->in = slice_of(before->bytes, made);
		return made > 0 || source->len < had || before->state != was;
	}
	return false;
}

static bool is_over(enum decode_state state)
{
	return state != DECODE_GOES_ON && state != DECODE_WHOLE;
}

/* How it ended, where no layer can go on. `left`: there are bytes that none of them takes. */
static enum decode_state ended(const struct decoder *decoder, bool left)
{
	for (size_t i = 0; i < decoder->count; i++) {
		enum decode_state state = decoder->layers[i].state;

		if (is_over(state)) {
			return state;
		}
		if (state == DECODE_GOES_ON) {
			return left ? DECODE_FOLLOWED : DECODE_CUT;
		}
	}
	return left ? DECODE_FOLLOWED : DECODE_WHOLE;
}

enum decode_state decoder_next(
	struct decoder *decoder, struct slice *in, bool last, struct buffer *out, size_t room)
{
	struct layer *layer = &decoder->layers[decoder->count - 1];
	struct slice *source = decoder->count == 1 ? in : &layer->in;

	for (;;) {
		size_t had = source->len;
		enum decode_state was = layer->state;
		bool moved = false;
		size_t made;

		for (size_t i = decoder->count - 1; i > 0; i--) {
			moved |= feed(decoder, i, in);
		}
		made = advance(layer, source, buffer_reserve(out, room), room);
		out->len += made;
		if (is_over(layer->state)) {
			return layer->state;
		}
		if (made > 0) {
			return DECODE_GOES_ON;
		}
		if (!moved && source->len == had && layer->state == was) {
			break; /* more is needed, or nothing helps */
		}
	}
	return last || in->len > 0 ? ended(decoder, in->len > 0) : DECODE_GOES_ON;
}
