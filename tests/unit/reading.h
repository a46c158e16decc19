/*
 * For tests of the http floor: reads heads and whole messages from bytes that arrive in pieces of a
 * given size, each of which ends at an unreadable page.
 */
#ifndef SIGHTGLASS_TESTS_READING_H
#define SIGHTGLASS_TESTS_READING_H

#include "base/arena.h"
#include "base/buffer.h"
#include "http/body_reader.h"
#include "http/framing.h"
#include "http/head_reader.h"

struct reading {
	struct arena_pool pool;
	struct arena arena;
	struct head_limits limits;
	struct err err;
	size_t taken; /* bytes that belong to what was read */
	/* of reading_head */
	struct head head;
	enum head_progress progress;
	bool begun;
	/* of reading_message, beside the head */
	struct framing framing;
	struct head trailers;
	struct buffer body;
	enum body_progress body_progress;
};

/* Limits of 64 KiB, 100 fields, and targets of 8 KiB; a test may change them. */
void reading_init(struct reading *reading);
void reading_fini(struct reading *reading);

/*
 * Feeds `bytes`, `step` at a time (0: all at once), until the head is whole, refused, or the bytes
 * are at their end.
 */
void reading_head(struct reading *reading, enum head_kind kind, struct slice bytes, size_t step);
/* The body alone, under `reading->framing`. */
void reading_body(struct reading *reading, struct slice bytes, size_t step);
/*
 * A head, its framing, and its body. Of an answer it is one to a GET. `err.code` says what was
 * refused; where nothing was, body_progress says whether the message is whole, provided that the
 * head was.
 */
void reading_message(struct reading *reading, enum head_kind kind, struct slice bytes, size_t step);

#endif
