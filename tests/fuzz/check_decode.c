/*
 * The first byte of the input chooses the codings; the rest is coded.
 */
#include <string.h>

#include "inspector/decode.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/expect.h"
#include "tests/unit/guarded.h"

static const char *const codings[] = {
	"gzip", "deflate", "br", "zstd", "gzip, gzip", "zstd, br", "br, deflate", "gzip, zstd, br"};

static const size_t steps[] = {1, 7, 4096};

enum {
	CODINGS = sizeof(codings) / sizeof(codings[0]),
	STEPS = sizeof(steps) / sizeof(steps[0]),
	ROOM = 1000,
};

static enum decode_state decode(
	const char *names, struct slice data, size_t step, struct buffer *out)
{
	struct decoder *decoder = decoder_create(slice_str(names));
	enum decode_state state = DECODE_GOES_ON;

	while (state == DECODE_GOES_ON) {
		size_t len = step < data.len ? step : data.len;
		struct slice in = guarded_copy(slice_of(data.ptr, len));
		size_t before = out->len;

		state = decoder_next(decoder, &in, len == data.len, out, ROOM);
		EXPECT(out->len - before <= ROOM && out->len <= DECODE_MAX);
		EXPECT(in.len < len || out->len > before || state != DECODE_GOES_ON);
		data = slice_of(data.ptr + (len - in.len), data.len - (len - in.len));
	}
	decoder_destroy(decoder);
	return state;
}

void check_decode(struct slice input)
{
	struct buffer whole = BUFFER_INIT;
	const char *names;
	enum decode_state state;

	if (input.len == 0) {
		return;
	}
	names = codings[(unsigned char)input.ptr[0] % CODINGS];
	input = slice_of(input.ptr + 1, input.len - 1);
	state = decode(names, input, input.len + 1, &whole);
	for (size_t i = 0; i < STEPS; i++) {
		struct buffer out = BUFFER_INIT;
		enum decode_state other = decode(names, input, steps[i], &out);

		/* How much of what is broken came out before that was seen is the cut's affair. */
		if (state == DECODE_WHOLE || state == DECODE_FOLLOWED) {
			EXPECT(other == state);
			EXPECT(slice_equal(buffer_slice(&out), buffer_slice(&whole)));
		} else {
			size_t len = out.len < whole.len ? out.len : whole.len;

			EXPECT(other != DECODE_WHOLE);
			EXPECT(len == 0 || memcmp(out.ptr, whole.ptr, len) == 0);
		}
		buffer_fini(&out);
	}
	buffer_fini(&whole);
}
