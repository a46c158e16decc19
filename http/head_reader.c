/*
 * Layer: http (sees base). One job: take a head's bytes as they arrive: where they lie if the head
 * comes in one piece, else held in the arena until it is whole. What they mean, http/head_section.c
 * says.
 */
#include "http/head_reader.h"

#include <assert.h>

#include "http/head_section.h"

enum {
	HELD_MIN = 1024,
};

/*
 * Passes over an empty line before a request. Returns how many bytes it took; `*failed` where a CR
 * stands alone.
 */
static size_t skip_empty_line(struct head_reader *reader, struct slice in, bool *failed)
{
	size_t at = 0;

	*failed = false;
	if (at < in.len && reader->skipped == 0 && in.ptr[at] == '\r') {
		reader->skipped++;
		at++;
	}
	if (at < in.len && reader->skipped == 1) {
		if (in.ptr[at] != '\n') {
			*failed = true;
			return at;
		}
		reader->skipped++;
		at++;
	}
	if (at < in.len) {
		head_section_begin(reader, PHASE_METHOD, 0);
	}
	return at;
}

/* What of the limit is left for the section. */
static uint32_t room_left(const struct head_reader *reader)
{
	return reader->limits.bytes - reader->skipped - reader->held_len;
}

static bool hold(struct head_reader *reader, const char *bytes, uint32_t len)
{
	uint32_t wanted = reader->held_len + len;

	if (wanted > reader->held_capacity) {
		uint32_t capacity = wanted < HELD_MIN / 2 ? HELD_MIN : wanted * 2;
		char *moved;

		if (capacity > reader->limits.bytes) {
			capacity = reader->limits.bytes;
		}
		moved = arena_grow(reader->arena, reader->held, reader->held_len, capacity);
		if (moved == NULL) {
			return false;
		}
		reader->held = moved;
		reader->held_capacity = capacity;
	}
	memcpy(reader->held + reader->held_len, bytes, len);
	reader->held_len = wanted;
	return true;
}

/* The section is whole, and its bytes lie where they stay. */
static void finish(struct head_reader *reader, const char *bytes)
{
	struct head *head = reader->head;

	head->bytes = bytes;
	head->size = reader->scanned;
	if (reader->kind == HEAD_REQUEST) {
		head->method_name = slice_of(bytes, reader->method_len);
		head->method = (uint8_t)method_identify(head->method_name);
		head->target = slice_of(bytes + reader->target_at, reader->target_len);
	} else if (reader->kind == HEAD_RESPONSE) {
		head->reason = slice_of(bytes + reader->reason_at, reader->reason_len);
	}
}

/* The usual case: nothing is held, and the section may be whole in `in`. */
static enum step feed_fresh(
	struct head_reader *reader, struct slice in, size_t *taken, struct err *err)
{
	uint32_t room = room_left(reader);
	struct view view = {.bytes = in.ptr, .len = in.len < room ? (uint32_t)in.len : room};
	enum step step = head_section_read(reader, view, err);

	if (step == STEP_DONE) {
		struct slice kept;

		if (!arena_dup(reader->arena, slice_of(in.ptr, reader->scanned), &kept)) {
			return head_section_fail_limit(reader, err);
		}
		*taken = reader->scanned;
		finish(reader, kept.ptr);
	} else if (step == STEP_MORE) {
		if (view.len == room || !hold(reader, in.ptr, view.len)) {
			return head_section_fail_limit(reader, err);
		}
		*taken = view.len;
	}
	return step;
}

/* Takes line by line, so that nothing behind the section is copied. */
static enum step feed_held(
	struct head_reader *reader, struct slice in, size_t *taken, struct err *err)
{
	enum step step = STEP_MORE;

	while (step == STEP_MORE && *taken < in.len) {
		const char *from = in.ptr + *taken;
		uint32_t room = room_left(reader);
		size_t left = in.len - *taken;
		uint32_t len = left < room ? (uint32_t)left : room;
		const char *line_end = memchr(from, '\n', len);

		if (line_end != NULL) {
			len = (uint32_t)(line_end - from) + 1;
		}
		if (!hold(reader, from, len)) {
			return head_section_fail_limit(reader, err);
		}
		*taken += len;
		step = head_section_read(
			reader, (struct view){.bytes = reader->held, .len = reader->held_len}, err);
		if (step == STEP_MORE && len == room) {
			return head_section_fail_limit(reader, err);
		}
	}
	if (step == STEP_DONE) {
		finish(reader, reader->held);
	}
	return step;
}

void head_reader_init(struct head_reader *reader, enum head_kind kind, struct head *head,
	struct arena *arena, const struct head_limits *limits)
{
	static const enum phase begins[] = {
		[HEAD_REQUEST] = PHASE_BEFORE,
		[HEAD_RESPONSE] = PHASE_ANSWER_VERSION,
		[HEAD_TRAILERS] = PHASE_FIELDS,
	};

	assert(limits->bytes >= 4 && limits->bytes <= HEAD_BYTES_MAX);
	*head = (struct head){.bytes = NULL};
	*reader = (struct head_reader){
		.head = head,
		.arena = arena,
		.limits = *limits,
		.kind = kind,
		.phase = (uint8_t)begins[kind],
	};
}

enum head_progress head_reader_feed(
	struct head_reader *reader, struct slice in, size_t *taken, struct err *err)
{
	size_t used = 0;
	enum step step;

	*taken = 0;
	if (in.len == 0) {
		return HEAD_MORE;
	}
	if (reader->phase == PHASE_BEFORE) {
		bool failed;
		size_t skipped = skip_empty_line(reader, in, &failed);

		if (failed) {
			head_section_fail_byte(err, "the method", '\r');
			return HEAD_FAILED;
		}
		*taken = skipped;
		in = slice_of(in.ptr + skipped, in.len - skipped);
		if (in.len == 0) {
			return HEAD_MORE;
		}
	}
	step = reader->held == NULL ? feed_fresh(reader, in, &used, err)
				    : feed_held(reader, in, &used, err);
	*taken += used;
	return step == STEP_DONE ? HEAD_DONE : step == STEP_FAILED ? HEAD_FAILED : HEAD_MORE;
}

bool head_reader_begun(const struct head_reader *reader)
{
	return reader->held_len > 0 || reader->phase == PHASE_DONE;
}
