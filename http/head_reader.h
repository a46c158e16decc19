/*
 * Layer: http (sees base). One job: turn arriving bytes into a struct head, by one strict reading
 * of RFC 9112: lines end in CRLF, names are tokens, no folding, no NUL, no bare CR or LF, no space
 * before the colon, no empty name, versions 1.0 and 1.1. What is refused, is refused as soon as its
 * line is whole, or as soon as the beginning of a start line can no longer become valid.
 *
 * A head that arrives in one read is parsed where it lies and copied once, into the arena. Feeding
 * it byte by byte gives the same result at the same total cost but for that copy.
 */
#ifndef SIGHTGLASS_HTTP_HEAD_READER_H
#define SIGHTGLASS_HTTP_HEAD_READER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "http/head.h"

enum head_kind {
	HEAD_REQUEST,
	HEAD_RESPONSE,
	HEAD_TRAILERS,
};

struct head_limits {
	uint32_t bytes;  /* a whole section; HEAD_BYTES_MIN to HEAD_BYTES_MAX */
	uint16_t fields; /* how many */
	uint32_t target; /* the request target: above it ERR_TARGET_TOO_LONG */
};

enum {
	HEAD_BYTES_MIN = 4,
	HEAD_BYTES_MAX = 1 << 20,
};

enum head_progress {
	HEAD_MORE, /* all bytes are taken, the section goes on */
	HEAD_DONE,
	HEAD_FAILED, /* `err` says why; feed nothing more */
};

/* Offsets count from the section's first byte, which is not of an empty line before it. */
struct head_reader {
	struct head *head;
	struct arena *arena;
	struct head_limits limits;
	enum head_kind kind;
	uint8_t phase;   /* what the next byte belongs to */
	uint8_t skipped; /* bytes of an empty line before the section */
	uint16_t field_capacity;
	char *held; /* the section so far, in the arena, where it did not come in one piece */
	uint32_t held_len;
	uint32_t held_capacity;
	uint32_t scanned; /* up to here nothing is left to find; in a start line: to check */
	uint32_t part_at; /* where the line, or the part of the start line, begins */
	uint32_t method_len;
	uint32_t target_at;
	uint32_t target_len;
	uint32_t reason_at;
	uint32_t reason_len;
};

/*
 * `head` is filled in place; `head` and `arena` outlive the reader. A request's empty lines before
 * the start line are passed over (RFC 9112 section 2.2: at most one CRLF); they count for the
 * limits, not for head->bytes.
 */
void head_reader_init(struct head_reader *reader, enum head_kind kind, struct head *head,
	struct arena *arena, const struct head_limits *limits);

/* Takes from the start of `in`; `*taken` says how much (all of it unless HEAD_DONE). */
enum head_progress head_reader_feed(
	struct head_reader *reader, struct slice in, size_t *taken, struct err *err);

/*
 * True once any byte of the section proper has come: an end of input is then a cut message, before
 * it a clean close.
 */
bool head_reader_begun(const struct head_reader *reader);

#endif
