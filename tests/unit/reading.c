#include "tests/unit/reading.h"

#include <assert.h>

#include "tests/unit/guarded.h"

enum {
	ARENA_BOUND = 1024 * 1024,
};

static void forget(struct reading *reading)
{
	arena_reset(&reading->arena);
	buffer_clear(&reading->body);
	reading->err = ERR_INIT;
	reading->taken = 0;
}

/* The next piece of `bytes` behind what was taken. */
static struct slice next_piece(const struct reading *reading, struct slice bytes, size_t step)
{
	size_t left = bytes.len - reading->taken;

	return guarded_copy(
		slice_of(bytes.ptr + reading->taken, step != 0 && step < left ? step : left));
}

void reading_init(struct reading *reading)
{
	*reading = (struct reading){
		.limits = {.bytes = 64 * 1024, .fields = 100, .target = 8192},
	};
	arena_pool_init(&reading->pool, 16);
	arena_init(&reading->arena, &reading->pool, ARENA_BOUND);
}

void reading_fini(struct reading *reading)
{
	arena_reset(&reading->arena);
	arena_pool_fini(&reading->pool);
	buffer_fini(&reading->body);
}

static void read_head(struct reading *reading, enum head_kind kind, struct slice bytes, size_t step)
{
	struct head_reader reader;

	head_reader_init(&reader, kind, &reading->head, &reading->arena, &reading->limits);
	assert(!head_reader_begun(&reader));
	reading->progress = HEAD_MORE;
	while (reading->progress == HEAD_MORE && reading->taken < bytes.len) {
		struct slice piece = next_piece(reading, bytes, step);
		size_t taken;

		reading->progress = head_reader_feed(&reader, piece, &taken, &reading->err);
		assert(taken <= piece.len);
		assert(reading->progress != HEAD_MORE || taken == piece.len);
		reading->taken += taken;
	}
	reading->begun = head_reader_begun(&reader);
}

static void read_body(struct reading *reading, struct slice bytes, size_t step)
{
	struct body_reader reader;
	struct slice piece = SLICE("");
	enum body_progress progress;

	body_reader_init(
		&reader, &reading->framing, &reading->trailers, &reading->arena, &reading->limits);
	do {
		struct slice before = piece;
		struct slice data;

		progress = body_reader_next(&reader, &piece, &data, &reading->err);
		assert(piece.ptr + piece.len == before.ptr + before.len);
		reading->taken += before.len - piece.len;
		if (progress == BODY_DATA) {
			assert(data.len > 0 && data.ptr >= before.ptr);
			assert(data.ptr + data.len <= piece.ptr);
			buffer_append_slice(&reading->body, data);
		}
		if (progress == BODY_MORE) {
			assert(piece.len == 0);
			piece = next_piece(reading, bytes, step);
			if (piece.len == 0) {
				break;
			}
		}
	} while (progress == BODY_MORE || progress == BODY_DATA);
	reading->body_progress = progress;
}

void reading_head(struct reading *reading, enum head_kind kind, struct slice bytes, size_t step)
{
	forget(reading);
	read_head(reading, kind, bytes, step);
}

void reading_body(struct reading *reading, struct slice bytes, size_t step)
{
	forget(reading);
	read_body(reading, bytes, step);
}

void reading_message(struct reading *reading, enum head_kind kind, struct slice bytes, size_t step)
{
	forget(reading);
	read_head(reading, kind, bytes, step);
	if (reading->progress != HEAD_DONE) {
		return;
	}
	if (kind == HEAD_REQUEST) {
		framing_of_request(&reading->head, &reading->framing, &reading->err);
	} else {
		framing_of_response(
			&reading->head, METHOD_GET, false, &reading->framing, &reading->err);
	}
	if (reading->err.code == ERR_NONE) {
		read_body(reading, bytes, step);
	}
}
