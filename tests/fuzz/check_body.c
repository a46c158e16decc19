/*
 * The first byte of the input chooses the framing and how narrow the limits are; the rest is the
 * body.
 */
#include "tests/fuzz/check.h"
#include "tests/fuzz/expect.h"
#include "tests/unit/reading.h"

static const size_t steps[] = {1, 2, 7, 50};

enum {
	STEPS = sizeof(steps) / sizeof(steps[0]),
};

static void expect_same(const struct reading *a, const struct reading *b)
{
	EXPECT(a->body_progress == b->body_progress);
	EXPECT(a->err.code == b->err.code);
	if (a->body_progress == BODY_FAILED) {
		return; /* how much was handed out before is the cut's affair */
	}
	EXPECT(a->taken == b->taken);
	EXPECT(slice_equal(buffer_slice(&a->body), buffer_slice(&b->body)));
	if (a->framing.kind == FRAMING_CHUNKED && a->body_progress == BODY_END) {
		EXPECT(slice_equal(slice_of(a->trailers.bytes, a->trailers.size),
			slice_of(b->trailers.bytes, b->trailers.size)));
		EXPECT(a->trailers.count == b->trailers.count);
	}
}

void check_body(struct slice input)
{
	static const enum framing_kind kinds[] = {
		FRAMING_CHUNKED, FRAMING_LENGTH, FRAMING_CLOSE, FRAMING_NONE};
	struct reading whole;
	struct reading cut;
	unsigned choice;

	if (input.len == 0 || input.len > 60000) {
		return;
	}
	choice = (unsigned char)input.ptr[0];
	input = slice_of(input.ptr + 1, input.len - 1);
	reading_init(&whole);
	reading_init(&cut);
	whole.framing.kind = kinds[choice % 4];
	whole.framing.length = choice;
	if (choice / 4 % 2 == 1) {
		whole.limits = (struct head_limits){.bytes = 40, .fields = 2, .target = 20};
	}
	cut.framing = whole.framing;
	cut.limits = whole.limits;
	reading_body(&whole, input, 0);
	EXPECT(whole.body.len <= input.len);
	for (size_t i = 0; i < STEPS; i++) {
		reading_body(&cut, input, steps[i]);
		expect_same(&whole, &cut);
	}
	reading_fini(&whole);
	reading_fini(&cut);
}
